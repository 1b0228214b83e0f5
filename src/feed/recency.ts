/** One member of a `Recency`; its neighbours are the list's own business. */
export interface Link<T> {
  value: T;
  older: Link<T> | undefined;
  newer: Link<T> | undefined;
}

/** Members in the order in which they were last touched; whoever changed lately is found without looking at the rest. */
export class Recency<T> {
  #newest: Link<T> | undefined;

  /** A new member, the newest one. */
  add(value: T): Link<T> {
    const link: Link<T> = { value, older: this.#newest, newer: undefined };
    if (this.#newest !== undefined) this.#newest.newer = link;
    this.#newest = link;
    return link;
  }

  /** Makes a member the newest one. */
  touch(link: Link<T>): void {
    if (link === this.#newest) return;
    this.remove(link);
    link.older = this.#newest;
    link.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = link;
    this.#newest = link;
  }

  remove(link: Link<T>): void {
    if (link.newer !== undefined) link.newer.older = link.older;
    else if (this.#newest === link) this.#newest = link.older;
    if (link.older !== undefined) link.older.newer = link.newer;
    link.newer = link.older = undefined;
  }

  *newestFirst(): Generator<T, void, void> {
    for (let link = this.#newest; link !== undefined; link = link.older) yield link.value;
  }
}
