/** A binary heap: whatever the order of arrival, the first by `before` is at hand, in time of the logarithm of the size. */
export class MinHeap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let at = this.#items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || !this.#before(item, parent)) break;
      this.#items[at] = parent;
      at = above;
    }
    this.#items[at] = item;
  }

  /** Takes the first one out. */
  pop(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.replaceFirst(last);
    return first;
  }

  /** Puts an item in the place of the first one: a new one, or the first itself after its order has changed. */
  replaceFirst(item: T): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [this.#items[left], this.#items[left + 1]];
      if (a === undefined) break;
      const [child, smaller] = b !== undefined && this.#before(b, a) ? [left + 1, b] : [left, a];
      if (!this.#before(smaller, item)) break;
      this.#items[at] = smaller;
      at = child;
    }
    this.#items[at] = item;
  }
}
