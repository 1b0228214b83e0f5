import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CompactEncrypt } from 'jose';
import { keyOf, type SecrecyConfig } from '../../config/secrecy.ts';
import { HeartwireError } from '../../errors.ts';
import type { JsonObject } from '../../feed/publisher.ts';

/** Bytes of a key for A256GCM. */
const KEY_BYTES = 32;

/** Encrypts the payloads of some topics for those who hold a key. */
export class Sealer {
  readonly #rules: SecrecyConfig['rules'];
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  /** Matching a pattern costs more than looking up, and topics are few beside what is said under them. */
  readonly #keyOfTopic = new Map<string, string | undefined>();

  /** `keys` holds 32 bytes for each id that the rules name. */
  constructor(rules: SecrecyConfig['rules'], keys: ReadonlyMap<string, Uint8Array>) {
    this.#rules = rules;
    this.#keys = keys;
  }

  /** Whether what is said under this topic is encrypted. */
  seals(topic: string): boolean {
    return this.#keyId(topic) !== undefined;
  }

  /** The payload as a JWE in compact form, bound to its topic: `{"$jwe": "..."}`. */
  async seal(topic: string, payload: JsonObject): Promise<JsonObject> {
    const kid = this.#keyId(topic);
    const key = kid === undefined ? undefined : this.#keys.get(kid);
    if (kid === undefined || key === undefined) {
      throw new HeartwireError('bad_argument', 'Nothing says with which key the topic is encrypted.', {
        seen: topic,
      });
    }
    const sealed = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, topic })
      .encrypt(key);
    return { $jwe: sealed };
  }

  /** The same topics under the same keys. */
  equals(other: Sealer | undefined): boolean {
    if (other === undefined || this.#keys.size !== other.#keys.size) return false;
    if (JSON.stringify(this.#rules) !== JSON.stringify(other.#rules)) return false;
    return [...this.#keys].every(([id, key]) => {
      const theirs = other.#keys.get(id);
      return theirs !== undefined && Buffer.compare(key, theirs) === 0;
    });
  }

  #keyId(topic: string): string | undefined {
    if (this.#keyOfTopic.has(topic)) return this.#keyOfTopic.get(topic);
    const id = keyOf(this.#rules, topic);
    this.#keyOfTopic.set(topic, id);
    return id;
  }
}

/**
 * Reads the keys that a configuration names, relative to `dir`.
 * @throws HeartwireError `key_unreadable`, `key_malformed`
 */
export async function openSealer(config: SecrecyConfig, dir: string): Promise<Sealer> {
  const keys = await Promise.all(
    [...config.keyFiles].map(async ([id, file]) => [id, await readKey(id, resolve(dir, file))] as const),
  );
  return new Sealer(config.rules, new Map(keys));
}

async function readKey(id: string, file: string): Promise<Uint8Array> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new HeartwireError('key_unreadable', `The file of the key ${id} could not be read.`, {
      seen: file,
      mend: `Make one with: heartwire key > ${file}`,
      cause,
    });
  }
  const bytes = /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
  if (bytes?.length === KEY_BYTES) return new Uint8Array(bytes);
  // What the file holds may be a secret all the same: its length is enough to find the mistake.
  throw new HeartwireError('key_malformed', `The file of the key ${id} holds no key.`, {
    seen: `${file}, ${text.length} characters`,
    mend: `A key is 32 bytes in base64, 44 characters. Make one with: heartwire key > ${file}`,
  });
}
