import type { Instant } from '../instant.ts';

export interface Timer {
  cancel(): void;
}

/** The only source of time in the runtime; tests hand in their own. */
export interface Clock {
  now(): Instant;
  /** Calls once, not before `atMonoMs`. */
  setTimer(atMonoMs: number, callback: () => void): Timer;
  /**
   * Calls once after one turn of reading: sockets that are readable now have been read by then. What is read by the
   * thread pool takes longer: with `settleMs` it has so much time between that turn and another one.
   */
  afterReading(callback: () => void, settleMs?: number): Timer;
}

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => ({ monoMs: performance.now(), wallMs: Date.now() }),
  setTimer(atMonoMs, callback) {
    // Rounded up, so that a timer is never early by a fraction and then armed again for nothing.
    const delayMs = Math.ceil(Math.min(Math.max(atMonoMs - performance.now(), 0), LONGEST_TIMEOUT_MS));
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  afterReading(callback, settleMs = 0) {
    // Timers come before the poll phase and immediates right after it: one immediate from a timer is one turn of reading.
    if (settleMs === 0) {
      const handle = setImmediate(callback);
      return { cancel: () => clearImmediate(handle) };
    }
    let settling: NodeJS.Timeout | undefined;
    let turn = setImmediate(() => {
      settling = setTimeout(() => {
        turn = setImmediate(callback);
      }, settleMs);
    });
    return {
      cancel: () => {
        clearTimeout(settling);
        clearImmediate(turn);
      },
    };
  },
};

/**
 * One timer that follows a machine's next deadline. A deadline that moves further away leaves the timer as it is: it
 * fires early, the machine finds nothing due, and it is set again. So a busy device costs no timer per frame.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #fired: () => void;
  #timer: Timer | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, fired: () => void) {
    this.#clock = clock;
    this.#fired = fired;
  }

  /** Monotonic ms; undefined: there is nothing to wait for. */
  follow(deadline: number | undefined): void {
    if (deadline === undefined) return this.cancel();
    if (this.#timer !== undefined && this.#firesAt <= deadline) return;
    this.cancel();
    this.#firesAt = deadline;
    this.#timer = this.#clock.setTimer(deadline, () => {
      this.#timer = undefined;
      this.#firesAt = Number.POSITIVE_INFINITY;
      this.#fired();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#firesAt = Number.POSITIVE_INFINITY;
  }
}
