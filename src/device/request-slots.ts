import type { Instant } from '../instant.ts';
import type { Observation } from './confirmation.ts';

/** Who waits for the reply. */
export type Requester = { readonly by: 'session' } | { readonly by: 'caller'; readonly requestId: number };

/** A request whose reply is awaited. */
export interface InFlight {
  /** Its name; one per name is in flight. */
  readonly message: string;
  readonly requester: Requester;
  readonly sentAt: Instant;
  /** Monotonic ms. */
  readonly timesOutAt: number;
  /** Nothing answers it: it is done once the link has taken it. */
  readonly unanswered?: true;
  /** Where the state is to show that it was carried out. */
  readonly observation?: Observation;
}

/** A slot that stays closed behind a request that timed out; monotonic ms, infinite for the rest of the link's life. */
interface Closed {
  readonly closedUntil: number;
}

/** What a reply means for its slot. */
export type ReplyMatch =
  | { readonly kind: 'answers'; readonly request: InFlight }
  | { readonly kind: 'late' }
  | { readonly kind: 'unsolicited' };

/**
 * The requests of one link. Replies carry no number, so one request per message is in flight; after a time-out the
 * slot stays closed until the late reply has come, or until it is too late for one.
 */
export class RequestSlots {
  readonly #slots = new Map<string, InFlight | Closed>();
  readonly #lateForMs: number;

  /** A reply may be late by so much after its time-out, in ms; infinite: for the rest of the link's life. */
  constructor(lateForMs = Number.POSITIVE_INFINITY) {
    this.#lateForMs = lateForMs;
  }

  /** Slots that are not free. */
  get size(): number {
    return this.#slots.size;
  }

  /** Whether a request may be sent now, and why not. */
  state(message: string, monoMs: number): 'free' | 'in_flight' | 'awaiting_late_reply' {
    const slot = this.#slots.get(message);
    if (slot === undefined) return 'free';
    if (!isClosed(slot)) return 'in_flight';
    return slot.closedUntil > monoMs ? 'awaiting_late_reply' : 'free';
  }

  /** When the slot is free without any further event, monotonic ms. */
  freeAt(message: string): number {
    const slot = this.#slots.get(message);
    if (slot === undefined) return Number.NEGATIVE_INFINITY;
    return isClosed(slot) ? slot.closedUntil : Number.POSITIVE_INFINITY;
  }

  open(request: InFlight): void {
    this.#slots.set(request.message, request);
  }

  /** The request never left: its slot is free again. */
  withdraw(message: string): InFlight | undefined {
    const slot = this.#slots.get(message);
    if (slot === undefined || isClosed(slot)) return undefined;
    this.#slots.delete(message);
    return slot;
  }

  replied(message: string): ReplyMatch {
    const slot = this.#slots.get(message);
    if (slot === undefined) return { kind: 'unsolicited' };
    this.#slots.delete(message);
    return isClosed(slot) ? { kind: 'late' } : { kind: 'answers', request: slot };
  }

  /** Closes the slots of the requests that have waited long enough. */
  timeOut(monoMs: number): InFlight[] {
    const out: InFlight[] = [];
    for (const [message, slot] of this.#slots) {
      if (isClosed(slot) || slot.timesOutAt > monoMs) continue;
      this.#slots.set(message, { closedUntil: monoMs + this.#lateForMs });
      out.push(slot);
    }
    return out;
  }

  /** The message whose reply alone may still come, late ones included; undefined where there is none, or several. */
  onlyAwaited(monoMs: number): string | undefined {
    let only: string | undefined;
    for (const [message, slot] of this.#slots) {
      if (isClosed(slot) ? slot.closedUntil <= monoMs : slot.unanswered) continue;
      if (only !== undefined) return undefined;
      only = message;
    }
    return only;
  }

  /** What is in flight. */
  *inFlight(): Generator<InFlight> {
    for (const slot of this.#slots.values()) if (!isClosed(slot)) yield slot;
  }

  /** The link is gone: what was in flight, to be failed. */
  abandon(): InFlight[] {
    const out: InFlight[] = [];
    for (const slot of this.#slots.values()) if (!isClosed(slot)) out.push(slot);
    this.#slots.clear();
    return out;
  }

  nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY;
    if (this.#slots.size === 0) return next;
    for (const slot of this.#slots.values()) {
      if (!isClosed(slot)) next = Math.min(next, slot.timesOutAt);
    }
    return next;
  }
}

const isClosed = (slot: InFlight | Closed): slot is Closed => 'closedUntil' in slot;
