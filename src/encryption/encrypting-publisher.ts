import type { EventReach, Publisher } from '../contract/index.ts';
import { diff, type JsonObject } from '../contract/wire/index.ts';
import { inSlices, type Log, Ring } from '../system/index.ts';
import type { Encryptor } from './encryptor.ts';

/** Events of one topic that may wait to be encrypted; beyond it the oldest are lost, and counted. */
const MAX_WAITING_EVENTS = 1_000;

export interface EncryptingOptions {
  readonly publisher: Publisher;
  /** What is retained of a topic already. */
  retained(): Iterable<{ readonly topic: string; readonly document: JsonObject | undefined }>;
  readonly log: Log;
}

interface WaitingEvent {
  readonly data: JsonObject;
  readonly reach: EventReach | undefined;
}

/** What waits for one topic. Encrypting is asynchronous; the lane keeps the order. */
interface Lane {
  /** In plain; undefined where there is none. */
  document: JsonObject | undefined;
  /** The document is still to be published. */
  changed: boolean;
  readonly events: Ring<WaitingEvent>;
  lost: number;
  busy: boolean;
}

/**
 * A publisher that encrypts the topics of its encryptor (none until it has one), and passes on the rest as it is. The
 * store then holds encrypted documents only, whatever serves them: WebSocket, JSON lines, the HTTP API, a proxy. While
 * one state is encrypted, later ones replace each other.
 */
export class EncryptingPublisher implements Publisher {
  readonly #options: EncryptingOptions;
  readonly #lanes = new Map<string, Lane>();
  #encryptor: Encryptor | undefined;
  /** Documents that are to be published again, because the keys or the topics of the encryptor changed. */
  readonly #outdated = new Map<string, JsonObject>();

  constructor(options: EncryptingOptions) {
    this.#options = options;
  }

  publishState(topic: string, document: JsonObject): void {
    const outdated = this.#outdated.delete(topic);
    if (!this.#encrypts(topic)) {
      if (outdated) this.#clear(topic);
      this.#options.publisher.publishState(topic, document);
      return;
    }
    const lane = this.#lane(topic);
    // The same document under another key is a change.
    if (outdated) lane.document = undefined;
    // Two encryptions of one document differ; the change must be seen before.
    if (lane.document !== undefined && diff(lane.document, document) === undefined) return;
    lane.document = document;
    lane.changed = true;
    this.#work(topic, lane);
  }

  removeState(topic: string): void {
    this.#outdated.delete(topic);
    this.#clear(topic);
    this.#options.publisher.removeState(topic);
  }

  publishEvent(topic: string, data: JsonObject | (() => JsonObject), reach?: EventReach): void {
    if (!this.#encrypts(topic)) {
      this.#options.publisher.publishEvent(topic, data, reach);
      return;
    }
    const lane = this.#lane(topic);
    lane.events.push({ data: typeof data === 'function' ? data() : data, reach });
    if (lane.events.length > MAX_WAITING_EVENTS) {
      lane.events.shift();
      lane.lost++;
    }
    this.#work(topic, lane);
  }

  /**
   * Other keys, or other topics: every document that they concern is published again, with turns of the event loop
   * between where there are many. What is published meanwhile goes by the new encryptor at once.
   */
  replace(encryptor: Encryptor | undefined): void | Promise<void> {
    for (const { topic, document } of this.#options.retained()) {
      if (document !== undefined && !this.#encrypts(topic)) this.#outdated.set(topic, document);
    }
    for (const [topic, { document }] of this.#lanes)
      if (document !== undefined) this.#outdated.set(topic, document);
    const before = this.#encryptor;
    this.#encryptor = encryptor;
    return inSlices(this.#publishOutdated(before));
  }

  *#publishOutdated(before: Encryptor | undefined): Generator<void, void> {
    for (const [topic, document] of this.#outdated) {
      if (this.#encrypts(topic) || before?.encrypts(topic) === true) this.publishState(topic, document);
      else this.#outdated.delete(topic);
      yield;
    }
  }

  #encrypts(topic: string): boolean {
    return this.#encryptor?.encrypts(topic) === true;
  }

  #lane(topic: string): Lane {
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      lane = { document: undefined, changed: false, events: new Ring(), lost: 0, busy: false };
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
        `a payload of ${topic} could not be encrypted, and was not published: ${String(error)}`,
      );
    });
  }

  async #drain(topic: string, lane: Lane): Promise<void> {
    try {
      while (lane.changed || lane.events.length > 0) {
        const encryptor = this.#encryptor;
        if (encryptor?.encrypts(topic) !== true) {
          // The topic became plain meanwhile; only events still wait here.
          for (const { data, reach } of takeAll(lane.events))
            this.#options.publisher.publishEvent(topic, data, reach);
        } else if (lane.changed) await this.#encryptState(topic, lane, encryptor);
        else await this.#encryptEvents(topic, lane, encryptor);
      }
    } finally {
      lane.busy = false;
      this.#forget(topic, lane);
    }
  }

  /** Nothing of the topic is to be encrypted any more, but for events that wait. */
  #clear(topic: string): void {
    const lane = this.#lanes.get(topic);
    if (lane === undefined) return;
    lane.document = undefined;
    lane.changed = false;
    this.#forget(topic, lane);
  }

  /** A lane without a document and without work is not kept: devices come and go. */
  #forget(topic: string, lane: Lane): void {
    if (!lane.busy && lane.document === undefined && lane.events.length === 0) this.#lanes.delete(topic);
  }

  async #encryptState(topic: string, lane: Lane, encryptor: Encryptor): Promise<void> {
    const { document } = lane;
    lane.changed = false;
    if (document === undefined) return;
    const encrypted = await encryptor.encrypt(topic, document);
    // Replaced or removed meanwhile: the present document is published instead.
    if (lane.document !== document || encryptor !== this.#encryptor) return;
    this.#options.publisher.publishState(topic, encrypted);
  }

  async #encryptEvents(topic: string, lane: Lane, encryptor: Encryptor): Promise<void> {
    const { publisher, log } = this.#options;
    const events = takeAll(lane.events);
    const { lost } = lane;
    lane.lost = 0;
    if (lost > 0) {
      const code = 'seal_overrun';
      log.warn({ code, topic, lost }, `${lost} events of ${topic} came faster than they could be encrypted`);
      publisher.publishEvent(topic, { lost, reason: code });
    }
    const encrypted = await Promise.all(events.map(({ data }) => encryptor.encrypt(topic, data)));
    for (const [index, data] of encrypted.entries())
      publisher.publishEvent(topic, data, events[index]?.reach);
  }
}

function takeAll(events: Ring<WaitingEvent>): readonly WaitingEvent[] {
  const all = [...events];
  events.clear();
  return all;
}
