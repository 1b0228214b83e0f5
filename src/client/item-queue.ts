import { deviceOf, type FeedGap, type FeedItem } from './items.ts';
import type { Reader } from './readers.ts';

interface Entry {
  readonly item: FeedItem;
  /** The program has dealt with it, or never will. */
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

  /** Nobody will take what is left; the last one was taken. */
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
