import type { Effect, LinkOffer } from './session-events.ts';
import { type Incumbent, type TakeoverDecision, TakeoverGuard } from './takeover.ts';

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
