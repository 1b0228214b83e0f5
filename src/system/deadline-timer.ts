import type { Clock, Timer } from './clock.ts';

/**
 * One timer that follows a machine's next deadline. A deadline that moves further away leaves the timer as it is: it
 * fires early, the machine finds nothing due, and it is set anew. So a busy device costs no timer per frame.
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
