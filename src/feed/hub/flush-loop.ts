import type { Instant } from '../../instant.ts';
import type { Arrivals, Clock, Timer } from '../../system/index.ts';
import type { Audience } from '../core/audience.ts';
import type { Subscriber } from '../core/subscriber.ts';

/** Bounds of one slice of a pass: whichever is reached first. */
const SLICE_SUBSCRIBERS = 256;
const SLICE_MS = 4;
/** The same of a slice that holds nothing but backlogs of single subscribers: what is shared waits for it. */
const OWN_SLICE_MS = 2;
/** How often a slice reads the clock: after so many subscribers, and after so many bytes of single backlogs. */
const CLOCK_EVERY = 16;
const CLOCK_EVERY_BYTES = 64 * 1024;
/**
 * While devices connect, the event loop turns between two slices for so long, and accepts one device each time. Longer
 * pauses register devices sooner and delay subscribers more: bench/storm weighs both.
 */
const YIELD_MS = 2;
/** How often rate-limited documents are checked. */
const PACE_MS = 20;

/**
 * Makes the passes of an audience: one at the end of every turn of the event loop in which something is to be written,
 * so that everything of that turn goes out together. With a flush window, a pass follows the first change by that time.
 *
 *     request ──▶ end of turn (or window) ──▶ slice: flush up to 256 subscribers or 4 ms ──▶ done
 *                        ▲                          │ some are left
 *                        └──────────────────────────┘
 *
 * What subscribers share goes before what single ones wait for: a pass whose rest are backlogs ends after one slice of
 * them when something shared was published meanwhile.
 *
 * Devices that connect go before subscribers: while they do, slices are rarer, and carry more.
 */
export class FlushLoop {
  readonly #audience: Audience;
  readonly #clock: Clock;
  readonly #flush: (subscriber: Subscriber, now: Instant) => void;
  #pass: Generator<Subscriber, void, void> | undefined;
  #windowMs: number;
  #scheduled: Timer | undefined;
  #flushing = false;
  /** The last slice held nothing but backlogs of single subscribers. */
  #ownSlice = false;
  #paceTimer: Timer | undefined;
  readonly #arrivals: Arrivals | undefined;
  /** Devices that were accepted at the last look. */
  #arrived = 0;
  /** When the last slice ended. */
  #wroteAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    audience: Audience,
    clock: Clock,
    flush: (subscriber: Subscriber, now: Instant) => void,
    windowMs = 0,
    arrivals?: Arrivals,
  ) {
    this.#arrivals = arrivals;
    this.#windowMs = windowMs;
    this.#audience = audience;
    this.#clock = clock;
    this.#flush = flush;
  }

  /** Sets the window of later changes. */
  follow(windowMs: number): void {
    this.#windowMs = windowMs;
  }

  request(): void {
    if (this.#scheduled !== undefined) return;
    if (this.#windowMs === 0 || this.#pass !== undefined) this.#soon();
    else this.#scheduled = this.#clock.setTimer(this.#clock.now().monoMs + this.#windowMs, this.#run);
  }

  /**
   * More is published in this turn than may wait for its end: all of it is written now. So a subscriber that keeps up
   * loses nothing of a burst, as far as the operating system has room for it.
   */
  overfull(): void {
    const now = this.#clock.now();
    if (this.#flushing) {
      // A change that is published during a write can't be written in between.
      this.#audience.settle(now);
      return;
    }
    this.#flushing = true;
    // The rest of a pass under way, and one of what was published since.
    for (const subscriber of this.#pass ?? []) this.#flush(subscriber, now);
    this.#pass = undefined;
    for (const subscriber of this.#audience.pass()) this.#flush(subscriber, now);
    this.#flushing = false;
  }

  /** Checks held back documents, for as long as there are any. */
  pace(): void {
    this.#paceTimer ??= this.#clock.setTimer(this.#clock.now().monoMs + PACE_MS, () => {
      this.#paceTimer = undefined;
      if (this.#audience.wakePaced(this.#clock.now())) this.pace();
    });
  }

  stop(): void {
    this.#scheduled?.cancel();
    this.#paceTimer?.cancel();
  }

  #soon(): void {
    const handle = setImmediate(this.#run);
    this.#scheduled = { cancel: () => clearImmediate(handle) };
  }

  readonly #run = (): void => {
    this.#scheduled = undefined;
    if (this.#yields()) this.#soon();
    else this.#slice();
  };

  /** A device was accepted in this turn, so more may wait, and a slice was made just before. */
  #yields(): boolean {
    if (this.#arrivals === undefined) return false;
    const { count } = this.#arrivals;
    if (count === this.#arrived) return false;
    this.#arrived = count;
    return this.#clock.now().monoMs - this.#wroteAtMs < YIELD_MS;
  }

  #slice(): void {
    const audience = this.#audience;
    if (this.#ownSlice && audience.inOwnPart && audience.sharedPending) this.#endPass();
    this.#pass ??= audience.pass();
    this.#ownSlice = audience.inOwnPart;
    const now = this.#clock.now();
    this.#flushing = true;
    const done = this.#flushSome(this.#pass, now, this.#ownSlice ? OWN_SLICE_MS : SLICE_MS);
    this.#flushing = false;
    if (done) this.#pass = undefined;
    if (this.#arrivals !== undefined) this.#wroteAtMs = this.#clock.now().monoMs;
    if (!done || this.#audience.pending) this.request();
  }

  #endPass(): void {
    this.#pass?.return();
    this.#pass = undefined;
  }

  /** Whether no subscriber is left. */
  #flushSome(pass: Generator<Subscriber, void, void>, now: Instant, mostMs: number): boolean {
    const { tally } = this.#audience;
    let askAt = tally.ownBytes + CLOCK_EVERY_BYTES;
    for (let count = 1; ; count++) {
      const next = pass.next();
      if (next.done === true) return true;
      this.#flush(next.value, now);
      const asks = count % CLOCK_EVERY === 0 || tally.ownBytes >= askAt;
      if (asks) askAt = tally.ownBytes + CLOCK_EVERY_BYTES;
      const late = asks && this.#clock.now().monoMs - now.monoMs > mostMs;
      if (count >= SLICE_SUBSCRIBERS || late) return false;
    }
  }
}
