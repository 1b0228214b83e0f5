/**
 * Spreads its members over the seconds of an interval, each by chance: no second has much more work than another, and
 * members that came one after the other are not told one after the other for ever.
 */
export class PingWheel<T> {
  readonly #slots: Array<Set<T>>;
  readonly #random: () => number;
  #hand = 0;

  /** `random` is at least 0 and less than 1. */
  constructor(intervalMs: number, random: () => number) {
    this.#random = random;
    this.#slots = Array.from({ length: Math.max(1, Math.round(intervalMs / 1_000)) }, () => new Set<T>());
  }

  add(member: T): void {
    this.#slots[Math.floor(this.#random() * this.#slots.length)]?.add(member);
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
