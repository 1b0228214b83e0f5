import type { JsonObject } from '../contract/wire/index.ts';

/** How many messages a bridge takes: so many a second, and so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Of what the bridge announces, so that the network's own jitter never exceeds it. */
const SHARE = 0.9;

/** What is to be sent over this connection, in order, and no faster than the bridge takes it: a token bucket. */
export class Outbox {
  /** A request is named only, and put into words when its turn comes: it may be abandoned before. */
  #entries: Array<JsonObject | string> = [];
  #perMs = 1;
  #burst = 0;
  #tokens = 0;
  #atMs = 0;

  /** A connection is there. */
  begin({ perSecond, burst }: Rate, nowMs: number): void {
    this.#perMs = (perSecond * SHARE) / 1_000;
    this.#tokens = this.#burst = Math.max(1, burst * SHARE);
    this.#atMs = nowMs;
  }

  /** The connection is gone, and with it what it was to be sent. */
  end(): void {
    this.#entries = [];
  }

  push(entry: JsonObject | string): void {
    this.#entries.push(entry);
  }

  get nextDeadline(): number {
    return this.#entries.length === 0 ? Infinity : this.#atMs + (1 - this.#tokens) / this.#perMs;
  }

  /** The messages whose turn is now. */
  take(nowMs: number, wordsOf: (request: string) => JsonObject | undefined): string[] {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    const taken: string[] = [];
    while (this.#tokens >= 1 && this.#entries.length > 0) {
      const entry = this.#entries.shift();
      const body = typeof entry === 'string' ? wordsOf(entry) : entry;
      if (body === undefined) continue;
      this.#tokens -= 1;
      taken.push(JSON.stringify(body));
    }
    return taken;
  }
}
