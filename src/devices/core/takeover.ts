import type { Effect, LinkClaim } from './session-events.ts';

/*
 * Two links claim the identity of one device. The newest wins, unless the incumbent is lively (a valid frame came
 * within one heartbeat interval) and the claim comes from another address: then the incumbent is probed for one
 * interval. Two devices with one identity would replace each other for ever, so after the third takeover within a
 * minute the incumbent is held.
 *
 *   free --claim, lively incumbent elsewhere--> waiting --withdrawn, newer claim, valid frame of the incumbent--> free
 *                                               waiting --its time is up, or the incumbent is lost--> attached, free
 *   free --claim, any other incumbent, or none--> attached --third takeover in 60 s--> held --60 s--> free
 *   held --claim--> refused
 */

const WINDOW_MS = 60_000;
const MOST_IN_WINDOW = 3;
const HOLD_MS = 60_000;

/** The detail of a state while the present link is held. */
export const HELD = '3 takeovers in 60 s: this link is held for 60 s, newer ones are refused';

/** The link that has the identity now. */
interface Incumbent {
  readonly host: string;
  /** Monotonic ms of its last valid frame. */
  readonly lastValidAt: number;
}

/** A claim that waits while the incumbent is probed. */
interface Waiting {
  readonly claim: LinkClaim;
  /** The incumbent has until then; monotonic ms. */
  readonly until: number;
}

/** The links that claim the identity of a device beside its present one. Instants are monotonic ms. */
export class Takeover {
  readonly #intervalMs: number;
  readonly #emit: (effect: Effect) => void;
  #waiting: Waiting | undefined;
  /** When the takeovers of the last minute were. */
  #takeovers: number[] = [];
  #heldUntil: number | undefined;

  constructor(heartbeatIntervalMs: number, emit: (effect: Effect) => void) {
    this.#intervalMs = heartbeatIntervalMs;
    this.#emit = emit;
  }

  /** What the caller does with a claim: attaches it, or probes the incumbent while it waits; a refused one is settled. */
  decide(claim: LinkClaim, incumbent: Incumbent | undefined, now: number): 'attach' | 'probe' | 'refuse' {
    // Only the newest claim waits.
    this.refuseWaiting('a newer link claims the identity');
    if (incumbent === undefined) return 'attach';
    if (this.held(now)) {
      this.refuse(claim, 'duplicate_identity: the present link is held');
      return 'refuse';
    }
    if (!this.#lively(incumbent, now) || incumbent.host === claim.host) return 'attach';
    this.#waiting = { claim, until: now + this.#intervalMs };
    return 'probe';
  }

  withdrawn(claimId: LinkClaim['claimId']): void {
    if (this.#waiting?.claim.claimId === claimId) this.#waiting = undefined;
  }

  refuse(claim: LinkClaim, why: string): void {
    this.#emit({ type: 'refuseLink', claimId: claim.claimId, reason: why });
    const text = `${claim.address} claims this identity too; refused, ${why}`;
    this.#emit({ type: 'log', level: 'warn', reason: 'takeover_refused', text });
  }

  refuseWaiting(why: string): void {
    const claim = this.takeWaiting();
    if (claim !== undefined) this.refuse(claim, why);
  }

  /** The waiting claim, which waits no longer. */
  takeWaiting(): LinkClaim | undefined {
    const claim = this.#waiting?.claim;
    this.#waiting = undefined;
    return claim;
  }

  /** The claim that waited until the incumbent's time was up, and waits no longer. */
  takeDue(now: number): LinkClaim | undefined {
    return this.#waiting !== undefined && this.#waiting.until <= now ? this.takeWaiting() : undefined;
  }

  /**
   * Counts a takeover; true where it is the third in a minute, and the new incumbent is held from now on. A device that
   * comes back from its own address after a silence replaces only itself, and is not counted.
   */
  tookOver(claim: LinkClaim, from: Incumbent, now: number): boolean {
    if (from.host === claim.host && !this.#lively(from, now)) return false;
    this.#takeovers = this.#takeovers.filter((at) => now - at < WINDOW_MS);
    this.#takeovers.push(now);
    if (this.#takeovers.length < MOST_IN_WINDOW) return false;
    this.#takeovers = [];
    this.#heldUntil = now + HOLD_MS;
    return true;
  }

  /** Newer links are refused. */
  held(now: number): boolean {
    return this.#heldUntil !== undefined && now < this.#heldUntil;
  }

  /** The hold is over, reported once. */
  releaseDue(now: number): boolean {
    if (this.#heldUntil === undefined || now < this.#heldUntil) return false;
    this.#heldUntil = undefined;
    return true;
  }

  nextDeadline(): number {
    const waits = this.#waiting?.until ?? Number.POSITIVE_INFINITY;
    return Math.min(waits, this.#heldUntil ?? Number.POSITIVE_INFINITY);
  }

  #lively({ lastValidAt }: Incumbent, now: number): boolean {
    return now - lastValidAt < this.#intervalMs;
  }
}
