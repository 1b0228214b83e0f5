import { deviceOf, type FeedGap, type FeedItem } from './items.ts';
import { PullQueue } from './pull-queue.ts';

interface Entry {
  readonly item: FeedItem;
  /** The program has dealt with it, or never will. */
  readonly done: (taken: boolean) => void;
}

/**
 * Items on their way to one `for await`. An item counts as dealt with when the next one is asked for. Beyond the bound
 * the oldest go, and a `gap` says which before anything that follows.
 */
export class ItemQueue extends PullQueue<FeedItem> {
  readonly #most: number;
  #entries: Entry[] = [];
  readonly #lost = new Map<string, FeedGap>();
  #current: Entry | undefined;

  constructor(most: number, left: () => void) {
    super(left);
    this.#most = most;
  }

  /** Resolves true once it was dealt with; false where it was dropped. */
  push(item: FeedItem): Promise<boolean> {
    return new Promise((done) => {
      this.#entries.push({ item, done });
      if (this.#entries.length > this.#most) this.#dropOldest();
      this.serve();
    });
  }

  override next(): ReturnType<PullQueue<FeedItem>['next']> {
    this.#finish();
    return super.next();
  }

  protected take(): FeedItem | undefined {
    const [gap] = this.#lost.values();
    if (gap !== undefined) {
      this.#lost.delete(gap.topic);
      return gap;
    }
    this.#finish();
    this.#current = this.#entries.shift();
    return this.#current?.item;
  }

  protected clear(): void {
    this.#finish();
    for (const { done } of this.#entries) done(false);
    this.#entries = [];
    this.#lost.clear();
  }

  #finish(): void {
    this.#current?.done(true);
    this.#current = undefined;
  }

  #dropOldest(): void {
    const oldest = this.#entries.shift();
    if (oldest === undefined) return;
    oldest.done(false);
    const { item } = oldest;
    const { topic } = item;
    const known = this.#lost.get(topic);
    const [from, to] = item.kind === 'gap' ? [item.fromSeq, item.toSeq] : [item.seq, item.seq];
    this.#lost.set(topic, {
      kind: 'gap',
      topic,
      device: deviceOf(topic),
      fromSeq: Math.min(known?.fromSeq ?? from, from),
      toSeq: Math.max(known?.toSeq ?? to, to),
      reason: 'slow_reader',
    });
  }
}
