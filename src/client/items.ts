import type { Json, JsonObject } from '../contract/wire/index.ts';
import type { Reader } from './listeners.ts';

/** Something that happened. */
export interface FeedEvent {
  readonly kind: 'event';
  readonly topic: string;
  /** The device that the topic belongs to. */
  readonly device?: string | undefined;
  /** When the bridge said it, in ms since the Unix epoch. */
  readonly at: number;
  readonly seq: number;
  readonly data: JsonObject;
}

/** What one client sent to all others. */
export interface FeedBroadcast {
  readonly kind: 'broadcast';
  readonly topic: string;
  readonly at: number;
  readonly seq: number;
  /** The id of that client. */
  readonly from: string;
  readonly data: Json;
}

/** Events of a topic that will not come. */
export interface FeedGap {
  readonly kind: 'gap';
  readonly topic: string;
  readonly device?: string | undefined;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** The bridge's word for it, or `slow_reader`: this program took them too slowly from a queue of its own. */
  readonly reason: string;
}

export type FeedItem = FeedEvent | FeedBroadcast | FeedGap;

/** The id in `devices/<id>/...`. */
export function deviceOf(topic: string): string | undefined {
  const [root, device] = topic.split('/');
  return root === 'devices' ? device : undefined;
}

interface Entry {
  readonly item: FeedItem;
  /** True: the program has dealt with it; false: it never will. */
  readonly done: (taken: boolean) => void;
}

/**
 * Items on their way to one `for await`. An item counts as dealt with when the next one is asked for. Beyond the bound
 * the oldest go, and a `gap` says which before anything that follows.
 */
export class ItemQueue implements Reader<FeedItem> {
  wake = (): void => undefined;
  readonly #most: number;
  readonly #entries: Entry[] = [];
  readonly #lost = new Map<string, FeedGap>();
  #current: Entry | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves true once it was dealt with; false where it was dropped. */
  push(item: FeedItem): Promise<boolean> {
    return new Promise((done) => {
      this.#entries.push({ item, done });
      if (this.#entries.length > this.#most) this.#dropOldest();
      this.wake();
    });
  }

  take(): FeedItem | undefined {
    this.#current?.done(true);
    this.#current = undefined;
    const [gap] = this.#lost.values();
    if (gap === undefined) this.#current = this.#entries.shift();
    else this.#lost.delete(gap.topic);
    return gap ?? this.#current?.item;
  }

  /** The last item counts as taken, the items left as dropped. */
  clear(): void {
    this.#current?.done(true);
    for (const { done } of this.#entries) done(false);
  }

  #dropOldest(): void {
    const oldest = this.#entries.shift();
    if (oldest === undefined) return;
    oldest.done(false);
    const { item } = oldest;
    const { topic } = item;
    const [fromSeq, toSeq] = item.kind === 'gap' ? [item.fromSeq, item.toSeq] : [item.seq, item.seq];
    const known = this.#lost.get(topic);
    this.#lost.set(topic, {
      fromSeq,
      ...known,
      kind: 'gap',
      topic,
      device: deviceOf(topic),
      toSeq,
      reason: 'slow_reader',
    });
  }
}
