/** Spreads its members over the seconds of an interval, so that no second has more work than another. */
export class PingWheel<T> {
  readonly #slots: Array<Set<T>>;
  #hand = 0;
  #next = 0;

  constructor(intervalMs: number) {
    this.#slots = Array.from({ length: Math.max(1, Math.round(intervalMs / 1_000)) }, () => new Set<T>());
  }

  add(member: T): void {
    this.#slots[this.#next]?.add(member);
    this.#next = (this.#next + 1) % this.#slots.length;
  }

  delete(member: T): void {
    for (const slot of this.#slots) if (slot.delete(member)) return;
  }

  /** One second passes; returns the members whose turn it is. */
  turn(): Iterable<T> {
    this.#hand = (this.#hand + 1) % this.#slots.length;
    return this.#slots[this.#hand] ?? [];
  }
}
