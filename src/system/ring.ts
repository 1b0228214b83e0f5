const INITIAL = 8;

/** A queue in one array that holds nothing that was taken; its room follows what waits in it. */
export class Ring<T> {
  #items: Array<T | undefined> = [];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The n-th one from the front; from -1 on, from the back. */
  at(index: number): T | undefined {
    const place = index < 0 ? this.#length + index : index;
    if (place < 0 || place >= this.#length) return undefined;
    return this.#items[(this.#head + place) & (this.#items.length - 1)];
  }

  push(item: T): void {
    if (this.#length === this.#items.length) this.#resize(Math.max(INITIAL, this.#length * 2));
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = item;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#length--;
    if (this.#length * 4 < this.#items.length && this.#items.length > INITIAL) {
      this.#resize(this.#items.length / 2);
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = this.#length = 0;
  }

  /** From the front to the back; nothing may be added or taken meanwhile. */
  *[Symbol.iterator](): Generator<T, void> {
    for (let index = 0; index < this.#length; index++) {
      const item = this.at(index);
      if (item !== undefined) yield item;
    }
  }

  /** Keeps what `wanted` says of each, from the front to the back. */
  retain(wanted: (item: T) => boolean): void {
    for (let count = this.#length; count > 0; count--) {
      const item = this.shift();
      if (item !== undefined && wanted(item)) this.push(item);
    }
  }

  /** Puts the items in another order; those that compare as equal keep theirs. */
  sort(compare: (a: T, b: T) => number): void {
    const items: T[] = [];
    for (let item = this.shift(); item !== undefined; item = this.shift()) items.push(item);
    for (const item of items.sort(compare)) this.push(item);
  }

  #resize(room: number): void {
    const items = new Array<T | undefined>(room).fill(undefined);
    for (let index = 0; index < this.#length; index++) items[index] = this.at(index);
    this.#items = items;
    this.#head = 0;
  }
}
