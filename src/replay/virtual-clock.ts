import type { Instant } from '../instant.ts';
import type { Clock, Timer } from '../system/clock.ts';

interface Pending {
  readonly atMonoMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

const before = (a: Pending, b: Pending): boolean =>
  a.atMonoMs < b.atMonoMs || (a.atMonoMs === b.atMonoMs && a.order < b.order);

/** A clock that goes where it is told, firing every timer on the dot on its way; the same calls give the same order. */
export class VirtualClock implements Clock {
  readonly #startWallMs: number;
  #monoMs = 0;
  #order = 0;
  /** A binary heap; cancelled timers stay until they are due. */
  readonly #heap: Pending[] = [];
  readonly #soon: Array<() => void> = [];
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
    this.#push(pending);
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

  /** Calls as soon as what is being done is done, at the same time. */
  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** Moves on to `monoMs`; what falls due on the way happens at its own time. */
  goTo(monoMs: number): void {
    this.drain();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMonoMs > monoMs) break;
      this.#pop();
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
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) this.#pop();
    return this.#heap[0]?.atMonoMs;
  }

  /** Does what was left for `soon`. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#soon.shift(); next !== undefined; next = this.#soon.shift()) next();
    } finally {
      this.#draining = false;
    }
  }

  #push(pending: Pending): void {
    const heap = this.#heap;
    let at = heap.push(pending) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !before(pending, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = pending;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (a === undefined) break;
      const [child, smaller] = b !== undefined && before(b, a) ? [left + 1, b] : [left, a];
      if (!before(smaller, last)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}
