import type { Instant } from '../instant.ts';

export interface Timer {
  cancel(): void;
}

/** The only source of time in the runtime; tests hand in their own. */
export interface Clock {
  now(): Instant;
  /** Calls once, not before `atMonoMs`. */
  setTimer(atMonoMs: number, callback: () => void): Timer;
  /** Calls once after one turn of reading: sockets that are readable now have been read by then. */
  afterReading(callback: () => void): Timer;
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
  afterReading(callback) {
    // Timers come before the poll phase and immediates right after it: one immediate from a timer is one turn of reading.
    const handle = setImmediate(callback);
    return { cancel: () => clearImmediate(handle) };
  },
};
