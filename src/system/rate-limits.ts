/** Rounding of repeated sums must not cost anybody the last one of a burst. */
const SLACK = 1 + 1e-9;
/** Who gets none in a second gets the next one in thirty years; with infinity nothing could be reckoned. */
const NEVER_MS = 1e12;

/**
 * So many per second on average, and `burst` at once. What somebody has used of it is one number that he keeps himself:
 * the instant from which on all of it is free again. So very many can share one rate.
 */
export class Rate {
  readonly #eachMs: number;
  readonly #burstMs: number;

  constructor(perSecond: number, burst: number) {
    this.#eachMs = Math.min(1_000 / perSecond, NEVER_MS);
    this.#burstMs = burst * this.#eachMs * SLACK;
  }

  equals(other: Rate): boolean {
    return this.#eachMs === other.#eachMs && this.#burstMs === other.#burstMs;
  }

  /** With one more taken at `monoMs`; undefined where that is one too many. Who never took any begins with `-Infinity`. */
  take(freeAtMs: number, monoMs: number): number | undefined {
    const freeAt = Math.max(freeAtMs, monoMs) + this.#eachMs;
    return freeAt - monoMs <= this.#burstMs ? freeAt : undefined;
  }
}

/** One who keeps to a rate. */
export class TokenBucket {
  readonly #rate: Rate;
  #freeAtMs = -Infinity;

  constructor(perSecond: number, burst: number) {
    this.#rate = new Rate(perSecond, burst);
  }

  /** Takes one where there is one. */
  take(monoMs: number): boolean {
    const freeAtMs = this.#rate.take(this.#freeAtMs, monoMs);
    if (freeAtMs === undefined) return false;
    this.#freeAtMs = freeAtMs;
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
