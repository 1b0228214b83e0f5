/** Members that may be noted though they are removed, beside as many as there are. */
const MOST_REMOVED = 1_000;

/** One member of a `Recency`; all but its value is the list's own business. */
export interface Link<T> {
  value: T;
  older: Link<T> | undefined;
  newer: Link<T> | undefined;
  /** Its place in the list is found at the next read of the order. */
  touched: boolean;
  removed: boolean;
}

/**
 * Members in the order of their last `rev`; the last changed ones are found without looking at the rest. They change far
 * more often than their order is read, so a change is only noted, and the member is put into its place at the next read.
 */
export class Recency<T extends { readonly rev: number }> {
  #newest: Link<T> | undefined;
  #oldest: Link<T> | undefined;
  #touched: Link<T>[] = [];
  #members = 0;

  /** A new member. */
  add(value: T): Link<T> {
    this.#members++;
    const link: Link<T> = { value, older: undefined, newer: undefined, touched: true, removed: false };
    this.#note(link);
    return link;
  }

  /** Its value has another `rev`, which is the highest of all. */
  touch(link: Link<T>): void {
    if (link.touched) return;
    link.touched = true;
    this.#note(link);
  }

  remove(link: Link<T>): void {
    this.#members--;
    link.removed = true;
    this.#unlink(link);
  }

  /** The member whose last `rev` is the lowest; costs no more than what was touched meanwhile. */
  oldest(): Link<T> | undefined {
    return this.#oldestInPlace() ?? this.#oldestOfAll();
  }

  #oldestInPlace(): Link<T> | undefined {
    // A client that was touched is younger than all that were not, and is put into its place another time.
    while (this.#oldest?.touched) this.#unlink(this.#oldest);
    return this.#oldest;
  }

  #oldestOfAll(): Link<T> | undefined {
    this.#settle();
    return this.#oldest;
  }

  *newestFirst(): Generator<T, void, void> {
    this.#settle();
    for (let link = this.#newest; link !== undefined; link = link.older) yield link.value;
  }

  #note(link: Link<T>): void {
    this.#touched.push(link);
    // Members that came and went are not kept until the next read.
    if (this.#touched.length > 2 * this.#members + MOST_REMOVED) this.#settle();
  }

  #settle(): void {
    const touched = this.#touched;
    this.#touched = [];
    touched.sort((a, b) => a.value.rev - b.value.rev);
    for (const link of touched) {
      link.touched = false;
      if (link.removed) continue;
      this.#unlink(link);
      link.older = this.#newest;
      if (this.#newest !== undefined) this.#newest.newer = link;
      this.#newest = link;
      this.#oldest ??= link;
    }
  }

  #unlink(link: Link<T>): void {
    if (link.newer !== undefined) link.newer.older = link.older;
    else if (this.#newest === link) this.#newest = link.older;
    if (link.older !== undefined) link.older.newer = link.newer;
    else if (this.#oldest === link) this.#oldest = link.newer;
    link.newer = link.older = undefined;
  }
}
