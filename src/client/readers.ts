/** What waits for one `for await`. */
export interface Reader<T> {
  /** To be called when there is something to take. */
  wake: () => void;
  take(): T | undefined;
  /** Nobody takes what is left. */
  clear(): void;
}

/** Everybody who reads along, each with a `for await` that takes things when it can. */
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
