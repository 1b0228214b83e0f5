import type { Instant } from '../instant.ts';
import type { RequestName } from '../protocol/message.ts';

/** Who waits for the reply. */
export type Requester = { readonly by: 'session' } | { readonly by: 'caller'; readonly requestId: number };

/** A request whose reply is awaited. */
export interface InFlight {
  readonly message: RequestName;
  readonly requester: Requester;
  readonly sentAt: Instant;
  /** Monotonic ms. */
  readonly timesOutAt: number;
}

/** What a reply means for its slot. */
export type ReplyMatch =
  | { readonly kind: 'answers'; readonly request: InFlight }
  | { readonly kind: 'late' }
  | { readonly kind: 'unsolicited' };

/**
 * The requests of one link. Replies carry no number, so one request per message is in flight; after a time-out the
 * slot stays closed until the late reply has come, or for the rest of the link's life.
 */
export class RequestSlots {
  readonly #slots = new Map<RequestName, InFlight | 'awaiting_late_reply'>();

  /** Whether a request may be sent now, and why not. */
  state(message: RequestName): 'free' | 'in_flight' | 'awaiting_late_reply' {
    const slot = this.#slots.get(message);
    if (slot === undefined) return 'free';
    return slot === 'awaiting_late_reply' ? slot : 'in_flight';
  }

  open(request: InFlight): void {
    this.#slots.set(request.message, request);
  }

  /** The request never left: its slot is free again. */
  withdraw(message: RequestName): InFlight | undefined {
    const slot = this.#slots.get(message);
    if (slot === undefined || slot === 'awaiting_late_reply') return undefined;
    this.#slots.delete(message);
    return slot;
  }

  replied(message: RequestName): ReplyMatch {
    const slot = this.#slots.get(message);
    if (slot === undefined) return { kind: 'unsolicited' };
    this.#slots.delete(message);
    return slot === 'awaiting_late_reply' ? { kind: 'late' } : { kind: 'answers', request: slot };
  }

  /** Closes the slots of the requests that have waited long enough. */
  timeOut(monoMs: number): InFlight[] {
    const out: InFlight[] = [];
    for (const [message, slot] of this.#slots) {
      if (slot === 'awaiting_late_reply' || slot.timesOutAt > monoMs) continue;
      this.#slots.set(message, 'awaiting_late_reply');
      out.push(slot);
    }
    return out;
  }

  /** The link is gone: what was in flight, to be failed. */
  abandon(): InFlight[] {
    const out: InFlight[] = [];
    for (const slot of this.#slots.values()) if (slot !== 'awaiting_late_reply') out.push(slot);
    this.#slots.clear();
    return out;
  }

  nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const slot of this.#slots.values()) {
      if (slot !== 'awaiting_late_reply') next = Math.min(next, slot.timesOutAt);
    }
    return next;
  }
}
