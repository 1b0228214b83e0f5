import type { ErrorCode } from '../errors.ts';
import type { Instant } from '../instant.ts';
import type { Message, RequestName } from '../protocol/message.ts';
import { nextExchangeAt, observe, present } from './clock-estimate.ts';
import type { Life } from './life.ts';
import { type InFlight, type ReplyMatch, RequestSlots } from './request-slots.ts';
import type { RequestOutcome } from './session-events.ts';
import type { SessionContext } from './session-ports.ts';

/** What we ask over one link: registration, beats, the peer's clock, and what subscribers ask for. */
export class Requests {
  readonly #context: SessionContext;
  readonly #life: Life;
  readonly #slots = new RequestSlots();
  /** When our next datetime request is due, monotonic ms. */
  #nextClockAt = Number.POSITIVE_INFINITY;

  constructor(context: SessionContext, life: Life) {
    this.#context = context;
    this.#life = life;
  }

  nextDeadline(): number {
    return Math.min(this.#slots.nextDeadline(), this.#nextClockAt);
  }

  register(now: Instant): void {
    const { register, requestTimeoutMs } = this.#context.settings;
    if (register === undefined) return;
    this.#context.axes.setPart('registered_as', register);
    const timesOutAt = now.monoMs + requestTimeoutMs;
    this.#slots.open({ message: 'register', requester: { by: 'session' }, sentAt: now, timesOutAt });
    this.#send({ name: 'register', kind: 'request', fields: register });
  }

  beat(now: Instant): void {
    this.#life.beatSent(now.monoMs);
    this.#send({ name: 'heartbeat', kind: 'request' });
  }

  /** Takes up a caller's request, or settles it at once with why not. */
  make(requestId: number, message: RequestName, timeoutMs: number, now: Instant): void {
    const why = this.#obstacle(message);
    if (why !== undefined) {
      const outcome: RequestOutcome = { ok: false, ...why };
      this.#context.emit({ type: 'settleRequest', requestId, outcome });
      return;
    }
    const requester = { by: 'caller', requestId } as const;
    this.#slots.open({ message, requester, sentAt: now, timesOutAt: now.monoMs + timeoutMs });
    if (message === 'heartbeat') this.beat(now);
    else this.#send({ name: 'datetime', kind: 'request' });
  }

  #obstacle(message: RequestName): { code: ErrorCode; detail: string } | undefined {
    if (message === 'register') {
      const detail = 'register is sent by the bridge itself when the link opens';
      return { code: 'request_not_allowed', detail };
    }
    const busy = (detail: string) => ({ code: 'request_busy' as const, detail });
    switch (this.#slots.state(message)) {
      case 'in_flight':
        return busy(`a ${message} request is already in flight; try again when it is answered`);
      case 'awaiting_late_reply':
        return busy(
          `the reply to an earlier ${message} request is overdue and must not be taken for this one's`,
        );
      case 'free':
        if (message !== 'heartbeat' || this.#life.beatsOut === 0) return undefined;
        return busy('a heartbeat of the bridge is out; try again');
    }
  }

  /** A reply came; a caller who waited for it gets it. */
  replied(message: Exclude<Message, { kind: 'request' | 'unknown' }>, now: Instant): ReplyMatch {
    const match = this.#slots.replied(message.name);
    if (match.kind !== 'answers') return match;
    const { request } = match;
    const fields = message.name === 'datetime' ? message.fields : {};
    if (message.name === 'datetime') this.#observeClock(message.fields.datetime, request, now);
    const roundTripMs = now.monoMs - request.sentAt.monoMs;
    this.#settle(request, { ok: true, error: message.error, fields, roundTripMs });
    return match;
  }

  /** A reply came whose content is not as declared. */
  repliedInvalid(message: RequestName, detail: string, now: Instant): void {
    const match = this.#slots.replied(message);
    if (match.kind === 'answers') this.#settle(match.request, { ok: false, code: 'invalid_reply', detail });
    if (message === 'datetime') this.#planClock(undefined, now);
  }

  /** The link did not take the frame of this request. */
  refused(message: RequestName, code: ErrorCode, now: Instant): void {
    const request = this.#slots.withdraw(message);
    const detail = 'the link did not take the frame';
    if (request !== undefined) this.#settle(request, { ok: false, code, detail });
    if (message === 'datetime') this.#planClock(undefined, now);
  }

  /** Fails what has waited long enough; tells whether our registration was among it. */
  timeOut(now: Instant): { readonly registerTimedOut: boolean } {
    let registerTimedOut = false;
    for (const request of this.#slots.timeOut(now.monoMs)) {
      this.#context.stats.counts.timeouts += 1;
      this.#context.stats.touch();
      if (request.message === 'register') registerTimedOut = true;
      const detail = `no reply to ${request.message} within its time`;
      this.#settle(request, { ok: false, code: 'request_timeout', detail });
      if (request.message === 'datetime') this.#planClock(undefined, now);
    }
    return { registerTimedOut };
  }

  /** The link is gone; nothing is ever sent again. */
  abandon(code: ErrorCode, detail: string): void {
    for (const request of this.#slots.abandon()) this.#settle(request, { ok: false, code, detail });
  }

  /** Asks the time now, and again and again, where the configuration wants it. */
  beginClock(now: Instant): void {
    if (this.#context.settings.clock !== undefined) this.#nextClockAt = now.monoMs;
  }

  askClockWhenDue(now: Instant): void {
    if (now.monoMs < this.#nextClockAt) return;
    if (this.#slots.state('datetime') !== 'free') return this.#planClock(undefined, now);
    this.#nextClockAt = Number.POSITIVE_INFINITY;
    const timesOutAt = now.monoMs + this.#context.settings.requestTimeoutMs;
    this.#slots.open({ message: 'datetime', requester: { by: 'session' }, sentAt: now, timesOutAt });
    this.#send({ name: 'datetime', kind: 'request' });
  }

  #observeClock(text: string | undefined, request: InFlight, now: Instant): void {
    const { settings, ports, axes } = this.#context;
    if (settings.clock === undefined) return;
    const deviceWallMs =
      text === undefined ? undefined : ports.parseLocalTime(text, settings.clock.timeZone, now.wallMs);
    if (deviceWallMs !== undefined) {
      this.#context.clock = observe(this.#context.clock, {
        deviceWallMs,
        sent: request.sentAt,
        received: now,
      });
      axes.setPart('clock', present(this.#context.clock, now));
    }
    this.#planClock(now.monoMs - request.sentAt.monoMs, now);
  }

  #planClock(roundTripMs: number | undefined, now: Instant): void {
    const { clock } = this.#context.settings;
    if (clock === undefined) return;
    const earliest = now.monoMs + clock.everyMs;
    this.#nextClockAt =
      roundTripMs === undefined ? earliest : nextExchangeAt(this.#context.clock, now, roundTripMs, earliest);
  }

  #settle(request: InFlight, outcome: RequestOutcome): void {
    if (request.requester.by === 'session') return;
    this.#context.emit({ type: 'settleRequest', requestId: request.requester.requestId, outcome });
  }

  #send(message: Message): void {
    this.#context.emit({ type: 'send', message });
  }
}
