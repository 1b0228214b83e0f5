/** Without a message for so many ping intervals: ask, call it stale, give it up. The device's own rule has the same 1.5. */
const ASK_AFTER = 1.1;
const STALE_AFTER = 1.5;
const LOST_AFTER = 2.25;
/** An answer gets at least so many intervals. */
const ANSWER_WITHIN = 0.75;
/** A judgement that comes later than this was made by a program that slept: what came meanwhile is not read yet. */
const LATE_MS = 1_000;

export type Judgement = 'ask' | 'lost';

/**
 * Watches one connection for silence. The bridge pings in every interval, so much more than one without a message means
 * that the bridge is gone. A page that was frozen, or a laptop that slept, finds all its deadlines passed at once: it then
 * asks, and judges by whether the answer comes.
 */
export class Silence {
  readonly #intervalMs: number;
  #activeAtMs: number;
  #askedAtMs: number | undefined;
  #stale = false;

  constructor(intervalMs: number, nowMs: number) {
    this.#intervalMs = intervalMs;
    this.#activeAtMs = nowMs;
  }

  /** Nothing came for so long that the view can't be called the present. */
  get stale(): boolean {
    return this.#stale;
  }

  activity(nowMs: number): void {
    this.#activeAtMs = nowMs;
    this.#askedAtMs = undefined;
    this.#stale = false;
  }

  get nextDeadline(): number {
    if (this.#askedAtMs === undefined) return this.#activeAtMs + ASK_AFTER * this.#intervalMs;
    return this.#stale ? this.#lostAtMs(this.#askedAtMs) : this.#activeAtMs + STALE_AFTER * this.#intervalMs;
  }

  judge(nowMs: number): Judgement | undefined {
    if (nowMs >= this.#activeAtMs + STALE_AFTER * this.#intervalMs) this.#stale = true;
    if (this.#askedAtMs !== undefined) {
      const lateMs = nowMs - this.#lostAtMs(this.#askedAtMs);
      if (lateMs < 0) return undefined;
      if (lateMs <= LATE_MS) return 'lost';
    } else if (nowMs < this.#activeAtMs + ASK_AFTER * this.#intervalMs) return undefined;
    this.#askedAtMs = nowMs;
    return 'ask';
  }

  #lostAtMs(askedAtMs: number): number {
    return Math.max(
      this.#activeAtMs + LOST_AFTER * this.#intervalMs,
      askedAtMs + ANSWER_WITHIN * this.#intervalMs,
    );
  }
}
