import type { Effect, LinkOffer } from './session-events.ts';

const WINDOW_MS = 60_000;
const MOST_IN_WINDOW = 3;
const HOLD_MS = 60_000;

/** What a state says while the present link is held. */
export const HELD = '3 takeovers in 60 s: this link is held for 60 s, newer ones are refused';

/** What is known of the link that now has the identity. */
interface Incumbent {
  readonly host: string;
  /** Monotonic ms of its last valid frame. */
  readonly heardAt: number;
}

type TakeoverDecision = 'adopt' | 'probe' | 'refuse';

/**
 * Who keeps an identity that two links claim. The newest wins, unless the incumbent spoke within one heartbeat
 * interval and the newcomer calls from another address: then the incumbent is probed for one interval. Two devices
 * with one identity would take each other over for ever, so at the third takeover in a minute the incumbent is held.
 */
class TakeoverGuard {
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

/** A newcomer that waits while the incumbent is asked whether it lives. */
interface Waiting {
  readonly offer: LinkOffer;
  /** The incumbent has until then; monotonic ms. */
  readonly until: number;
}

/** The links that claim the identity of a device beside its present one: refused, adopted, or waiting for the probe of that one. */
export class Newcomers {
  readonly #intervalMs: number;
  readonly #guard: TakeoverGuard;
  readonly #emit: (effect: Effect) => void;
  #waiting: Waiting | undefined;

  constructor(heartbeatIntervalMs: number, emit: (effect: Effect) => void) {
    this.#intervalMs = heartbeatIntervalMs;
    this.#guard = new TakeoverGuard(heartbeatIntervalMs);
    this.#emit = emit;
  }

  /** What becomes of an offer: to be adopted, refused already, or waiting while the caller probes the incumbent. */
  offered(offer: LinkOffer, incumbent: Incumbent | undefined, now: number): TakeoverDecision {
    // Only the newest newcomer waits.
    this.refuseWaiting('a newer link claims the identity');
    const decision = this.#guard.decide(offer, incumbent, now);
    if (decision === 'probe') this.#waiting = { offer, until: now + this.#intervalMs };
    if (decision === 'refuse') this.refuse(offer, 'duplicate_identity: the present link is held');
    return decision;
  }

  withdrawn(offerId: LinkOffer['offerId']): void {
    if (this.#waiting?.offer.offerId === offerId) this.#waiting = undefined;
  }

  refuse(offer: LinkOffer, why: string): void {
    this.#emit({ type: 'refuseLink', offerId: offer.offerId, reason: why });
    const text = `${offer.address} claims this identity too; refused, ${why}`;
    this.#emit({ type: 'log', level: 'warn', reason: 'takeover_refused', text });
  }

  refuseWaiting(why: string): void {
    const offer = this.takeWaiting();
    if (offer !== undefined) this.refuse(offer, why);
  }

  /** Who waits, and waits no longer. */
  takeWaiting(): LinkOffer | undefined {
    const offer = this.#waiting?.offer;
    this.#waiting = undefined;
    return offer;
  }

  /** Who waited until the incumbent's time was up, and waits no longer. */
  takeDue(now: number): LinkOffer | undefined {
    return this.#waiting !== undefined && this.#waiting.until <= now ? this.takeWaiting() : undefined;
  }

  /** The newcomer has the link now; whether it is held from now on, because takeovers are too many. */
  tookOver(offer: LinkOffer, from: Incumbent, now: number): boolean {
    return this.#guard.tookOver(offer, from, now);
  }

  /** Newer links are refused. */
  held(now: number): boolean {
    return this.#guard.held(now);
  }

  /** The hold is over, reported once. */
  releaseDue(now: number): boolean {
    return this.#guard.releaseDue(now);
  }

  nextDeadline(): number {
    return Math.min(this.#waiting?.until ?? Number.POSITIVE_INFINITY, this.#guard.nextDeadline());
  }
}
