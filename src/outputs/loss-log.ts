import { type Clock, DeadlineTimer } from '../system/index.ts';
import { finite, type Loss } from './output.ts';

/** Between two lines of the log about what one output loses. */
const EVERY_MS = 10_000;

/** Says what an output loses: the first at once, what follows soon as one count. */
export class LossLog {
  readonly #clock: Clock;
  readonly #say: (loss: Loss) => void;
  readonly #timer: DeadlineTimer;
  #waiting: Loss | undefined;
  #saidAtMs = -Infinity;

  constructor(clock: Clock, say: (loss: Loss) => void) {
    this.#clock = clock;
    this.#say = say;
    this.#timer = new DeadlineTimer(clock, () => this.flush());
  }

  add(loss: Loss): void {
    const { code } = loss;
    // Another reason is news.
    if (this.#waiting !== undefined && this.#waiting.code !== code) this.flush();
    this.#waiting = { ...loss, count: (this.#waiting?.count ?? 0) + loss.count };
    const dueMs = this.#saidAtMs + EVERY_MS;
    if (this.#clock.now().monoMs >= dueMs) this.flush();
    else this.#timer.follow(finite(dueMs));
  }

  /** Says what was not said yet. */
  flush(): void {
    this.#timer.cancel();
    const loss = this.#waiting;
    if (loss === undefined) return;
    this.#waiting = undefined;
    this.#saidAtMs = this.#clock.now().monoMs;
    this.#say(loss);
  }
}
