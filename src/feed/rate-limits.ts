/** So many per second on average, and `burst` at once. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMonoMs: number | undefined;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes one where there is one. */
  take(monoMs: number): boolean {
    const elapsedMs = monoMs - (this.#atMonoMs ?? monoMs);
    this.#atMonoMs = monoMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1_000);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** Counts what happened within the last minute. */
export class MinuteCount {
  readonly #most: number;
  #times: number[] = [];

  /** `most` in a minute are within bounds. */
  constructor(most: number) {
    this.#most = most;
  }

  /** One more; false where that is one too many. */
  add(monoMs: number): boolean {
    this.#times = this.#times.filter((each) => monoMs - each < 60_000);
    this.#times.push(monoMs);
    return this.#times.length <= this.#most;
  }
}
