/** How many messages a bridge takes: so many a second, and so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Of what the bridge announces, so that the network's own jitter never exceeds it. */
const SHARE = 0.9;

/** A token bucket: what it lets pass is never refused for being too fast. */
export class Pace {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor({ perSecond, burst }: Rate, nowMs: number) {
    this.#perMs = (perSecond * SHARE) / 1_000;
    this.#burst = Math.max(1, burst * SHARE);
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** When the next one may pass. */
  get nextAtMs(): number {
    return this.#tokens >= 1 ? this.#atMs : this.#atMs + (1 - this.#tokens) / this.#perMs;
  }
}
