/** Longest wait at one time, in ms. */
const LONGEST_WAIT_MS = 200;

export interface PaceOptions {
  /** Played ms that go by in each real one. */
  readonly speed: number;
  /** Ends every wait. */
  readonly signal: AbortSignal;
  /** Called while it waits with the played time that is reached, so that timers of that time can fire. */
  reached?(playedMs: number): void;
}

/** Plays at a constant speed: played time begins at 0 with the first wait. */
export class Pace {
  readonly #options: PaceOptions;
  #startedAt: number | undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Resolves at this played time, or once it is aborted; undefined where the time is past already. */
  until(playedMs: number): Promise<void> | undefined {
    return this.#now() < playedMs ? this.#wait(playedMs) : undefined;
  }

  #now(): number {
    const now = performance.now();
    this.#startedAt ??= now;
    return (now - this.#startedAt) * this.#options.speed;
  }

  async #wait(playedMs: number): Promise<void> {
    const { speed, signal, reached } = this.#options;
    for (let now = this.#now(); now < playedMs && !signal.aborted; now = this.#now()) {
      reached?.(now);
      await sleep(Math.min((playedMs - now) / speed, LONGEST_WAIT_MS), signal);
    }
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
