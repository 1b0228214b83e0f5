/** Entries of the log that are remembered for each shard. */
const REMEMBERED = 4_096;

/** Pairs of numbers, both rising. */
class Steps {
  #from: number[] = [];
  #to: number[] = [];

  add(from: number, to: number): void {
    this.#from.push(from);
    this.#to.push(to);
    if (this.#from.length < 2 * REMEMBERED) return;
    this.#from = this.#from.slice(-REMEMBERED);
    this.#to = this.#to.slice(-REMEMBERED);
  }

  /** Of the last step that is not above `from`. */
  at(from: number): number | undefined {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#from[middle] ?? Number.POSITIVE_INFINITY) <= from) low = middle + 1;
      else high = middle;
    }
    return this.#to[low - 1];
  }
}

/** Up to which `rev` of the feed of this instance something is covered: of what came from others, and of its own. */
export interface ShardCut {
  readonly foreign: number;
  readonly own: number;
}

/**
 * Where the feed of this instance stood at each `rev` of one shard, so that it is known what a reader of that shard has of
 * it. What a snapshot held may be newer than the `rev` that it began with: it is settled with the first complete read
 * behind it, and nothing is known of positions before.
 */
export class ShardCuts {
  #foreign = new Steps();
  #own = new Steps();
  readonly #saidBefore: number;
  #said: number;
  #settledAt: number | undefined;

  /** `said`: up to which `rev` this instance had published before the snapshot. */
  constructor(said: number) {
    this.#saidBefore = said;
    this.#said = said;
  }

  get settled(): boolean {
    return this.#settledAt !== undefined;
  }

  /** All that there is was read; later calls have no effect. */
  settle(shardRev: number, feedRev: number): void {
    if (this.#settledAt !== undefined) return;
    this.#settledAt = shardRev;
    this.#foreign.add(shardRev, feedRev);
  }

  /** An entry was read; `said`: it is one of this instance, which had published everything up to there. */
  read(shardRev: number, feedRev: number, said: number | undefined): void {
    if (this.#settledAt !== undefined) this.#foreign.add(shardRev, feedRev);
    if (said === undefined) return;
    // What was published before it is out too, in whatever order batches were read.
    this.#said = Math.max(this.#said, said);
    this.#own.add(shardRev, this.#said);
  }

  /** What a reader has that has read up to this `rev`; undefined where that is not known any more, or not yet. */
  at(shardRev: number): ShardCut | undefined {
    if (this.#settledAt === undefined || shardRev < this.#settledAt) return undefined;
    const foreign = this.#foreign.at(shardRev);
    return foreign === undefined ? undefined : { foreign, own: this.#own.at(shardRev) ?? this.#saidBefore };
  }
}
