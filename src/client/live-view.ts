import type { JsonObject } from '../contract/wire/index.ts';
import type { DeviceState, DeviceTypes } from './device-types.ts';
import { deviceOf } from './items.ts';
import { Listeners, type Reader, Readers } from './listeners.ts';
import type { FeedView, ViewChange } from './view.ts';

/** One document is another now. */
export interface DocumentChange {
  readonly topic: string;
  /** The device that the topic belongs to. */
  readonly device?: string | undefined;
  /** As it is now; absent where it is gone. */
  readonly document?: JsonObject | undefined;
}

/**
 * The present documents of everything that is subscribed to. A document never changes: a newer one takes its place, so
 * two are the same exactly if they are identical.
 */
export class LiveView<Types extends DeviceTypes = DeviceTypes> {
  readonly #documents: FeedView;
  readonly #listeners = new Listeners<[DocumentChange]>();
  readonly #readers = new Readers<DocumentChange, ChangeReader>();
  /** Of these topics the devices are known. */
  #topics: readonly string[] | undefined;
  #devices: readonly string[] = [];

  constructor(documents: FeedView) {
    this.#documents = documents;
  }

  /** The state of a device; undefined where none is known, or not subscribed to. */
  get(device: string): DeviceState<Types> | undefined {
    // The bridge writes the states; their shape is part of the feed's contract.
    return this.#documents.document(`devices/${device}/state`) as unknown as DeviceState<Types> | undefined;
  }

  document(topic: string): JsonObject | undefined {
    return this.#documents.document(topic);
  }

  /** The topics that have a document; the same list until they are others. */
  topics(): readonly string[] {
    return this.#documents.topics();
  }

  /** The ids of the devices that have a state; the same list until they are others. */
  devices(): readonly string[] {
    const topics = this.topics();
    if (topics !== this.#topics) {
      this.#topics = topics;
      const devices = topics.flatMap((topic) =>
        topic === `devices/${deviceOf(topic)}/state` ? (deviceOf(topic) ?? []) : [],
      );
      if (String(devices) !== String(this.#devices)) this.#devices = devices;
    }
    return this.#devices;
  }

  /** Calls for every change from now on; returns what ends that. */
  onChange(listener: (change: DocumentChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** What is there now, and then every change; a slow reader gets the present document, and none in between. */
  [Symbol.asyncIterator](): AsyncGenerator<DocumentChange, undefined, undefined> {
    const reader = new ChangeReader();
    for (const topic of this.#documents.topics()) reader.push(this.#changeOf(topic));
    return this.#readers.open(reader);
  }

  /** For the client. */
  emit(changes: readonly ViewChange[]): void {
    for (const { topic } of changes) {
      const change = this.#changeOf(topic);
      for (const reader of this.#readers) reader.push(change);
      this.#listeners.emit(change);
    }
  }

  /** For the client: nothing follows. */
  end(error?: unknown): void {
    this.#readers.end(error);
  }

  #changeOf(topic: string): DocumentChange {
    return { topic, device: deviceOf(topic), document: this.#documents.document(topic) };
  }
}

/** The changes that one `for await` has not taken yet, the last one of each topic. */
class ChangeReader implements Reader<DocumentChange> {
  wake = (): void => undefined;
  readonly #pending = new Map<string, DocumentChange>();

  push(change: DocumentChange): void {
    this.#pending.set(change.topic, change);
    this.wake();
  }

  take(): DocumentChange | undefined {
    const [change] = this.#pending.values();
    if (change !== undefined) this.#pending.delete(change.topic);
    return change;
  }

  clear(): void {
    this.#pending.clear();
  }
}
