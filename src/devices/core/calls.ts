import type { Value } from '../../contract/index.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import type { DeclaredMessage, Expectation } from '../../protocol/index.ts';
import { Observation } from './confirmation.ts';
import type { OutgoingRequest, Refusal } from './message-catalog.ts';
import { type Asked, type InFlight, type ReplyMatch, type Requester, RequestSlots } from './request-slots.ts';
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
  readonly #most: number;
  #unobserved: Unobserved[] = [];

  /**
   * `lateForMs`: so long after a time-out its reply may still come, and no other request is sent whose reply may look
   * like it.
   */
  constructor(context: SessionContext, lateForMs?: number) {
    this.#context = context;
    const { messages } = context.ports;
    this.#slots =
      messages === undefined
        ? new RequestSlots(lateForMs)
        : new RequestSlots(lateForMs, (one, other) => messages.alike(one, other));
    const { sequence, inFlight } = messages?.protocol.declaration ?? {};
    this.#most = inFlight ?? (sequence === undefined ? Number.POSITIVE_INFINITY : 1);
  }

  /** So many requests may wait for their replies at once. */
  get most(): number {
    return this.#most;
  }

  nextDeadline(): number {
    let next = this.#slots.nextDeadline();
    for (const { until } of this.#unobserved) next = Math.min(next, until);
    return next;
  }

  /** Why this request can't be sent now; undefined where it can. */
  obstacle(request: OutgoingRequest, now: Instant): { code: ErrorCode; detail: string } | undefined {
    const { name } = request;
    if (this.#isFull(request)) {
      const detail = `${this.#most} requests are in flight; try again when one is answered`;
      return { code: 'request_busy', detail };
    }
    switch (this.#slots.state(asked(this.#candidate(request, now.monoMs)), now.monoMs)) {
      case 'free':
        return undefined;
      case 'in_flight':
        return {
          code: 'request_busy',
          detail: `a request is in flight whose reply may look like that to ${name}; try again when it is answered`,
        };
      case 'awaiting_late_reply':
        return {
          code: 'request_busy',
          detail: `the reply to an earlier request is overdue and must not be taken for that to ${name}; try again later`,
        };
    }
  }

  /** When this request can be sent, monotonic ms: any time, some time, or only after an event. */
  freeAt(request: OutgoingRequest): number {
    if (this.#isFull(request)) return Number.POSITIVE_INFINITY;
    return this.#slots.freeAt(asked(request));
  }

  /** What may come, but for what we sent ourselves. */
  expectation(now: Instant): Expectation {
    return { awaited: this.#slots.awaited(), replies: this.#slots.expected(now.monoMs), sent: [] };
  }

  /**
   * Sends a request for which there is no obstacle, and gives it as it was sent. `group`: where the values of its reply
   * belong.
   */
  send(
    request: OutgoingRequest,
    requester: Requester,
    timesOutAt: number,
    now: Instant,
    group: string | undefined,
    observedUntil: number = timesOutAt,
  ): OutgoingRequest {
    const numbered = this.#candidate(request, now.monoMs);
    if (numbered.number !== undefined) this.#context.numbers?.takeFrom(numbered.number);
    const { message, awaitsReply, confirms } = numbered;
    this.#slots.open({
      ...asked(numbered),
      requester,
      sentAt: now,
      timesOutAt,
      ...(group === undefined ? {} : { group }),
      ...(awaitsReply ? {} : { unanswered: true }),
      ...(confirms.length === 0 ? {} : { observation: new Observation(confirms), observedUntil }),
    });
    this.#context.emit({ type: 'send', message, ...(awaitsReply ? {} : { report: true }) });
    return numbered;
  }

  /** The request with the next number that no reply on its way may carry. */
  #candidate(request: OutgoingRequest, monoMs: number): OutgoingRequest {
    const { numbers, ports } = this.#context;
    const { messages } = ports;
    if (request.counts === undefined || numbers === undefined || messages === undefined) return request;
    const numbered = (number: number): OutgoingRequest => messages.numbered(request, number);
    const isFree = (number: number): boolean => this.#slots.state(asked(numbered(number)), monoMs) === 'free';
    return numbered(numbers.peek(this.#slots.tracked + 1, isFree));
  }

  #isFull({ awaitsReply }: OutgoingRequest): boolean {
    return awaitsReply && this.#slots.inFlight().length >= this.#most;
  }

  /** Another host sent a request: its reply is awaited as one of our own would be. */
  seen(request: OutgoingRequest, timesOutAt: number, now: Instant, group: string | undefined): void {
    const requester = { by: 'session' } as const;
    this.#slots.open({
      ...asked(request),
      requester,
      sentAt: now,
      timesOutAt,
      ...(group === undefined ? {} : { group }),
    });
  }

  /** Ends a caller's wait. */
  settle(requester: Requester, outcome: RequestOutcome): void {
    if (requester.by === 'session') return;
    this.#context.emit({ type: 'settleRequest', requestId: requester.requestId, outcome });
  }

  /** The link took the frame of a request; one that nothing answers is done. */
  sent(message: string, now: Instant): InFlight | undefined {
    const request = this.#slots.inFlight().find((each) => each.message === message && each.unanswered);
    if (request === undefined) return undefined;
    this.#slots.withdraw(message);
    this.#succeeded(request, { ok: true, fields: {}, roundTripMs: now.monoMs - request.sentAt.monoMs });
    return request;
  }

  replied({ message, ...said }: Answer, now: Instant): ReplyMatch {
    const match = this.#slots.replied(message, said.fields, now.monoMs);
    if (match.kind !== 'answers') return match;
    this.#answered(match.request, { message, ...said }, now);
    return match;
  }

  /** A message came that answers a request by rule; undefined of one that never does. */
  answeredBy({ message, fields }: DeclaredMessage, now: Instant): ReplyMatch | undefined {
    if (this.#context.ports.messages?.protocol.answers.answersRequests(message) !== true) return undefined;
    const match = this.#slots.answered(message, fields, now.monoMs);
    if (match.kind === 'answers') this.#answered(match.request, { message, error: 0, fields }, now);
    return match;
  }

  #answered(request: InFlight, { message, ...said }: Answer, now: Instant): void {
    const [refused] = Object.entries(said.error === 0 ? (request.wants ?? {}) : {}).filter(
      ([name, wanted]) => said.fields[name] !== undefined && said.fields[name] !== wanted,
    );
    if (refused !== undefined) {
      const [name] = refused;
      const code = said.fields[name];
      const refusal = code === undefined ? { message } : { message, code };
      const text = refusalText(request.message, refusal);
      return this.#failed(request, 'request_rejected', text, refusal);
    }
    const roundTripMs = now.monoMs - request.sentAt.monoMs;
    this.#succeeded(request, { ok: true, ...said, roundTripMs });
  }

  /** A reply came that may answer any of these messages. */
  unattributed(messages: readonly string[], now: Instant): 'late' | 'unsolicited' {
    return this.#slots.unattributed(messages, now.monoMs);
  }

  /** A message came that refuses a request; undefined where it may refuse several. */
  refusedBy(message: DeclaredMessage, now: Instant): ReplyMatch | undefined {
    const { messages } = this.#context.ports;
    if (messages === undefined) return undefined;
    const match = this.#slots.refused((request) => messages.mayRefuse(message, request), now.monoMs);
    if (match?.kind === 'answers') {
      const refusal = messages.refusal(message);
      this.#failed(match.request, 'request_rejected', refusalText(match.request.message, refusal), refusal);
    }
    return match;
  }

  /** A reply came whose content is not as declared; returns whether a request waited for it. */
  repliedInvalid(message: string, detail: string, now: Instant): ReplyMatch {
    const match = this.#slots.repliedInvalid(message, now.monoMs);
    if (match.kind === 'answers') this.#failed(match.request, 'invalid_reply', detail);
    return match;
  }

  /** The link did not take the frame of a request. */
  refused(message: string, code: ErrorCode): InFlight | undefined {
    const request = this.#slots.withdraw(message);
    if (request !== undefined) this.#failed(request, code, 'the link did not take the frame');
    return request;
  }

  /** Fails what has waited long enough, and gives it. `foreign`: what came meanwhile and is no reply to it. */
  timeOut(now: Instant, foreign?: string): readonly InFlight[] {
    const timedOut = this.#slots.timeOut(now.monoMs);
    for (const request of timedOut) {
      this.#context.stats.counts.timeouts += 1;
      this.#context.stats.touch();
      const instead = foreign === undefined ? '' : `; what came is none: ${foreign}`;
      this.#failed(request, 'request_timeout', `no reply to ${request.message} within its time${instead}`);
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
    if (this.#slots.inFlight().length === 0 && this.#unobserved.length === 0) return;
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
    const { requester, observation, timesOutAt, observedUntil = timesOutAt } = request;
    if (observation === undefined || (outcome.error ?? 0) !== 0) return this.settle(requester, outcome);
    if (observation.met) return this.settle(requester, { ...outcome, observed: true });
    this.#unobserved.push({ requester, observation, outcome, until: observedUntil });
  }

  #failed({ requester }: InFlight, code: ErrorCode, detail: string, refusal?: Refusal): void {
    this.settle(requester, { ok: false, code, detail, ...(refusal === undefined ? {} : { refusal }) });
  }
}

/** What of a request decides whose reply a frame is. */
function asked({ name, same, message, number, answeredBy, wants }: OutgoingRequest): Asked {
  return {
    message: name,
    same,
    ...(message.name === 'declared' ? { fields: message.fields } : {}),
    ...(number === undefined ? {} : { number }),
    ...(answeredBy === undefined ? {} : { answeredBy }),
    ...(wants === undefined ? {} : { wants }),
  };
}

function refusalText(request: string, { message, code, name }: Refusal): string {
  const why = code === undefined ? '' : `: ${name === undefined ? '' : `${name} `}(${JSON.stringify(code)})`;
  return `the device refused ${request} with ${message}${why}`;
}
