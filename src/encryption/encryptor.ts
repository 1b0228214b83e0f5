import { type EncryptionConfig, keyOf } from '../config/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { HeartwireError } from '../errors.ts';

const MAX_KNOWN_TOPICS = 10_000;

/** Encrypts the payloads of some topics for holders of a key. */
export class Encryptor {
  readonly #config: EncryptionConfig;
  /** Matching a pattern costs more than a lookup, and topics are few compared with their messages. */
  readonly #keyOfTopic = new Map<string, string | undefined>();

  constructor(config: EncryptionConfig) {
    this.#config = config;
  }

  /** Whether payloads of this topic are encrypted. */
  encrypts(topic: string): boolean {
    return this.#keyId(topic) !== undefined;
  }

  /** The payload as a JWE in compact form, bound to its topic: `{"$jwe": "..."}`. */
  async encrypt(topic: string, payload: JsonObject): Promise<JsonObject> {
    const kid = this.#keyId(topic);
    const key = kid === undefined ? undefined : this.#config.keys.get(kid);
    if (kid === undefined || key === undefined) {
      throw new HeartwireError('bad_argument', 'Nothing says with which key the topic is encrypted.', {
        seen: topic,
      });
    }
    const { CompactEncrypt } = await import('jose');
    const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, topic })
      .encrypt(key);
    return { $jwe: jwe };
  }

  #keyId(topic: string): string | undefined {
    if (this.#keyOfTopic.has(topic)) return this.#keyOfTopic.get(topic);
    const id = keyOf(this.#config.rules, topic);
    // Devices come and go; their topics must not stay for ever.
    if (this.#keyOfTopic.size >= MAX_KNOWN_TOPICS) this.#keyOfTopic.clear();
    this.#keyOfTopic.set(topic, id);
    return id;
  }
}
