import type { Effect } from './session-events.ts';

/** A deadline that is later than this was held up by a loop that stood still. */
const LATE_MS = 10;
/** A turn of reading takes so long at most, a pause for the thread pool included; what comes later needs another one. */
const READING_MS = 30;
/** A loop that is never faster must not keep a silent device for ever. */
const MOST_READINGS = 5;

/*
 *   idle --deadline--> reading --the turn of reading is over--> judged, idle
 *                      reading --that turn took long itself--> reading, five times at most
 */

/**
 * Nothing is judged before one turn of reading has passed: however late the timer was, the sign of life may lie in the
 * socket already. Instants are monotonic ms.
 */
export class ReadFirst {
  #awaited = false;
  #stoodStill = false;
  #sinceMs = 0;
  #count = 0;

  /** A turn of reading is awaited; no deadline counts until then. */
  get awaited(): boolean {
    return this.#awaited;
  }

  /** The awaited turn is the first one after the loop stood still. */
  get stoodStill(): boolean {
    return this.#stoodStill;
  }

  /** Whether something is so late that the loop stood still. */
  isLate(lateMs: number): boolean {
    return lateMs > LATE_MS;
  }

  /** The awaited turn is over, or none was awaited. */
  over(): void {
    this.#awaited = false;
    this.#stoodStill = false;
  }

  /** What is to be done before the deadline is judged; undefined where it can be judged now. */
  before(dueAt: number, afterReading: boolean, now: number): Effect | undefined {
    const again = afterReading && now - this.#sinceMs > READING_MS && this.#count < MOST_READINGS;
    if (afterReading && !again) return undefined;
    this.#count = again ? this.#count + 1 : 1;
    this.#sinceMs = now;
    this.#awaited = true;
    this.#stoodStill = this.isLate(now - dueAt);
    return { type: 'readOnce', late: this.#stoodStill };
  }
}
