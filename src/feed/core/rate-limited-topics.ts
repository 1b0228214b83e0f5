interface Pace {
  readonly intervalMs: number;
  /** From here on it may be sent. */
  dueAtMs: number;
  /** Of the first change that was held back. */
  missedRev: number | undefined;
}

/** So many topics are remembered at least before those that need not be are removed. */
const FEW = 64;

/** Rate-limited topics of one subscriber: when each was sent last, and which wait for their time. */
export class RateLimitedTopics {
  readonly #paces = new Map<string, Pace>();
  readonly #waiting = new Set<string>();
  #lastRemembered = 0;

  /** Some topic waits. */
  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Topics of which it is known when they were sent. */
  get remembered(): number {
    return this.#paces.size;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** A topic changed; the first `rev` of it that was not sent where it may be sent at once, undefined where it waits. */
  changed(topic: string, rev: number, intervalMs: number, monoMs: number): number | undefined {
    const pace = this.#paces.get(topic);
    if (pace === undefined) {
      this.#paces.set(topic, { intervalMs, dueAtMs: monoMs + intervalMs, missedRev: undefined });
      if (this.#paces.size > 2 * this.#lastRemembered + FEW) this.#forget(monoMs);
      return rev;
    }
    pace.missedRev ??= rev;
    if (monoMs >= pace.dueAtMs) return this.#release(topic, pace, monoMs);
    this.#waiting.add(topic);
    return undefined;
  }

  /** Takes out the topics whose time has come, with the first `rev` that each missed. */
  *due(monoMs: number): Generator<readonly [topic: string, rev: number]> {
    for (const topic of this.#waiting) {
      const pace = this.#paces.get(topic);
      if (pace === undefined || pace.dueAtMs > monoMs) continue;
      const rev = this.#release(topic, pace, monoMs);
      if (rev !== undefined) yield [topic, rev];
    }
  }

  /** Takes out all that wait, and forgets when they were sent. */
  *releaseAll(): Generator<readonly [topic: string, rev: number]> {
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

  /** What was held back goes with what is sent now. */
  #release(topic: string, pace: Pace, monoMs: number): number | undefined {
    const rev = pace.missedRev;
    pace.missedRev = undefined;
    pace.dueAtMs = monoMs + pace.intervalMs;
    this.#waiting.delete(topic);
    return rev;
  }

  /** Topics that may be sent at once need not be remembered: topics come and go. */
  #forget(monoMs: number): void {
    for (const [topic, { dueAtMs }] of this.#paces)
      if (dueAtMs <= monoMs && !this.#waiting.has(topic)) this.#paces.delete(topic);
    this.#lastRemembered = this.#paces.size;
  }
}
