import {
  isJsonObject,
  type Json,
  type JsonObject,
  type ServerMessage,
  type SnapshotItem,
  type UpdatePayload,
} from '../contract/wire/index.ts';
import { dropOldest } from './bounded.ts';
import type { Decode } from './session-runner.ts';

/** 32 bytes, or the same as base64 or base64url text. */
export type SecretKey = Uint8Array | string;

/** The keys by their ids, or a function that finds one; undefined where it is not known. */
export type SecretKeys =
  | Readonly<Record<string, SecretKey>>
  | ((keyId: string) => SecretKey | undefined | Promise<SecretKey | undefined>);

export interface SecretOptions {
  readonly keys: SecretKeys;
  /**
   * A payload stays as it came, `{"$jwe": "..."}`: its key is not known (`key_unknown`), or it was not encrypted with
   * that key, for that topic (`unreadable`).
   */
  readonly onProblem?: (problem: SecretProblem) => void;
}

export interface SecretProblem {
  readonly reason: 'key_unknown' | 'unreadable';
  /** Absent where it is the reply to a command. */
  readonly topic: string | undefined;
  readonly keyId: string | undefined;
  readonly message: string;
}

/** What the protected header of a payload says; `A256GCM` under a key that both sides hold (RFC 7516, `dir`). */
interface Header {
  readonly alg?: unknown;
  readonly enc?: unknown;
  readonly kid?: unknown;
  readonly topic?: unknown;
}

/** Browsers and Node name the type in different places. */
type AesKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const KEY_BYTES = 32;
/** So many topics and keys may be mixed; a peer that invents key ids must not fill the memory. */
const MAX_KNOWN_KEYS = 64;

/**
 * Makes the `decode` of `connect`, which opens what the bridge encrypts (`secrecy` in devices.yaml). Uses WebCrypto and
 * nothing else: browsers have it on pages that came over HTTPS or from the same machine, Node always.
 */
export function openSecrets(options: SecretOptions): Decode {
  const opener = new Opener(options);
  return (message) => openMessage(message, opener);
}

/** Messages without anything encrypted stay what they are, and do not wait. */
function openMessage(message: ServerMessage, opener: Opener): ServerMessage | Promise<ServerMessage> {
  switch (message.type) {
    case 'snapshot': {
      const { payload } = message;
      if (!payload.items.some(({ state }) => isSealed(state))) return message;
      return Promise.all(payload.items.map((item) => openItem(item, opener))).then((items) => ({
        ...message,
        payload: { ...payload, items },
      }));
    }
    case 'update':
      return openUpdate(message.payload, opener).then((payload) =>
        payload === message.payload ? message : { ...message, payload },
      );
    case 'event': {
      const { payload } = message;
      if (!isSealed(payload.data)) return message;
      return opener.open(payload.data, payload.topic).then((data) => ({
        ...message,
        payload: { ...payload, data },
      }));
    }
    case 'response': {
      const { payload } = message;
      const { fields } = payload.result;
      if (!isJsonObject(fields) || !isSealed(fields)) return message;
      return opener.open(fields, undefined).then((opened) => ({
        ...message,
        payload: { ...payload, result: { ...payload.result, fields: opened } },
      }));
    }
    case 'welcome':
    case 'synced':
    case 'broadcast':
    case 'gap':
    case 'position':
    case 'broadcast_ack':
    case 'echo':
    case 'clients_list':
    case 'ping':
    case 'pong':
    case 'error':
    case 'closing':
      break;
  }
  // What a newer bridge adds is passed on, too.
  return message;
}

async function openItem(item: SnapshotItem, opener: Opener): Promise<SnapshotItem> {
  return isSealed(item.state) ? { ...item, state: await opener.open(item.state, item.topic) } : item;
}

/** A patch of what is encrypted replaces all of it, so what comes out is a whole document. */
async function openUpdate(update: UpdatePayload, opener: Opener): Promise<UpdatePayload> {
  if ('removed' in update) return update;
  const { topic, epoch, rev, seq } = update;
  const whole = (state: JsonObject): UpdatePayload => ({ topic, epoch, rev, seq, full: true, state });
  if ('state' in update) {
    return isSealed(update.state) ? whole(await opener.open(update.state, topic)) : update;
  }
  const { patch } = update;
  if (isSealed(patch)) return whole(await opener.open({ $jwe: patch.$jwe }, topic));
  if (patch.$jwe !== null) return update;
  // It is encrypted no longer: all that it says now stands in the patch.
  const { $jwe: _, ...state } = patch;
  return whole(state);
}

function isSealed(payload: JsonObject): payload is JsonObject & { readonly $jwe: string } {
  return typeof payload.$jwe === 'string';
}

class Opener {
  readonly #options: SecretOptions;
  readonly #known = new Map<string, Promise<AesKey | undefined>>();

  constructor(options: SecretOptions) {
    this.#options = options;
  }

  /** The payload, or what came where it cannot be opened. */
  async open(sealed: { readonly $jwe: string }, topic: string | undefined): Promise<JsonObject> {
    const [head = '', wrapped, iv = '', text = '', tag = '', more] = sealed.$jwe.split('.');
    let keyId: string | undefined;
    try {
      // Nothing is known of what it holds, and each member is looked at below.
      const header = JSON.parse(new TextDecoder().decode(bytesOf(head))) as Header;
      if (header.alg !== 'dir' || header.enc !== 'A256GCM' || wrapped !== '' || more !== undefined) {
        throw new Error('it is not encrypted with A256GCM under a shared key');
      }
      // What was said of one device must not be shown as another one's.
      if (topic !== undefined && header.topic !== topic) throw new Error('it was said under another topic');
      if (typeof header.kid !== 'string') throw new Error('it names no key');
      keyId = header.kid;
      const key = await this.#key(keyId);
      if (key === undefined) {
        this.#tell('key_unknown', topic, keyId, `There is no key "${keyId}".`);
        return sealed;
      }
      const plain = await crypto.subtle.decrypt(
        { name: 'AES-GCM', iv: bytesOf(iv), additionalData: new TextEncoder().encode(head) },
        key,
        joined(bytesOf(text), bytesOf(tag)),
      );
      const payload: Json = JSON.parse(new TextDecoder().decode(plain));
      if (!isJsonObject(payload)) throw new Error('it holds no JSON object');
      return payload;
    } catch (error) {
      // The words of what decrypts say nothing, if it has any.
      const own = error instanceof Error && error.name !== 'OperationError' && error.message !== '';
      const why = own ? error.message : 'the key does not fit';
      this.#tell('unreadable', topic, keyId, `A payload could not be opened: ${why}.`);
      return sealed;
    }
  }

  #key(keyId: string): Promise<AesKey | undefined> {
    const known = this.#known.get(keyId);
    if (known !== undefined) return known;
    const found = this.#find(keyId);
    this.#known.set(keyId, found);
    // A key that is not there yet may come; one that failed may be fixed.
    found.then(
      (key) => key ?? this.#known.delete(keyId),
      () => this.#known.delete(keyId),
    );
    dropOldest(this.#known, MAX_KNOWN_KEYS);
    return found;
  }

  async #find(keyId: string): Promise<AesKey | undefined> {
    const { keys } = this.#options;
    const own = typeof keys === 'function' || Object.hasOwn(keys, keyId);
    const key = typeof keys === 'function' ? await keys(keyId) : own ? keys[keyId] : undefined;
    if (key === undefined) return undefined;
    const bytes = typeof key === 'string' ? bytesOf(key) : new Uint8Array(key);
    if (bytes.length !== KEY_BYTES) {
      throw new Error(`the key "${keyId}" has ${bytes.length} bytes instead of ${KEY_BYTES}`);
    }
    return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['decrypt']);
  }

  #tell(
    reason: SecretProblem['reason'],
    topic: string | undefined,
    keyId: string | undefined,
    message: string,
  ) {
    this.#options.onProblem?.({ reason, topic, keyId, message });
  }
}

/** The bytes of a base64 or base64url text. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.trim().replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, ''));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
