interface Pace {
  toldAtMs: number;
  dueAtMs: number;
  /** Of the first change that was held back. */
  missedRev: number | undefined;
}

/** Topics that a subscriber is told of only so often: when each was told last, and which wait for their time. */
export class PacedMarks {
  readonly #paces = new Map<string, Pace>();
  readonly #waiting = new Set<string>();

  /** Some topic waits. */
  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Nothing is remembered of any topic. */
  get idle(): boolean {
    return this.#paces.size === 0;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** A topic changed; true where it may be told at once. */
  changed(topic: string, rev: number, intervalMs: number, monoMs: number): boolean {
    let pace = this.#paces.get(topic);
    if (pace === undefined) {
      pace = { toldAtMs: -Infinity, dueAtMs: 0, missedRev: undefined };
      this.#paces.set(topic, pace);
    }
    pace.dueAtMs = pace.toldAtMs + intervalMs;
    if (monoMs >= pace.dueAtMs) {
      pace.toldAtMs = monoMs;
      return true;
    }
    pace.missedRev ??= rev;
    this.#waiting.add(topic);
    return false;
  }

  /** Takes out the topics whose time has come, with the first `rev` that each missed. */
  *due(monoMs: number): Generator<readonly [topic: string, rev: number]> {
    for (const topic of this.#waiting) {
      const pace = this.#paces.get(topic);
      if (pace === undefined || pace.dueAtMs > monoMs) continue;
      this.#waiting.delete(topic);
      const rev = pace.missedRev;
      pace.missedRev = undefined;
      pace.toldAtMs = monoMs;
      if (rev !== undefined) yield [topic, rev];
    }
  }

  /** Takes out all that wait, and forgets when they were told. */
  *release(): Generator<readonly [topic: string, rev: number]> {
    for (const topic of this.#waiting) {
      const rev = this.#paces.get(topic)?.missedRev;
      if (rev !== undefined) yield [topic, rev];
    }
    this.#waiting.clear();
    this.#paces.clear();
  }

  firstRev(): number | undefined {
    let first: number | undefined;
    for (const topic of this.#waiting) {
      const rev = this.#paces.get(topic)?.missedRev;
      if (rev !== undefined && (first === undefined || rev < first)) first = rev;
    }
    return first;
  }
}
