const EVERY_MS = 10_000;

/** When which `rev` was reached, to ten seconds; never newer than it was. */
export class RevHistory {
  readonly #keepMs: number;
  #notes: Array<{ readonly atMs: number; readonly rev: number }> = [];

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  note(rev: number, monoMs: number): void {
    const last = this.#notes.at(-1);
    if (last !== undefined && monoMs - last.atMs < EVERY_MS) return;
    this.#notes.push({ atMs: monoMs, rev });
    // One note beyond the time is needed to know what was reached before it.
    const second = this.#notes[1];
    if (second !== undefined && second.atMs < monoMs - this.#keepMs) this.#notes.shift();
  }

  /** A `rev` that was reached at least that long ago; 0 where none is known. */
  reachedBefore(monoMs: number): number {
    let low = 0;
    let high = this.#notes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#notes[middle]?.atMs ?? Infinity) <= monoMs) low = middle + 1;
      else high = middle;
    }
    return this.#notes[low - 1]?.rev ?? 0;
  }
}
