import type { Instant } from '../../src/instant.ts';
import type { Clock, Timer } from '../../src/system/clock.ts';

interface Pending {
  readonly atMonoMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to go; timers fire in order of their time, then of their setting. */
export class FakeClock implements Clock {
  #monoMs: number;
  #wallOffsetMs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();
  #afterReading: Array<() => void> = [];

  constructor(monoMs = 1_000, wallMs = Date.UTC(2026, 0, 1)) {
    this.#monoMs = monoMs;
    this.#wallOffsetMs = wallMs - monoMs;
  }

  now(): Instant {
    return { monoMs: this.#monoMs, wallMs: this.#monoMs + this.#wallOffsetMs };
  }

  setTimer(atMonoMs: number, callback: () => void): Timer {
    const pending = { atMonoMs, order: this.#order++, callback };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  afterReading(callback: () => void, settleMs = 0): Timer {
    if (settleMs > 0) return this.setTimer(this.#monoMs + settleMs, callback);
    this.#afterReading.push(callback);
    return {
      cancel: () => {
        this.#afterReading = this.#afterReading.filter((each) => each !== callback);
      },
    };
  }

  /** Timers now set. */
  get timers(): number {
    return this.#pending.size;
  }

  /** One turn of reading passes. */
  turn(): void {
    const due = this.#afterReading;
    this.#afterReading = [];
    for (const callback of due) callback();
  }

  /** Moves on by `ms`, firing what falls due on the way. */
  advance(ms: number): void {
    const end = this.#monoMs + ms;
    for (;;) {
      this.turn();
      const [next] = [...this.#pending].sort((a, b) => a.atMonoMs - b.atMonoMs || a.order - b.order);
      if (next === undefined || next.atMonoMs > end) break;
      this.#pending.delete(next);
      this.#monoMs = Math.max(this.#monoMs, next.atMonoMs);
      next.callback();
    }
    this.#monoMs = end;
    this.turn();
  }

  /** The wall clock of the machine is set; no time passes. */
  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** The loop was blocked: time passes, and only then do the due timers fire, all of them late. */
  stall(ms: number): void {
    this.#monoMs += ms;
    this.advance(0);
  }
}
