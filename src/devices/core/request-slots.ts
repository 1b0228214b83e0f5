import type { Values } from '../../contract/index.ts';
import type { Instant } from '../../instant.ts';
import { agrees, type ExpectedReply } from '../../protocol/index.ts';
import type { Observation } from './confirmation.ts';

/** Which side waits for the reply. */
export type Requester = { readonly by: 'session' } | { readonly by: 'caller'; readonly requestId: number };

/** A request whose reply is awaited. */
export interface InFlight {
  /** Its name. */
  readonly message: string;
  /** Values that its reply repeats; replies that differ in one of them are told apart by it. */
  readonly same: Values;
  /** The number that its reply repeats, where requests have numbers. */
  readonly number?: number;
  /** The message that answers it by rule, instead of a reply. */
  readonly answeredBy?: string;
  /** Of its answer; another value is a refusal. */
  readonly wants?: Values;
  /** What was asked; absent of a built-in message. */
  readonly fields?: Values;
  readonly requester: Requester;
  readonly sentAt: Instant;
  /** Monotonic ms. */
  readonly timesOutAt: number;
  /** Where the values of its reply belong; absent: nowhere. */
  readonly group?: string;
  /** Nothing answers it: it is done once the link has taken it. */
  readonly unanswered?: true;
  /** Where the state is to show that it was carried out, until then at the latest (monotonic ms). */
  readonly observation?: Observation;
  readonly observedUntil?: number;
}

/** What of a request decides whose reply a frame is. */
export type Asked = Pick<InFlight, 'message' | 'same' | 'fields' | 'number' | 'answeredBy' | 'wants'>;

/** Whether one frame may be the reply to either of two requests. */
export type Alike = (one: Asked, other: Asked) => boolean;

/** Until when a reply is reckoned with that has not come; monotonic ms. */
interface Overdue {
  readonly request: InFlight;
  until: number;
}

/** What a reply means for the requests. */
export type ReplyMatch =
  | { readonly kind: 'answers'; readonly request: InFlight }
  | { readonly kind: 'late' }
  | { readonly kind: 'unsolicited' };

/** Whether a reply comes to it, and not nothing or another message. */
const isReplied = ({ unanswered, answeredBy }: InFlight): boolean =>
  unanswered !== true && answeredBy === undefined;

const UNSOLICITED: ReplyMatch = { kind: 'unsolicited' };
const LATE: ReplyMatch = { kind: 'late' };

const NONE: readonly ExpectedReply[] = [];

const ANY_TIME = Number.POSITIVE_INFINITY;
/** Requests that never got a reply and are still reckoned with. */
const MOST_LOST = 8;
/** Of the time in which a reply may be late: so long a line is left alone after an exchange that may be out of step. */
const SETTLING_PART = 1 / 8;

/*
 *   free --sent--> in flight --reply--> free
 *                  in flight --time-out--> overdue --late reply, or its window is over--> free
 *
 * A request is sent only while no other one is in flight or overdue whose reply may look like its own. So a reply that
 * comes has one request at most. Where a window ended without a reply, the reply is lost, or later than it may be: the
 * next exchange of its kind is followed by a pause, in which a reply too many shows before it is taken for another one's.
 */

/**
 * The requests of one link, and the one place that decides what a reply answers. A reply that answers nothing, or may
 * answer a request that timed out, is set aside.
 */
export class RequestSlots {
  readonly #inFlight: InFlight[] = [];
  /** Timed out; its reply may come late. */
  readonly #overdue: Overdue[] = [];
  /** Its window is over; reckoned with until an exchange has shown that the line is in step. */
  readonly #lost: Overdue[] = [];
  readonly #lateForMs: number;
  readonly #alike: Alike;

  /** A reply may be late by so much after its time-out, in ms; infinite: for the rest of the link's life. */
  constructor(lateForMs = ANY_TIME, alike: Alike = (one, other) => one.message === other.message) {
    this.#lateForMs = lateForMs;
    this.#alike = alike;
  }

  /** Whether a request may be sent now, and why not. */
  state(asked: Asked, monoMs: number): 'free' | 'in_flight' | 'awaiting_late_reply' {
    if (this.#inFlight.some((each) => this.#alike(each, asked))) return 'in_flight';
    return this.freeAt(asked) > monoMs ? 'awaiting_late_reply' : 'free';
  }

  /** When it may be sent without any further event, monotonic ms. */
  freeAt(asked: Asked): number {
    let at = Number.NEGATIVE_INFINITY;
    for (const each of this.#inFlight) if (this.#alike(each, asked)) return ANY_TIME;
    for (const { request, until } of this.#overdue) if (this.#alike(request, asked)) at = Math.max(at, until);
    for (const { request, until } of this.#lost)
      if (until !== ANY_TIME && this.#alike(request, asked)) at = Math.max(at, until);
    return at;
  }

  open(request: InFlight): void {
    this.#expire(request.sentAt.monoMs);
    this.#inFlight.push(request);
  }

  /** The request never left. */
  withdraw(message: string): InFlight | undefined {
    const index = this.#inFlight.findLastIndex((each) => each.message === message);
    return index < 0 ? undefined : this.#inFlight.splice(index, 1)[0];
  }

  replied(message: string, fields: Values, monoMs: number): ReplyMatch {
    return this.#matched(
      ({ message: name, same, unanswered, answeredBy }) =>
        name === message && unanswered !== true && answeredBy === undefined && agrees(same, fields),
      monoMs,
    );
  }

  /** A message came that answers requests by rule. */
  answered(by: string, fields: Values, monoMs: number): ReplyMatch {
    return this.#matched(({ answeredBy, same }) => answeredBy === by && agrees(same, fields), monoMs);
  }

  #matched(fits: (request: InFlight) => boolean, monoMs: number): ReplyMatch {
    this.#expire(monoMs);
    const index = this.#inFlight.findIndex(fits);
    const [request] = index < 0 ? [] : this.#inFlight.splice(index, 1);
    if (request === undefined) return this.#set(fits);
    for (const lost of this.#lost) {
      if (this.#alike(lost.request, request)) lost.until = monoMs + this.#lateForMs * SETTLING_PART;
    }
    return { kind: 'answers', request };
  }

  /** A reply came that is not as declared: what it repeats of its request can't be looked at. */
  repliedInvalid(message: string, monoMs: number): ReplyMatch {
    const [only, ...others] = this.#inFlight.filter((each) => each.message === message);
    if (only === undefined) return this.#set((each) => each.message === message);
    if (others.length > 0) return UNSOLICITED;
    return this.replied(message, only.same, monoMs);
  }

  /** A reply came that may answer any of these messages; which one is unknown. */
  unattributed(messages: readonly string[], monoMs: number): 'late' | 'unsolicited' {
    this.#expire(monoMs);
    const match = this.#set(({ message }) => messages.includes(message));
    return match.kind === 'late' ? 'late' : 'unsolicited';
  }

  /** A message came that refuses one of the requests for which `fits` holds; undefined where it may be several. */
  refused(fits: (request: InFlight) => boolean, monoMs: number): ReplyMatch | undefined {
    this.#expire(monoMs);
    const flying = this.#inFlight.filter(fits);
    const overdue = this.#overdue.filter(({ request }) => fits(request));
    const [request] = flying;
    if (request === undefined) return this.#set(fits);
    if (flying.length > 1 || overdue.length > 0) return undefined;
    this.#inFlight.splice(this.#inFlight.indexOf(request), 1);
    return { kind: 'answers', request };
  }

  /** Ends the wait of the requests that have waited long enough. */
  timeOut(monoMs: number): InFlight[] {
    this.#expire(monoMs);
    const out = this.#inFlight.filter(({ timesOutAt }) => timesOutAt <= monoMs);
    for (const request of out) {
      this.#inFlight.splice(this.#inFlight.indexOf(request), 1);
      this.#overdue.push({ request, until: monoMs + this.#lateForMs });
    }
    return out;
  }

  /** The replies that may come, late ones behind the others; none of those that look alike any more. */
  expected(monoMs: number): readonly ExpectedReply[] {
    // Devices that talk of their own accord come by here with every frame.
    if (this.size === 0) return NONE;
    this.#expire(monoMs);
    const late = this.#overdue.filter(({ request }) => !this.#mayBeLost(request));
    return [...this.#inFlight, ...late.map(({ request }) => request)].filter(isReplied);
  }

  /** The messages whose reply is awaited, and not late. */
  awaited(): string[] {
    return this.#inFlight.flatMap((each) => (isReplied(each) ? [each.message] : []));
  }

  /** What is in flight. */
  inFlight(): readonly InFlight[] {
    return this.#inFlight;
  }

  /** Requests that are in flight, or whose reply is overdue. */
  get size(): number {
    return this.#inFlight.length + this.#overdue.length;
  }

  /** Requests whose replies are reckoned with at all. */
  get tracked(): number {
    return this.size + this.#lost.length;
  }

  /** The link is gone: what was in flight, to be failed. */
  abandon(): InFlight[] {
    this.#overdue.length = 0;
    this.#lost.length = 0;
    return this.#inFlight.splice(0);
  }

  nextDeadline(): number {
    let next = ANY_TIME;
    for (const { timesOutAt } of this.#inFlight) next = Math.min(next, timesOutAt);
    return next;
  }

  /** Nothing in flight waits for it. Where several are out of which one is lost, the line is held until a window ends. */
  #set(fits: (request: InFlight) => boolean): ReplyMatch {
    const overdue = this.#overdue.findIndex(({ request }) => fits(request));
    const late = this.#overdue[overdue];
    const lost = this.#lost.findIndex(({ request }) =>
      late === undefined ? fits(request) : this.#alike(request, late.request),
    );
    if (lost >= 0) this.#lost.splice(lost, 1);
    else if (overdue >= 0) this.#overdue.splice(overdue, 1);
    return lost >= 0 || overdue >= 0 ? LATE : UNSOLICITED;
  }

  #mayBeLost(request: InFlight): boolean {
    return this.#lost.some((lost) => this.#alike(lost.request, request));
  }

  #expire(monoMs: number): void {
    for (let index = this.#lost.length - 1; index >= 0; index--) {
      if ((this.#lost[index]?.until ?? 0) <= monoMs) this.#lost.splice(index, 1);
    }
    for (let index = 0; index < this.#overdue.length; ) {
      const each = this.#overdue[index];
      if (each === undefined || each.until > monoMs) index++;
      else {
        this.#overdue.splice(index, 1);
        if (each.request.unanswered !== true) this.#lost.push({ request: each.request, until: ANY_TIME });
        if (this.#lost.length > MOST_LOST) this.#lost.shift();
      }
    }
  }
}
