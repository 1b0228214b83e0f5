import type { ErrorCode } from '../errors.ts';
import type { Instant } from '../instant.ts';
import type { Value } from '../protocol/declared/value.ts';
import { Observation } from './confirmation.ts';
import type { OutgoingRequest } from './message-catalog.ts';
import { type InFlight, type ReplyMatch, type Requester, RequestSlots } from './request-slots.ts';
import type { RequestOutcome } from './session-events.ts';
import type { SessionContext } from './session-ports.ts';

type Success = Extract<RequestOutcome, { ok: true }>;

/** A request that was answered and whose effect is yet to be seen. */
interface Unobserved {
  readonly requester: Requester;
  readonly observation: Observation;
  readonly outcome: Success;
  /** Monotonic ms. */
  readonly until: number;
}

/** What a reply said. */
export interface Answer {
  readonly message: string;
  readonly error: number;
  readonly errorName?: string;
  readonly fields: Success['fields'];
}

/**
 * The requests over one link and what becomes of each: exactly one outcome, whatever happens. A request that is sent
 * is never sent again.
 */
export class Calls {
  readonly #context: SessionContext;
  readonly #slots: RequestSlots;
  #unobserved: Unobserved[] = [];

  /** `lateForMs`: so long after a time-out its reply is still awaited, and another request of that name refused. */
  constructor(context: SessionContext, lateForMs?: number) {
    this.#context = context;
    this.#slots = new RequestSlots(lateForMs);
  }

  nextDeadline(): number {
    let next = this.#slots.nextDeadline();
    for (const { until } of this.#unobserved) next = Math.min(next, until);
    return next;
  }

  /** Why a request of this name can't be sent now; undefined where it can. */
  obstacle(message: string, now: Instant): { code: ErrorCode; detail: string } | undefined {
    switch (this.#slots.state(message, now.monoMs)) {
      case 'free':
        return undefined;
      case 'in_flight':
        return {
          code: 'request_busy',
          detail: `a ${message} request is already in flight; try again when it is answered`,
        };
      case 'awaiting_late_reply':
        return {
          code: 'request_busy',
          detail: `the reply to an earlier ${message} request is overdue and must not be taken for this one's`,
        };
    }
  }

  /** When a request of this name can be sent, monotonic ms: any time, some time, or only after an event. */
  freeAt(message: string): number {
    return this.#slots.freeAt(message);
  }

  /** The request whose reply is the only one that may still come; undefined where there is none, or several. */
  onlyAwaited(now: Instant): string | undefined {
    return this.#slots.onlyAwaited(now.monoMs);
  }

  /** Sends a request for which there is no obstacle. */
  send(request: OutgoingRequest, requester: Requester, timesOutAt: number, now: Instant): void {
    const { name, message, awaitsReply, confirms } = request;
    this.#slots.open({
      message: name,
      requester,
      sentAt: now,
      timesOutAt,
      ...(awaitsReply ? {} : { unanswered: true }),
      ...(confirms.length === 0 ? {} : { observation: new Observation(confirms) }),
    });
    this.#context.emit({ type: 'send', message, ...(awaitsReply ? {} : { report: true }) });
  }

  /** Ends a caller's wait. */
  settle(requester: Requester, outcome: RequestOutcome): void {
    if (requester.by === 'session') return;
    this.#context.emit({ type: 'settleRequest', requestId: requester.requestId, outcome });
  }

  /** The link took the frame of a request; one that nothing answers is done. */
  sent(message: string, now: Instant): InFlight | undefined {
    const request = [...this.#slots.inFlight()].find((each) => each.message === message && each.unanswered);
    if (request === undefined) return undefined;
    this.#slots.withdraw(message);
    this.#succeeded(request, { ok: true, fields: {}, roundTripMs: now.monoMs - request.sentAt.monoMs });
    return request;
  }

  replied({ message, ...said }: Answer, now: Instant): ReplyMatch {
    const match = this.#slots.replied(message);
    if (match.kind !== 'answers') return match;
    const roundTripMs = now.monoMs - match.request.sentAt.monoMs;
    this.#succeeded(match.request, { ok: true, ...said, roundTripMs });
    return match;
  }

  /** A reply came whose content is not as declared; tells whether a request waited for it. */
  repliedInvalid(message: string, detail: string): ReplyMatch {
    const match = this.#slots.replied(message);
    if (match.kind === 'answers') this.#failed(match.request, 'invalid_reply', detail);
    return match;
  }

  /** The link did not take the frame of a request. */
  refused(message: string, code: ErrorCode): InFlight | undefined {
    const request = this.#slots.withdraw(message);
    if (request !== undefined) this.#failed(request, code, 'the link did not take the frame');
    return request;
  }

  /** Fails what has waited long enough, and gives it. */
  timeOut(now: Instant): readonly InFlight[] {
    const timedOut = this.#slots.timeOut(now.monoMs);
    for (const request of timedOut) {
      this.#context.stats.counts.timeouts += 1;
      this.#context.stats.touch();
      this.#failed(request, 'request_timeout', `no reply to ${request.message} within its time`);
    }
    this.#unobserved = this.#unobserved.filter(({ requester, outcome, until }) => {
      if (until > now.monoMs) return true;
      this.settle(requester, { ...outcome, observed: false });
      return false;
    });
    return timedOut;
  }

  /** New values of a message: what some command has waited for may be among them. */
  observe(message: string, values: Value): void {
    // Every message of the device comes by here, and nearly never is anything awaited.
    if (this.#slots.size === 0 && this.#unobserved.length === 0) return;
    for (const { observation } of this.#slots.inFlight()) observation?.see(message, values);
    this.#unobserved = this.#unobserved.filter(({ requester, observation, outcome }) => {
      observation.see(message, values);
      if (!observation.met) return true;
      this.settle(requester, { ...outcome, observed: true });
      return false;
    });
  }

  /** The link is gone; nothing is ever sent again. What was answered keeps its answer, unobserved. */
  abandon(code: ErrorCode, detail: string): void {
    for (const request of this.#slots.abandon()) this.#failed(request, code, detail);
    for (const { requester, outcome } of this.#unobserved)
      this.settle(requester, { ...outcome, observed: false });
    this.#unobserved = [];
  }

  #succeeded(request: InFlight, outcome: Success): void {
    const { requester, observation, timesOutAt } = request;
    if (observation === undefined || (outcome.error ?? 0) !== 0) return this.settle(requester, outcome);
    if (observation.met) return this.settle(requester, { ...outcome, observed: true });
    this.#unobserved.push({ requester, observation, outcome, until: timesOutAt });
  }

  #failed({ requester }: InFlight, code: ErrorCode, detail: string): void {
    this.settle(requester, { ok: false, code, detail });
  }
}
