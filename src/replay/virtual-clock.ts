import type { Instant } from '../instant.ts';
import { type Clock, MinHeap, Ring, type Timer } from '../system/index.ts';

interface Pending {
  readonly atMonoMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

const before = (a: Pending, b: Pending): boolean =>
  a.atMonoMs < b.atMonoMs || (a.atMonoMs === b.atMonoMs && a.order < b.order);

/** A clock that is moved by hand. Every timer fires at its own time on the way; the same calls give the same order. */
export class VirtualClock implements Clock {
  readonly #startWallMs: number;
  #monoMs = 0;
  #order = 0;
  /** Cancelled timers stay until they are due. */
  readonly #timers = new MinHeap<Pending>(before);
  readonly #soon = new Ring<() => void>();
  #draining = false;

  /** `startWallMs` is what the wall clock shows at monotonic 0. */
  constructor(startWallMs: number) {
    this.#startWallMs = startWallMs;
  }

  now(): Instant {
    // Whole milliseconds, like the wall clock of the machine.
    return { monoMs: this.#monoMs, wallMs: this.#startWallMs + Math.floor(this.#monoMs) };
  }

  setTimer(atMonoMs: number, callback: () => void): Timer {
    const pending: Pending = { atMonoMs, order: this.#order++, callback };
    this.#timers.push(pending);
    return {
      cancel: () => {
        pending.callback = undefined;
      },
    };
  }

  afterReading(callback: () => void): Timer {
    let wanted: (() => void) | undefined = callback;
    this.soon(() => wanted?.());
    return {
      cancel: () => {
        wanted = undefined;
      },
    };
  }

  /** Calls at the same time, once the current callback has returned. */
  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** Moves on to `monoMs`; what falls due on the way happens at its own time. */
  goTo(monoMs: number): void {
    this.drain();
    for (;;) {
      const next = this.#timers.first;
      if (next === undefined || next.atMonoMs > monoMs) break;
      this.#timers.pop();
      if (next.callback === undefined) continue;
      this.#monoMs = Math.max(this.#monoMs, next.atMonoMs);
      const { callback } = next;
      next.callback = undefined;
      callback();
      this.drain();
    }
    this.#monoMs = Math.max(this.#monoMs, monoMs);
  }

  /** When the next timer is due; undefined: none is set. */
  nextAt(): number | undefined {
    while (this.#timers.first !== undefined && this.#timers.first.callback === undefined) this.#timers.pop();
    return this.#timers.first?.atMonoMs;
  }

  /** Calls what was given to `soon`. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#soon.shift(); next !== undefined; next = this.#soon.shift()) next();
    } finally {
      this.#draining = false;
    }
  }
}
