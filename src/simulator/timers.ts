import type { Instant } from '../instant.ts';

/** The time that simulated devices live by; the runtime's `Clock` is one, and so is a test's. */
export interface SimulatorClock {
  now(): Instant;
  /** Calls once, not before `atMonoMs`. */
  setTimer(atMonoMs: number, callback: () => void): { cancel(): void };
}

/** The pending timers of one owner: when it goes, they all go. */
export class Timers {
  readonly #clock: SimulatorClock;
  readonly #gate: (action: () => void) => void;
  readonly #pending = new Set<{ cancel(): void }>();

  /** `gate` calls what falls due, at once or later; an action that is cancelled meanwhile does not happen. */
  constructor(clock: SimulatorClock, gate: (action: () => void) => void = (action) => action()) {
    this.#clock = clock;
    this.#gate = gate;
  }

  /** Calls once, `delayMs` from now. */
  after(delayMs: number, action: () => void): { cancel(): void } {
    const entry = {
      cancel: (): void => {
        this.#pending.delete(entry);
        timer.cancel();
      },
    };
    this.#pending.add(entry);
    const timer = this.#clock.setTimer(this.#clock.now().monoMs + delayMs, () => {
      this.#gate(() => {
        if (this.#pending.delete(entry)) action();
      });
    });
    return entry;
  }

  cancelAll(): void {
    for (const entry of [...this.#pending]) entry.cancel();
  }
}
