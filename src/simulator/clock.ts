import type { Instant } from '../instant.ts';

/** The time that simulated devices live by; the runtime's `Clock` is one, and so is a test's. */
export interface SimulatorClock {
  now(): Instant;
  /** Calls once, not before `atMonoMs`. */
  setTimer(atMonoMs: number, callback: () => void): { cancel(): void };
}
