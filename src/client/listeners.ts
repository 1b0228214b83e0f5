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

  emit(...args: Args): void {
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

/** Throws it outside of every caller, so that the platform reports it as uncaught. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** What waits for one `for await`. */
export interface Reader<T> {
  /** To be called when there is something to take. */
  wake: () => void;
  take(): T | undefined;
  /** What is left is not taken any more. */
  clear(): void;
}

/** All readers, each a `for await` that takes things when it can. */
export class Readers<T, R extends Reader<T>> extends Set<R> {
  #ended: { readonly error: unknown } | undefined;

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Nothing follows; what is there is still given out, and then the error, if there is one. */
  end(error?: unknown): void {
    this.#ended = { error };
    for (const { wake } of this) wake();
  }

  /** Gives out what the reader has, from now on. */
  open(reader: R): AsyncGenerator<T, undefined, undefined> {
    this.add(reader);
    return this.#read(reader);
  }

  async *#read(reader: R): AsyncGenerator<T, undefined, undefined> {
    try {
      for (;;) {
        const value = reader.take();
        if (value !== undefined) yield value;
        else if (this.#ended === undefined) {
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
        } else if (this.#ended.error === undefined) return undefined;
        else throw this.#ended.error;
      }
    } finally {
      this.delete(reader);
      reader.clear();
    }
  }
}
