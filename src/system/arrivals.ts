const WINDOW_MS = 200;
/** In one window. */
const CROWD = 20;

/**
 * The devices that dial in, counted as they are accepted. Of each listener the event loop accepts one connection a turn
 * (measured with libuv 1.46), so devices that come back all together get in as fast as the loop turns: where it writes to many
 * subscribers in every turn, they wait. A writer looks here, and lets the loop turn first while devices come in.
 */
export class Arrivals {
  #count = 0;
  /** When the present window began, and how many came in it and in the one before. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  #now = 0;
  #before = 0;

  /** Since the start. */
  get count(): number {
    return this.#count;
  }

  arrived(nowMs: number): void {
    this.#count += 1;
    const windows = (nowMs - this.#sinceMs) / WINDOW_MS;
    if (windows >= 1) {
      this.#before = windows < 2 ? this.#now : 0;
      this.#now = 0;
      this.#sinceMs = nowMs;
    }
    this.#now += 1;
  }

  /** So many came just now that some may have waited for longer than their peers did. */
  get crowded(): boolean {
    return Math.max(this.#now, this.#before) >= CROWD;
  }
}
