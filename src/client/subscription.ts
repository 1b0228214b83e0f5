import { matchesTopic } from '../contract/wire/index.ts';
import { type ClientError, ownError } from './client-error.ts';
import type { FeedItem } from './items.ts';
import { ItemQueue } from './items.ts';
import { Readers, report } from './listeners.ts';

export interface SubscribeOptions {
  /** The document of one topic comes at most so often a second; the last one always comes. */
  readonly maxHz?: number;
  /**
   * Every event is acknowledged once `onItem` has returned, or its promise is fulfilled, and once the `for await`
   * asks for the next. What is not comes again.
   */
  readonly ack?: boolean;
  /** Messages of devices come with `raw`: the values on the wire of fields that are scaled or named. */
  readonly raw?: boolean;
  /** Called for every event, broadcast and gap of these topics. */
  readonly onItem?: (item: FeedItem) => unknown;
  /** Items that are kept for a `for await` which is slow; 1,000 where this is left out. */
  readonly maxQueued?: number;
}

const MAX_QUEUED = 1_000;

/** Patterns that are followed until they are given up; what happens on them can be read with `for await`. */
export class Subscription implements AsyncIterable<FeedItem> {
  readonly topics: readonly string[];
  /** Fulfilled once the view holds all of it for the first time; rejected where the bridge refuses, or the client closes. */
  readonly ready: Promise<void>;
  readonly #options: SubscribeOptions;
  readonly #unsubscribe: () => void;
  readonly #queues = new Readers<FeedItem, ItemQueue>();
  #resolve = (): void => undefined;
  #reject = (_: unknown): void => undefined;

  constructor(topics: readonly string[], options: SubscribeOptions, unsubscribe: () => void) {
    this.topics = topics;
    this.#options = options;
    this.#unsubscribe = unsubscribe;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The errors and the status of the client report it, too.
    this.ready.catch(() => undefined);
  }

  /** Gives up these patterns; what no other subscription covers leaves the view. */
  unsubscribe(): void {
    if (this.#queues.ended) return;
    this.end();
    this.#unsubscribe();
  }

  /** Everything from now on; it ends with the subscription. */
  [Symbol.asyncIterator](): AsyncGenerator<FeedItem, undefined, undefined> {
    return this.#queues.open(new ItemQueue(this.#options.maxQueued ?? MAX_QUEUED));
  }

  /** For the client. */
  covers(topic: string): boolean {
    return this.topics.some((pattern) => matchesTopic(pattern, topic));
  }

  /** For the client: what is to be waited for until the item is dealt with; false in it means that it was not. */
  take(item: FeedItem): ReadonlyArray<Promise<boolean>> {
    const pending = [...this.#queues].map((queue) => queue.push(item));
    const { onItem } = this.#options;
    if (onItem !== undefined) pending.push(dealtWith(onItem, item));
    return pending;
  }

  /** For the client. */
  settled(error: ClientError | undefined): void {
    if (error === undefined) this.#resolve();
    else this.end(error);
  }

  /** For the client: nothing follows. */
  end(error?: ClientError): void {
    if (this.#queues.ended) return;
    this.#queues.end(error);
    this.#reject(error ?? ownError('closed'));
  }
}

/** False where it threw; the error is reported as uncaught. */
async function dealtWith(onItem: (item: FeedItem) => unknown, item: FeedItem): Promise<boolean> {
  try {
    await onItem(item);
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}
