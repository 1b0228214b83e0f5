import type { LinkOffer } from './session-events.ts';

const WINDOW_MS = 60_000;
const MOST_IN_WINDOW = 3;
const HOLD_MS = 60_000;

/** What a state says while the present link is held. */
export const HELD = '3 takeovers in 60 s: this link is held for 60 s, newer ones are refused';

/** What is known of the link that now has the identity. */
export interface Incumbent {
  readonly host: string;
  /** Monotonic ms of its last valid frame. */
  readonly heardAt: number;
}

export type TakeoverDecision = 'adopt' | 'probe' | 'refuse';

/**
 * Who keeps an identity that two links claim. The newest wins, unless the incumbent spoke within one heartbeat
 * interval and the newcomer calls from another address: then the incumbent is probed for one interval. Two devices
 * with one identity would take each other over for ever, so at the third takeover in a minute the incumbent is held.
 */
export class TakeoverGuard {
  readonly #intervalMs: number;
  #takeovers: number[] = [];
  #heldUntil = Number.NEGATIVE_INFINITY;

  constructor(heartbeatIntervalMs: number) {
    this.#intervalMs = heartbeatIntervalMs;
  }

  held(now: number): boolean {
    return now < this.#heldUntil;
  }

  decide(offer: LinkOffer, incumbent: Incumbent | undefined, now: number): TakeoverDecision {
    if (incumbent === undefined) return 'adopt';
    if (this.held(now)) return 'refuse';
    return this.#lively(incumbent, now) && incumbent.host !== offer.host ? 'probe' : 'adopt';
  }

  #lively(incumbent: Incumbent, now: number): boolean {
    return now - incumbent.heardAt < this.#intervalMs;
  }

  /**
   * Whether this takeover was one too many, so that the new incumbent is held from now on. A device that comes back
   * from its own address after a silence takes over nobody but itself, and is not counted.
   */
  tookOver(offer: LinkOffer, from: Incumbent, now: number): boolean {
    if (from.host === offer.host && !this.#lively(from, now)) return false;
    this.#takeovers = this.#takeovers.filter((at) => now - at < WINDOW_MS);
    this.#takeovers.push(now);
    if (this.#takeovers.length < MOST_IN_WINDOW) return false;
    this.#takeovers = [];
    this.#heldUntil = now + HOLD_MS;
    return true;
  }

  /** The hold is over, reported once. */
  releaseDue(now: number): boolean {
    if (this.#heldUntil === Number.NEGATIVE_INFINITY || now < this.#heldUntil) return false;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    return true;
  }

  nextDeadline(): number {
    return this.#heldUntil === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : this.#heldUntil;
  }
}
