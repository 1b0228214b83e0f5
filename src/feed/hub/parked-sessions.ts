import type { SessionMemory } from '../core/session-memory.ts';

/** More are not kept; the oldest goes first. */
const MAX_PARKED = 10_000;

/** Sessions whose connection is gone, kept for a while for one that goes on with them. */
export class ParkedSessions {
  readonly #keepMs: number;
  readonly #parked = new Map<string, { readonly memory: SessionMemory; readonly untilMs: number }>();

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  park(memory: SessionMemory, monoMs: number): void {
    this.expire(monoMs);
    this.#parked.set(memory.secret, { memory, untilMs: monoMs + this.#keepMs });
    const [oldest] = this.#parked.keys();
    if (oldest !== undefined && this.#parked.size > MAX_PARKED) this.#parked.delete(oldest);
  }

  /** The session of this secret, where it is of this owner; one of another stays. */
  take(secret: string, owner: string, monoMs: number): SessionMemory | undefined {
    this.expire(monoMs);
    const memory = this.#parked.get(secret)?.memory;
    if (memory?.owner !== owner) return undefined;
    this.#parked.delete(secret);
    return memory;
  }

  /** All are kept equally long, so the oldest ones are at the front. */
  expire(monoMs: number): void {
    for (const [secret, { untilMs }] of this.#parked) {
      if (untilMs > monoMs) return;
      this.#parked.delete(secret);
    }
  }
}
