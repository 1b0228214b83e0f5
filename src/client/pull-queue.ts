type Result<T> = IteratorResult<T, undefined>;

/** What comes when it comes, given to one `for await` that takes it when it can; how it is kept is the heir's. */
export abstract class PullQueue<T> implements AsyncIterableIterator<T> {
  readonly #left: () => void;
  readonly #waiting: Array<{ resolve(result: Result<T>): void; reject(error: unknown): void }> = [];
  #ended: { readonly error: unknown } | undefined;

  /** `left` is called when nothing is to be kept for it any more. */
  constructor(left: () => void) {
    this.#left = left;
  }

  /** The next one that is kept, which is kept no longer. */
  protected abstract take(): T | undefined;

  /** Nobody will take what is kept. */
  protected abstract clear(): void;

  /** Nothing follows; what is kept is still given out, and then the error, if there is one. */
  end(error?: unknown): void {
    this.#ended ??= { error };
    this.#left();
    this.serve();
  }

  next(): Promise<Result<T>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.serve();
    });
  }

  return(): Promise<Result<T>> {
    this.clear();
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** To be called when something is kept. */
  protected serve(): void {
    for (let [waiting] = this.#waiting; waiting !== undefined; [waiting] = this.#waiting) {
      const value = this.take();
      if (value === undefined && this.#ended === undefined) return;
      this.#waiting.shift();
      if (value !== undefined) waiting.resolve({ done: false, value });
      else if (this.#ended?.error === undefined) waiting.resolve({ done: true, value: undefined });
      else waiting.reject(this.#ended.error);
    }
  }
}
