/** A ring, as its memory sees it. */
export interface MemoryUser {
  readonly held: number;
  /** Gives up its oldest piece, where it has more than one. */
  shorten(): void;
}

/**
 * The memory of all rings together. Where it is used up, the ring that holds the most is shortened for one that holds
 * less, so that the devices that say little keep all of it the longest.
 */
export class RingMemory {
  #budget: number;
  #taken = 0;
  /** Users by the power of two below what they hold. */
  readonly #bySize: Set<MemoryUser>[] = [];

  constructor(budgetBytes: number) {
    this.#budget = budgetBytes;
  }

  /** Bytes that are taken now. */
  get taken(): number {
    return this.#taken;
  }

  /** Other room from now on. */
  resize(budgetBytes: number): void {
    this.#budget = budgetBytes;
    while (this.#taken > budgetBytes) {
      const before = this.#taken;
      this.#largest()?.shorten();
      if (this.#taken === before) return;
    }
  }

  /** So many bytes for this user; false where all of the memory is with users that hold no more than it. */
  take(user: MemoryUser, bytes: number): boolean {
    while (this.#taken + bytes > this.#budget) {
      const largest = this.#largest();
      if (largest === undefined || largest === user || largest.held < user.held + bytes) return false;
      const before = this.#taken;
      largest.shorten();
      if (this.#taken === before) return false;
    }
    this.#taken += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }

  /** The user holds more or less than before. */
  resized(user: MemoryUser, before: number): void {
    const [from, to] = [classOf(before), classOf(user.held)];
    if (from === to) return;
    if (from >= 0) this.#bySize[from]?.delete(user);
    if (to < 0) return;
    while (this.#bySize.length <= to) this.#bySize.push(new Set());
    this.#bySize[to]?.add(user);
  }

  /** One of those that hold the most, within a factor of two: the one that has held it the longest. */
  #largest(): MemoryUser | undefined {
    for (let size = this.#bySize.length - 1; size >= 0; size--) {
      for (const user of this.#bySize[size] ?? []) return user;
    }
    return undefined;
  }
}

/** -1 for nothing at all. */
const classOf = (bytes: number): number => (bytes === 0 ? -1 : 31 - Math.clz32(bytes));
