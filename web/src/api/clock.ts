import { signal } from '@preact/signals';

/** A jump of the server's clock of more than this is followed. */
const JUMP_MS = 2_000;

/**
 * The clock of the bridge, by which all ages are shown. Messages come late, never early: the greatest difference to the
 * page's own steady clock is the best.
 */
class ServerClock {
  #offset: number | undefined;
  #heardAt = -1;
  #heardWallMs: number | undefined;
  #frozen = false;
  #moment: number | undefined;
  /** Goes on once a second; read inside a component, it lets ages tick. */
  readonly tick = signal(0);

  heard(serverMs: number): void {
    const now = performance.now();
    this.#heardAt = now;
    const offset = serverMs - now;
    const known = this.#offset;
    if (known === undefined || offset > known || known - offset > JUMP_MS) this.#offset = offset;
    this.#heardWallMs = serverMs;
  }

  /** While the bridge is lost, ages stay what they were with its last message. */
  freeze(frozen: boolean): void {
    this.#frozen = frozen;
  }

  /** A moment of the past takes the place of now. */
  showMoment(at: number | undefined): void {
    this.#moment = at;
  }

  /** The moment for which ages are shown: now, the last message of the bridge, or a moment of the past. */
  now(): number {
    if (this.#moment !== undefined) return this.#moment;
    if (this.#offset === undefined) return Date.now();
    return (this.#frozen ? this.#heardAt : performance.now()) + this.#offset;
  }

  /** The present, also while ages are frozen. */
  present(): number {
    return this.#offset === undefined ? Date.now() : performance.now() + this.#offset;
  }

  /** When the bridge said something last, by its clock. */
  get heardWallMs(): number | undefined {
    return this.#heardWallMs;
  }

  get silentMs(): number {
    return performance.now() - this.#heardAt;
  }
}

export const clock = new ServerClock();

setInterval(() => {
  clock.tick.value += 1;
}, 1_000);
