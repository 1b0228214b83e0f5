/** Keeps the rounding of repeated sums from refusing the last one of a burst. */
const SLACK = 1 + 1e-9;
/** Stands for a rate of zero, because nothing can be calculated with infinity: thirty years. */
const NEVER_MS = 1e12;

/**
 * So many per second on average, and `burst` at once. What one user has taken is a single number that the user keeps:
 * the instant from which on all of the burst is free again. So many users share one rate.
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

  /** With one more taken at `monoMs`; undefined where that is one too many. A new user begins with `-Infinity`. */
  take(freeAtMs: number, monoMs: number): number | undefined {
    const freeAt = this.charge(freeAtMs, monoMs);
    return freeAt - monoMs <= this.#burstMs ? freeAt : undefined;
  }

  /** With one more taken at `monoMs`, also beyond the burst. */
  charge(freeAtMs: number, monoMs: number): number {
    return Math.max(freeAtMs, monoMs) + this.#eachMs;
  }

  /** With `count` more taken at `monoMs`, also beyond the burst, but never by more than another one. */
  chargeMany(freeAtMs: number, monoMs: number, count: number): number {
    const freeAt = Math.max(freeAtMs, monoMs);
    return Math.max(freeAt, Math.min(freeAt + count * this.#eachMs, monoMs + (2 * this.#burstMs) / SLACK));
  }

  /** How long after `monoMs` one more is within the burst; 0 where it is now. */
  waitMs(freeAtMs: number, monoMs: number): number {
    return Math.max(0, this.charge(freeAtMs, monoMs) - monoMs - this.#burstMs);
  }
}

/** A rate with its only user. */
export class TokenBucket {
  #rate: Rate;
  #freeAtMs = -Infinity;

  constructor(perSecond: number, burst: number) {
    this.#rate = new Rate(perSecond, burst);
  }

  /** Applies other bounds from now on; what was taken under different ones is forgotten. */
  follow(perSecond: number, burst: number): void {
    const rate = new Rate(perSecond, burst);
    if (this.#rate.equals(rate)) return;
    this.#rate = rate;
    this.#freeAtMs = -Infinity;
  }

  /** Takes one where there is one. */
  take(monoMs: number): boolean {
    const freeAtMs = this.#rate.take(this.#freeAtMs, monoMs);
    if (freeAtMs === undefined) return false;
    this.#freeAtMs = freeAtMs;
    return true;
  }
}

/** Counts events within the last minute. */
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
