/**
 * Functions that are called when something happens. One that throws harms neither the others nor the caller; one that is
 * added by another is called from the next time on, and one that is taken off is not called any more.
 */
export class Listeners<Args extends readonly unknown[]> {
  readonly #all = new Set<(...args: Args) => unknown>();

  /** Returns what takes it off again. */
  add(listener: (...args: Args) => unknown): () => void {
    // Of its own, so that the same function given twice is called twice, and taken off one by one.
    const own = (...args: Args): unknown => listener(...args);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  tell(...args: Args): void {
    for (const listener of [...this.#all]) {
      if (!this.#all.has(listener)) continue;
      try {
        listener(...args);
      } catch (error) {
        report(error);
      }
    }
  }
}

/** Throws it where nobody can catch it, so that the platform reports it as it does all others. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
