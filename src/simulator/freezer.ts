/** Bytes that arrive for a frozen device and are kept, like those that a kernel keeps for a stopped process. */
const HELD_BYTES_LIMIT = 1024 * 1024;

/** Lets actions through, or holds them, in their order, while there is a reason to stand still. */
export class Freezer<Reason extends string> {
  readonly #reasons = new Set<Reason>();
  readonly #held: Array<() => void> = [];
  #heldBytes = 0;
  #thawing = false;

  get frozen(): boolean {
    return this.#reasons.size > 0;
  }

  freeze(reason: Reason): void {
    this.#reasons.add(reason);
  }

  /** What was held happens now, unless another reason remains. */
  thaw(reason: Reason): void {
    this.#reasons.delete(reason);
    // An action may thaw or freeze in its turn; the order of what is held must survive that.
    if (this.#thawing) return;
    this.#thawing = true;
    try {
      while (!this.frozen) {
        const action = this.#held.shift();
        if (action === undefined) break;
        action();
      }
      if (this.#held.length === 0) this.#heldBytes = 0;
    } finally {
      this.#thawing = false;
    }
  }

  /** `bytes` is what the action carries; beyond 1 MiB held, those that carry bytes are lost. */
  run(action: () => void, bytes = 0): void {
    if (!this.frozen && !this.#thawing) {
      action();
      return;
    }
    if (bytes > 0 && this.#heldBytes + bytes > HELD_BYTES_LIMIT) return;
    this.#heldBytes += bytes;
    this.#held.push(action);
  }

  /** Forgets what is held and every reason. */
  clear(): void {
    this.#reasons.clear();
    this.#held.length = 0;
    this.#heldBytes = 0;
  }
}
