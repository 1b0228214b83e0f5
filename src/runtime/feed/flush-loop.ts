import type { Audience } from '../../feed/audience.ts';
import type { Subscriber } from '../../feed/subscriber.ts';
import type { Instant } from '../../instant.ts';
import type { Clock } from '../clock.ts';

/** One slice of a pass: whichever is reached first. */
const SLICE_SUBSCRIBERS = 256;
const SLICE_MS = 4;
/** How often within a slice the clock is read. */
const CLOCK_EVERY = 16;

/**
 * Makes the passes of an audience: one at the end of every turn of the event loop in which something is to be written,
 * so that everything of that turn goes out together; a long pass lets the loop turn between its slices.
 */
export class FlushLoop {
  readonly #audience: Audience;
  readonly #clock: Clock;
  readonly #flush: (subscriber: Subscriber, now: Instant) => void;
  #pass: Generator<Subscriber, void, void> | undefined;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(audience: Audience, clock: Clock, flush: (subscriber: Subscriber, now: Instant) => void) {
    this.#audience = audience;
    this.#clock = clock;
    this.#flush = flush;
  }

  request(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      this.#slice();
    });
  }

  stop(): void {
    clearImmediate(this.#scheduled);
  }

  #slice(): void {
    this.#pass ??= this.#audience.pass();
    const now = this.#clock.now();
    for (let count = 1; ; count++) {
      const next = this.#pass.next();
      if (next.done === true) break;
      this.#flush(next.value, now);
      const late = count % CLOCK_EVERY === 0 && this.#clock.now().monoMs - now.monoMs > SLICE_MS;
      if (count >= SLICE_SUBSCRIBERS || late) {
        this.request();
        return;
      }
    }
    this.#pass = undefined;
    if (this.#audience.pending) this.request();
  }
}
