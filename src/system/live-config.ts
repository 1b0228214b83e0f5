/** A value that changes while the process runs: read it where it is used. */
export interface Live<T> {
  readonly value: T;
  /** Calls with every later value; watchers are called in the order in which they were added. */
  watch(callback: (value: T) => void): void;
}

/** The owner's side of a live value. */
export class LiveConfig<T> implements Live<T> {
  #value: T;
  readonly #watchers: Array<(value: T) => void> = [];

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const watcher of this.#watchers) watcher(value);
  }

  watch(callback: (value: T) => void): void {
    this.#watchers.push(callback);
  }

  /** A part of the value, computed once for each change. */
  map<P>(pick: (value: T) => P): Live<P> {
    const part = new LiveConfig(pick(this.#value));
    this.watch((value) => part.set(pick(value)));
    return part;
  }
}
