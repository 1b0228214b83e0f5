import type { ErrorCode } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import type { BuiltinMessage } from '../../protocol/index.ts';
import { Calls } from './calls.ts';
import { nextExchangeAt, observe, present } from './clock-estimate.ts';
import type { Life } from './life.ts';
import type { CallersRequest } from './link-protocol.ts';
import type { OutgoingRequest, Prepared, RequestMessage } from './message-catalog.ts';
import type { InFlight, ReplyMatch } from './request-slots.ts';
import type { SessionContext } from './session-ports.ts';

type Reply = Extract<BuiltinMessage, { kind: 'reply' }>;

/** What we ask over one link: registration, beats, the peer's clock, and what subscribers ask for. */
export class Requests {
  readonly calls: Calls;
  readonly #context: SessionContext;
  readonly #life: Life;
  /** When our next datetime request is due, monotonic ms. */
  #nextClockAt = Number.POSITIVE_INFINITY;

  constructor(context: SessionContext, life: Life) {
    this.#context = context;
    this.#life = life;
    this.calls = new Calls(context);
  }

  nextDeadline(): number {
    return Math.min(this.calls.nextDeadline(), this.#nextClockAt);
  }

  register(now: Instant): void {
    const { register } = this.#context.settings;
    if (register === undefined) return;
    this.#context.axes.setPart('registered_as', register);
    this.#ask(answered('register', { name: 'register', kind: 'request', fields: register }), now);
  }

  beat(now: Instant): void {
    this.#life.beatSent(now.monoMs);
    this.#context.emit({ type: 'send', message: HEARTBEAT });
  }

  /** Takes up a caller's request, or settles it at once with why not. */
  make({ requestId, message, fields, timeoutMs }: CallersRequest, now: Instant): void {
    const requester = { by: 'caller', requestId } as const;
    const prepared = this.#prepare(message, fields);
    if (!prepared.ok) return this.calls.settle(requester, prepared);
    const why = this.#obstacle(prepared.request, now);
    if (why !== undefined) return this.calls.settle(requester, { ok: false, ...why });
    if (message === 'heartbeat') this.#life.beatSent(now.monoMs);
    this.calls.send(prepared.request, requester, now.monoMs + timeoutMs, now, message);
  }

  #prepare(message: string, fields: CallersRequest['fields']): Prepared {
    switch (message) {
      case 'register':
        return {
          ok: false,
          code: 'request_not_allowed',
          detail: 'register is sent by the bridge itself when the link opens',
        };
      case 'heartbeat':
      case 'datetime': {
        const [field] = Object.keys(fields);
        if (field === undefined)
          return { ok: true, request: answered(message, { name: message, kind: 'request' }) };
        return {
          ok: false,
          code: 'bad_field_value',
          detail: `${message} has no field ${field}; it takes none`,
        };
      }
      default:
        return prepareDeclared(this.#context, message, fields);
    }
  }

  #obstacle(request: OutgoingRequest, now: Instant): { code: ErrorCode; detail: string } | undefined {
    const why = this.calls.obstacle(request, now);
    if (why !== undefined || request.name !== 'heartbeat' || this.#life.beatsOut === 0) return why;
    return { code: 'request_busy', detail: 'a heartbeat of the bridge is out; try again' };
  }

  /** A reply came; a caller who waited for it gets it. */
  replied(reply: Reply, now: Instant): ReplyMatch {
    const fields = 'fields' in reply ? { ...reply.fields } : {};
    const match = this.calls.replied({ message: reply.name, error: reply.error, fields }, now);
    if (match.kind === 'answers' && reply.name === 'datetime') {
      this.#observeClock(reply.fields.datetime, match.request, now);
    }
    return match;
  }

  /** A reply came whose content is not as declared. */
  repliedInvalid(message: string, detail: string, now: Instant): void {
    this.calls.repliedInvalid(message, detail, now);
    if (message === 'datetime') this.#planClock(undefined, now);
  }

  /** The link did not take the frame of this request. */
  refused(message: string, code: ErrorCode, now: Instant): void {
    this.calls.refused(message, code);
    if (message === 'datetime') this.#planClock(undefined, now);
  }

  /** Fails what has waited long enough; returns whether our registration was among it. */
  timeOut(now: Instant): { readonly registerTimedOut: boolean } {
    const names = this.calls.timeOut(now).map(({ message }) => message);
    if (names.includes('datetime')) this.#planClock(undefined, now);
    return { registerTimedOut: names.includes('register') };
  }

  /** Asks the time now and periodically, where the configuration wants it. */
  beginClock(now: Instant): void {
    if (this.#context.settings.clock !== undefined) this.#nextClockAt = now.monoMs;
  }

  askClockWhenDue(now: Instant): void {
    if (now.monoMs < this.#nextClockAt) return;
    const request = answered('datetime', { name: 'datetime', kind: 'request' });
    if (this.calls.obstacle(request, now) !== undefined) return this.#planClock(undefined, now);
    this.#nextClockAt = Number.POSITIVE_INFINITY;
    this.#ask(request, now);
  }

  #ask(request: OutgoingRequest, now: Instant): void {
    const timesOutAt = now.monoMs + this.#context.settings.requestTimeoutMs;
    this.calls.send(request, { by: 'session' }, timesOutAt, now, request.name);
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
}

const HEARTBEAT: RequestMessage = { name: 'heartbeat', kind: 'request' };

const answered = (name: string, message: RequestMessage): OutgoingRequest => ({
  name,
  message,
  awaitsReply: true,
  confirms: [],
  same: {},
});

/** A request of the device's own messages. */
export function prepareDeclared(
  { settings, ports }: SessionContext,
  message: string,
  fields: CallersRequest['fields'],
): Prepared {
  if (ports.messages !== undefined) return ports.messages.prepare(message, fields);
  const detail = `${settings.device} knows no message ${message}; heartbeat and datetime can be sent`;
  return { ok: false, code: 'message_unknown', detail };
}
