import type { Instant } from '../../instant.ts';
import type { Arrivals, Clock, Timer } from '../../system/index.ts';
import type { Audience, Pending } from '../core/audience.ts';
import type { Subscriber } from '../core/subscriber.ts';
import type { GroupWriter } from '../writes/group-writer.ts';

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
/** A pass that took less does not hold up the next one. */
const LEAST_COST_MS = 1;
/** The pause after a pass, in times of what the pass costs: where changes never end, passes take a quarter of the time. */
const PAUSE_PER_COST = 3;
/** What is shared waits no longer than this for the sake of larger writes. */
const MOST_WAIT_MS = 25;
/** How often rate-limited documents are checked. */
const PACE_MS = 20;

/** How long the next pass waits, after two that cost so much: a single one that took long, as by a garbage collection, counts for little. */
function nextWaitMs(costMs: number, formerCostMs: number): number {
  const lesserMs = Math.min(costMs, formerCostMs);
  return lesserMs < LEAST_COST_MS ? 0 : Math.min(PAUSE_PER_COST * lesserMs, MOST_WAIT_MS);
}

/**
 * Makes the passes of an audience: one at the end of a turn of the event loop in which something is to be written,
 * so that everything of that turn goes out together. With a flush window, a pass follows the first change by that time.
 *
 *     request ──▶ end of turn (or window) ──▶ slice: flush up to 256 subscribers or 4 ms ──▶ done
 *                        ▲                          │ some are left
 *                        └──────────────────────────┘
 *
 * Where changes come faster than they can be written to all, each pass is followed by a pause of three times what it
 * costs, 25 ms at most, so that each write carries more: writing takes a quarter of the time, and three quarters are left
 * for devices. A change that comes after that pause waits for nothing. Alarms never wait, nor does what is for single
 * subscribers: answers and backlogs.
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
  /** The end of this turn of the loop. */
  #turnEnd: NodeJS.Immediate | undefined;
  /** The end of the window. */
  #window: Timer | undefined;
  /** The next pass carries what subscribers share. */
  #sharedDue = false;
  /** When the last pass had written what subscribers share, what that cost, and how long the next one waits after it. */
  #shared = { endedAtMs: Number.NEGATIVE_INFINITY, costMs: 0, waitMs: 0 };
  /** The pass under way is at what subscribers share, and took so long for it in its former slices. */
  #inShared = false;
  #costMs = 0;
  #flushing = false;
  /** The last slice held nothing but backlogs of single subscribers. */
  #ownSlice = false;
  #paceTimer: Timer | undefined;
  readonly #arrivals: Arrivals | undefined;
  readonly #groupWriter: GroupWriter | undefined;
  /** It calls when it is idle. */
  #awaitsIdle = false;
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
    groupWriter?: GroupWriter,
  ) {
    this.#groupWriter = groupWriter;
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

  /** Something is to be written. */
  request(what: Pending): void {
    if (what === 'urgent') this.#sharedDue = true;
    if (what === 'shared') this.#requestShared();
    if (what !== 'shared' || this.#sharedDue || this.#pass !== undefined) this.#soon();
  }

  #requestShared(): void {
    // What is published while others are written waits for the end of that, which asks again.
    if (this.#sharedDue || this.#inShared || this.#window !== undefined || this.#awaitsIdle) return;
    if (this.#groupWriter?.busy === true) {
      this.#awaitIdle(this.#groupWriter);
      return;
    }
    const { monoMs } = this.#clock.now();
    const { endedAtMs, waitMs } = this.#shared;
    const windowMs = Math.max(this.#windowMs, endedAtMs + waitMs - monoMs);
    if (windowMs <= 0) this.#sharedDue = true;
    else this.#window = this.#clock.setTimer(monoMs + windowMs, this.#windowOver);
  }

  /** What is under way to the same sockets goes first, and this with more behind it. */
  #awaitIdle(groupWriter: GroupWriter): void {
    this.#awaitsIdle = true;
    groupWriter.onceIdle(() => {
      this.#awaitsIdle = false;
      if (!this.#audience.sharedPending) return;
      this.#requestShared();
      if (this.#sharedDue) this.#soon();
    });
  }

  readonly #windowOver = (): void => {
    this.#window = undefined;
    if (this.#groupWriter?.busy === true) {
      this.#awaitIdle(this.#groupWriter);
      return;
    }
    this.#sharedDue = true;
    this.#soon();
  };

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
    this.#groupWriter?.begin();
    // The rest of a pass under way, and one of what was published since.
    for (const subscriber of this.#pass ?? []) this.#flush(subscriber, now);
    this.#pass = undefined;
    this.#inShared = false;
    for (const subscriber of this.#audience.pass()) this.#flush(subscriber, now);
    this.#groupWriter?.end();
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
    clearImmediate(this.#turnEnd);
    this.#window?.cancel();
    this.#paceTimer?.cancel();
  }

  #soon(): void {
    this.#turnEnd ??= setImmediate(this.#run);
  }

  readonly #run = (): void => {
    this.#turnEnd = undefined;
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
    if (this.#ownSlice && audience.inOwnPart && this.#sharedDue && audience.sharedPending) this.#endPass();
    this.#pass ??= this.#begin();
    this.#ownSlice = audience.inOwnPart;
    const now = this.#clock.now();
    this.#flushing = true;
    this.#groupWriter?.begin();
    const done = this.#flushSome(this.#pass, now, this.#ownSlice ? OWN_SLICE_MS : SLICE_MS);
    this.#groupWriter?.end();
    this.#flushing = false;
    if (done) this.#pass = undefined;
    if (this.#arrivals !== undefined) this.#wroteAtMs = this.#clock.now().monoMs;
    if (!done) this.#soon();
    else {
      if (audience.sharedPending) this.request('shared');
      if (audience.ownPending) this.request('own');
    }
  }

  #begin(): Generator<Subscriber, void, void> {
    this.#inShared = this.#sharedDue;
    if (!this.#sharedDue) return this.#audience.ownPass();
    this.#costMs = 0;
    this.#sharedDue = false;
    this.#window?.cancel();
    this.#window = undefined;
    return this.#audience.pass();
  }

  #endPass(): void {
    this.#pass?.return();
    this.#pass = undefined;
  }

  /** What subscribers share is written to the last of them, in a slice that began at this time. */
  #endShared(sliceAtMs: number): void {
    this.#groupWriter?.flush();
    const { monoMs } = this.#clock.now();
    this.#inShared = false;
    const costMs = this.#costMs + monoMs - sliceAtMs;
    this.#shared = { endedAtMs: monoMs, costMs, waitMs: nextWaitMs(costMs, this.#shared.costMs) };
    if (this.#audience.sharedPending) this.#requestShared();
  }

  /** Whether no subscriber is left. */
  #flushSome(pass: Generator<Subscriber, void, void>, now: Instant, mostMs: number): boolean {
    const { tally } = this.#audience;
    let askAt = tally.ownBytes + CLOCK_EVERY_BYTES;
    for (let count = 1; ; count++) {
      const next = pass.next();
      if (this.#inShared && (next.done === true || this.#audience.inOwnPart)) this.#endShared(now.monoMs);
      if (next.done === true) return true;
      this.#flush(next.value, now);
      const asks = count % CLOCK_EVERY === 0 || tally.ownBytes >= askAt;
      if (asks) askAt = tally.ownBytes + CLOCK_EVERY_BYTES;
      const late = asks && this.#clock.now().monoMs - now.monoMs > mostMs;
      if (count < SLICE_SUBSCRIBERS && !late) continue;
      this.#groupWriter?.flush();
      if (this.#inShared) this.#costMs += this.#clock.now().monoMs - now.monoMs;
      return false;
    }
  }
}
