/** What comes when it comes, for one `for await` that takes it when it can. */
export class Tap {
  #wake: () => void = () => undefined;
  #ended: { readonly error: unknown } | undefined;

  /** There is something to take. */
  wake(): void {
    this.#wake();
  }

  /** Nothing follows; what is there is still given out, and then the error, if there is one. */
  end(error?: unknown): void {
    this.#ended ??= { error };
    this.#wake();
  }

  /** Gives out what `take` has; `left` is called once, when nobody reads any more. */
  async *read<T>(take: () => T | undefined, left: () => void): AsyncGenerator<T, undefined, undefined> {
    try {
      for (;;) {
        const value = take();
        if (value !== undefined) yield value;
        else if (this.#ended === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else if (this.#ended.error === undefined) return undefined;
        else throw this.#ended.error;
      }
    } finally {
      left();
    }
  }
}
