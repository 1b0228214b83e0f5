import { Ring } from '../../system/index.ts';

/** How much waits, and how much goes at once. */
export interface QueueLimits {
  /** Bytes that wait at most; beyond them the oldest entries are dropped. */
  readonly maxBytes: number;
  readonly batchEntries: number;
  readonly batchBytes: number;
  /** How long the first entry of a batch waits for others, in ms. */
  readonly lingerMs: number;
  /** The pause after so many failures in a row (from 1), in ms. */
  backOffMs(attempt: number): number;
}

interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
  readonly atMs: number;
}

/**
 * What waits for an output whose other side may be slow or away: entries in order, one batch under way at a time.
 *
 *     idle ──entry──▶ gathering ──linger over, or full──▶ under way ──delivered──▶ idle
 *                                                          │   ▲
 *                                                     failed   └── back-off over: the same batch again
 *
 * A batch that failed goes first again, so the order holds; it is dropped only where the other side refuses it for good.
 */
export class BatchQueue<T> {
  readonly #limits: QueueLimits;
  readonly #entries = new Ring<Entry<T>>();
  /** What goes next: under way, or to be tried again. */
  #batch: readonly Entry<T>[] = [];
  #bytes = 0;
  #isUnderWay = false;
  #retryAtMs = 0;
  #failures = 0;
  #sent = 0;
  #lost = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Entries that were delivered. */
  get sent(): number {
    return this.#sent;
  }

  /** Entries that were dropped: there was no room, or the other side refused them for good. */
  get lost(): number {
    return this.#lost;
  }

  get waiting(): number {
    return this.#batch.length + this.#entries.length;
  }

  get waitingBytes(): number {
    return this.#bytes;
  }

  push(value: T, bytes: number, nowMs: number): void {
    this.#entries.push({ value, bytes, atMs: nowMs });
    this.#bytes += bytes;
    // Not of the batch: it may have arrived.
    while (this.#bytes > this.#limits.maxBytes && this.#entries.length > 0) {
      this.#bytes -= this.#entries.shift()?.bytes ?? 0;
      this.#lost += 1;
    }
  }

  /** The entries to deliver now; each time to be followed by `delivered`, `failed` or `refused`. */
  take(nowMs: number): readonly T[] {
    if (nowMs < this.nextDeadline()) return [];
    if (this.#batch.length === 0) this.#batch = this.#nextBatch();
    this.#isUnderWay = true;
    return this.#batch.map(({ value }) => value);
  }

  /** When `take` has something; Infinity where that is unknown. */
  nextDeadline(): number {
    if (this.#isUnderWay) return Infinity;
    if (this.#batch.length > 0) return this.#retryAtMs;
    const first = this.#entries.at(0);
    if (first === undefined) return Infinity;
    const isFull = this.waiting >= this.#limits.batchEntries || this.#bytes >= this.#limits.batchBytes;
    return isFull ? first.atMs : first.atMs + this.#limits.lingerMs;
  }

  /** The other side took the batch, but for some entries that it refused for good. */
  delivered(refused = 0): void {
    this.#sent += this.#batch.length - refused;
    this.#lost += refused;
    this.#failures = 0;
    this.#end();
  }

  /** The other side did not take it now; returns when it is tried again. */
  failed(nowMs: number, leastMs = 0): number {
    this.#failures += 1;
    this.#isUnderWay = false;
    this.#retryAtMs = nowMs + Math.max(leastMs, this.#limits.backOffMs(this.#failures));
    return this.#retryAtMs;
  }

  /** It waits elsewhere from now on, and is counted there. */
  moved(): void {
    this.#failures = 0;
    this.#end();
  }

  /** The other side will never take it. */
  refused(): void {
    this.#lost += this.#batch.length;
    this.#failures = 0;
    this.#end();
  }

  #nextBatch(): readonly Entry<T>[] {
    const batch: Entry<T>[] = [];
    let bytes = 0;
    for (let next = this.#entries.at(0); next !== undefined; next = this.#entries.at(0)) {
      bytes += next.bytes;
      // One larger entry goes alone.
      if (batch.length === this.#limits.batchEntries || (batch.length > 0 && bytes > this.#limits.batchBytes))
        break;
      batch.push(next);
      this.#entries.shift();
    }
    return batch;
  }

  #end(): void {
    for (const { bytes } of this.#batch) this.#bytes -= bytes;
    this.#batch = [];
    this.#isUnderWay = false;
  }
}
