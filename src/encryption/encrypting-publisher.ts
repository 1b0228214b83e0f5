import { diff } from '../contract/feed/merge-patch.ts';
import type { JsonObject, Publisher } from '../contract/publisher.ts';
import type { Log } from '../system/log.ts';
import type { Encryptor } from './encryptor.ts';

/** Events of one topic that may wait to be encrypted; beyond it the oldest are lost, and it is said how many. */
const MAX_WAITING_EVENTS = 1_000;

export interface EncryptingOptions {
  readonly publisher: Publisher;
  /** What is retained of a topic already. */
  retained(): Iterable<{ readonly topic: string; readonly document: JsonObject | undefined }>;
  readonly log: Log;
}

/** What waits for one topic, in order: encrypting takes its time, and the next thing is said only after it. */
interface Lane {
  /** The document as it is, not encrypted; undefined where there is none. */
  document: JsonObject | undefined;
  /** The document has still to be said. */
  changed: boolean;
  readonly events: JsonObject[];
  lost: number;
  busy: boolean;
}

/**
 * A publisher that encrypts what its sealer covers (nothing until it has one), and hands on the rest as it is. The feed then holds the encrypted
 * document, so whatever serves it - WebSocket, JSON lines, the HTTP API, a proxy behind it - has nothing else. While one
 * state is encrypted, the ones that follow replace each other.
 */
export class EncryptingPublisher implements Publisher {
  readonly #options: EncryptingOptions;
  readonly #lanes = new Map<string, Lane>();
  #encryptor: Encryptor | undefined;

  constructor(options: EncryptingOptions) {
    this.#options = options;
  }

  publishState(topic: string, document: JsonObject): void {
    if (!this.#isSealed(topic)) {
      this.#options.publisher.publishState(topic, document);
      return;
    }
    const lane = this.#lane(topic);
    // Two encryptions of one document differ; the change must be seen before.
    if (lane.document !== undefined && diff(lane.document, document) === undefined) return;
    lane.document = document;
    lane.changed = true;
    this.#work(topic, lane);
  }

  removeState(topic: string): void {
    const lane = this.#lanes.get(topic);
    if (lane !== undefined) {
      lane.document = undefined;
      lane.changed = false;
      this.#forget(topic, lane);
    }
    this.#options.publisher.removeState(topic);
  }

  publishEvent(topic: string, data: JsonObject | (() => JsonObject)): void {
    if (!this.#isSealed(topic)) {
      this.#options.publisher.publishEvent(topic, data);
      return;
    }
    const lane = this.#lane(topic);
    lane.events.push(typeof data === 'function' ? data() : data);
    if (lane.events.length > MAX_WAITING_EVENTS) {
      lane.events.shift();
      lane.lost++;
    }
    this.#work(topic, lane);
  }

  /** Other keys, or other topics: every document that is concerned is said anew. */
  replace(encryptor: Encryptor | undefined): void {
    const { publisher, retained } = this.#options;
    const plain = new Map<string, JsonObject>();
    for (const { topic, document } of retained()) {
      if (document !== undefined && !this.#isSealed(topic)) plain.set(topic, document);
    }
    for (const [topic, { document }] of this.#lanes) if (document !== undefined) plain.set(topic, document);
    const before = this.#encryptor;
    this.#encryptor = encryptor;
    for (const [topic, document] of plain) {
      const lane = this.#lanes.get(topic);
      if (encryptor?.seals(topic) === true) {
        // The same words under another key are another document.
        if (lane !== undefined) lane.document = undefined;
        this.publishState(topic, document);
      } else if (before?.seals(topic) === true) {
        if (lane !== undefined) {
          lane.document = undefined;
          lane.changed = false;
          this.#forget(topic, lane);
        }
        publisher.publishState(topic, document);
      }
    }
  }

  #isSealed(topic: string): boolean {
    return this.#encryptor?.seals(topic) === true;
  }

  #lane(topic: string): Lane {
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      lane = { document: undefined, changed: false, events: [], lost: 0, busy: false };
      this.#lanes.set(topic, lane);
    }
    return lane;
  }

  #work(topic: string, lane: Lane): void {
    if (lane.busy) return;
    lane.busy = true;
    this.#drain(topic, lane).catch((error: unknown) => {
      this.#options.log.error(
        { code: 'seal_failed', topic, err: error },
        `what was said under ${topic} could not be encrypted, and was not published: ${String(error)}`,
      );
    });
  }

  async #drain(topic: string, lane: Lane): Promise<void> {
    try {
      while (lane.changed || lane.events.length > 0) {
        const encryptor = this.#encryptor;
        if (encryptor?.seals(topic) !== true) {
          // It was decided meanwhile that this is no secret; only events still wait here.
          for (const data of lane.events.splice(0)) this.#options.publisher.publishEvent(topic, data);
        } else if (lane.changed) await this.#sealState(topic, lane, encryptor);
        else await this.#sealEvents(topic, lane, encryptor);
      }
    } finally {
      lane.busy = false;
      this.#forget(topic, lane);
    }
  }

  /** A lane without a document and without work is not kept: devices come and go. */
  #forget(topic: string, lane: Lane): void {
    if (!lane.busy && lane.document === undefined && lane.events.length === 0) this.#lanes.delete(topic);
  }

  async #sealState(topic: string, lane: Lane, encryptor: Encryptor): Promise<void> {
    const { document } = lane;
    lane.changed = false;
    if (document === undefined) return;
    const sealed = await encryptor.seal(topic, document);
    // Replaced or removed meanwhile: what is true now is said instead.
    if (lane.document !== document || encryptor !== this.#encryptor) return;
    this.#options.publisher.publishState(topic, sealed);
  }

  async #sealEvents(topic: string, lane: Lane, encryptor: Encryptor): Promise<void> {
    const { publisher, log } = this.#options;
    const events = lane.events.splice(0);
    const { lost } = lane;
    lane.lost = 0;
    if (lost > 0) {
      const code = 'seal_overrun';
      log.warn({ code, topic, lost }, `${lost} events of ${topic} came faster than they could be encrypted`);
      publisher.publishEvent(topic, { lost, reason: code });
    }
    const sealed = await Promise.all(events.map((data) => encryptor.seal(topic, data)));
    for (const data of sealed) publisher.publishEvent(topic, data);
  }
}
