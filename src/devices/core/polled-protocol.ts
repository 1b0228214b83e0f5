import type { BareSettings } from '../../config/index.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import type {
  DeclaredMessage,
  EchoedMessage,
  Expectation,
  InvalidPayload,
  Message,
} from '../../protocol/index.ts';
import { type LineWish, NO_WISH } from './bus-scheduler.ts';
import { Calls } from './calls.ts';
import { answerPorts, DeclaredTraffic } from './declared-traffic.ts';
import { LineTurns, PollPlan, type SendRequest } from './line-turns.ts';
import {
  type CallersRequest,
  type Ending,
  FrameProgress,
  type Introduction,
  type LinkProtocol,
} from './link-protocol.ts';
import { Logins } from './login.ts';
import { nameOf } from './message-catalog.ts';
import type { InFlight } from './request-slots.ts';
import { prepareDeclared } from './requests.ts';
import { SeenRequests } from './seen-requests.ts';
import { SentPayloads } from './sent-payloads.ts';
import type { SessionContext } from './session-ports.ts';

/** Requests in a row that came back and were not answered, with nothing else before: the line returns what is sent. */
const ENOUGH_ECHOES = 2;

/** On a shared line, requests in a row without an answer before silence is that of the device. */
const ENOUGH_UNANSWERED = 2;

const LOOP: Ending = {
  reason: 'echo',
  detail:
    'our own requests came back, and nothing else: a loopback plug, or an adapter that echoes what is sent',
  how: 'destroy',
};

/**
 * The link of a device that knows neither register nor heartbeat: it is online while valid frames come. Where
 * it is polled, all is asked in turns; where it only talks, requests go out as they come.
 */
export class PolledProtocol implements LinkProtocol {
  readonly host: string;
  readonly #context: SessionContext;
  readonly #settings: BareSettings;
  readonly #calls: Calls;
  readonly #declared: DeclaredTraffic;
  /** Absent where both sides may speak at any time. */
  readonly #turns: LineTurns | undefined;
  readonly #logins: Logins;
  readonly #heartbeat: string | undefined;
  readonly #progress = new FrameProgress();
  readonly #sent: SentPayloads;
  /** Requests that came back, since anything else came. */
  readonly #echoed = new Set<string>();
  #unansweredEchoes = 0;
  /** A valid frame of the device came over this link. */
  #spoke = false;
  /** What came last that is no message of this device, while a reply was awaited. */
  #foreign: string | undefined;
  #lastValidAt: number;
  #halfJudged = false;
  #succeeded = false;
  /** Other devices are on the line: silence of this one is no reason to close it. */
  readonly #shared: boolean;
  readonly #passive: boolean;
  /** What the other host asks; absent where the bridge asks. */
  readonly #seen: SeenRequests | undefined;
  /** On a shared line, requests since its last valid frame that it did not answer. */
  #unanswered = 0;
  /** It counts as silent until its next valid frame. */
  #silent = false;

  constructor(context: SessionContext, settings: BareSettings, host: string, now: Instant) {
    const { requestTimeoutMs } = context.settings;
    const shared = context.settings.bus !== undefined;
    this.#context = context;
    this.#settings = settings;
    this.host = host;
    // A device that only answers may not have received the request: its slot can't stay closed for ever.
    const { lateMs = requestTimeoutMs } = settings;
    this.#calls = new Calls(context, lateMs);
    this.#declared = new DeclaredTraffic(context, this.#calls);
    this.#sent = new SentPayloads(requestTimeoutMs + lateMs);
    this.#logins = new Logins(context);
    this.#heartbeat = context.ports.messages?.protocol.declaration.session?.heartbeat?.message;
    this.#lastValidAt = now.monoMs;
    this.#shared = shared;
    this.#passive = context.settings.bus?.passive === true || settings.asked === 'recorded';
    if (this.#passive) this.#seen = new SeenRequests(context, settings.polls, now);
    if (this.#passive || (settings.polls.length === 0 && !shared)) return;
    this.#turns = new LineTurns(
      new PollPlan(
        settings.polls,
        ({ message, fields }) => prepareDeclared(context, message, fields),
        now.monoMs,
      ),
      { turnaroundMs: settings.turnaroundMs, pollTimeoutMs: requestTimeoutMs, lateMs },
      this.#calls,
      (...order) => this.#send(...order),
      now,
      shared ? (how) => context.emit({ type: 'turnOver', how }) : undefined,
    );
  }

  get lastValidAt(): number {
    return this.#lastValidAt;
  }

  get succeeded(): boolean {
    return this.#succeeded;
  }

  open(now: Instant): void {
    if (this.#settings.silenceMs === undefined) this.#succeed(now);
    this.#turns?.act(now);
  }

  /** An address is no sign of life: only what it says counts. */
  openKnown({ login }: Introduction, now: Instant): void {
    if (login !== undefined) this.received(login, now);
    this.open(now);
  }

  expectation(now: Instant): Expectation {
    return { ...this.#calls.expectation(now), sent: this.#sent.own(now.monoMs) };
  }

  received(message: Message | InvalidPayload, now: Instant): Ending | undefined {
    const { stats } = this.#context;
    stats.counts.frames_in += 1;
    stats.touch();
    if (message.name === 'echo') this.#receivedEcho(message, now);
    else if (message.name === 'invalid') this.#receivedInvalid(message, now);
    else if (message.name === 'declared') return this.#receivedDeclared(message, now);
    else this.#receivedUnknown(message, now);
    return undefined;
  }

  #receivedDeclared(message: DeclaredMessage, now: Instant): Ending | undefined {
    // Another host on the line asks, or what we sent comes back after all that time.
    if (this.#comesFromHost(message)) {
      this.#declared.setAside(message, 'unsolicited');
      this.#turns?.received(now);
      return undefined;
    }
    const ending = this.#logins.received(message, answerPorts(this.#context, now));
    if (ending !== undefined) return ending;
    const match = this.#declared.received(message, now);
    this.#turns?.received(now);
    // Where everything is asked for, what answers nothing may be meant for another host, or come from another device.
    if (match?.kind !== 'unsolicited' || this.#turns === undefined) this.#validFrame(now);
    if (message.message === this.#heartbeat) this.#context.stats.counts.last_heartbeat_at = now.wallMs;
    if (match?.kind !== 'answers') return undefined;
    this.#sent.answered(match.request.message);
    if (match.request.observation !== undefined) this.#readBack(match.request.message, now);
    this.#turns?.over(match.request.message, now);
    return undefined;
  }

  /** A command was taken: what shows its effect is read at once, and not at its pace. */
  #readBack(command: string, now: Instant): void {
    const { confirms = {} } = this.#context.ports.messages?.declaration(command) ?? {};
    const shown = Object.values(confirms).map((each) => (typeof each === 'string' ? each : each.field));
    this.#turns?.hasten(
      shown.map((each) => each.split('.')[0] ?? each),
      now,
    );
  }

  #receivedUnknown(message: Exclude<Message, DeclaredMessage | EchoedMessage>, now: Instant): void {
    this.#turns?.received(now);
    const answers = message.name === 'unknown' ? message.answers : undefined;
    if (answers !== undefined) {
      const mark = this.#calls.unattributed(answers, now);
      this.#declared.setAside(message, mark);
      if (mark === 'late' || this.#turns === undefined) this.#validFrame(now);
      return;
    }
    this.#validFrame(now);
    if (message.kind === 'unknown') this.#context.stats.counts.unknown += 1;
    this.#context.emit({ type: 'publishMessage', message });
  }

  #receivedEcho({ payload }: EchoedMessage, now: Instant): void {
    this.#turns?.received(now);
    const name = this.#sent.returned(payload);
    if (name !== undefined) this.#echoed.add(name);
    const { stats } = this.#context;
    const seen = name ?? 'what we sent';
    stats.discarded({ count: payload.length, reason: 'echo', expected: 'a reply', seen, sample: payload });
  }

  chunkReceived(pending: number, now: Instant): void {
    this.#progress.chunkReceived(pending, now.monoMs);
  }

  requestMade({ requestId, message, fields, timeoutMs }: CallersRequest, now: Instant): void {
    const requester = { by: 'caller', requestId } as const;
    if (this.#passive) {
      const detail = `another host asks on the bus ${this.#context.settings.bus?.id}; nothing is sent there`;
      return this.#calls.settle(requester, { ok: false, code: 'request_not_allowed', detail });
    }
    const prepared = prepareDeclared(this.#context, message, fields);
    if (!prepared.ok) return this.#calls.settle(requester, prepared);
    const expiresAt = now.monoMs + timeoutMs;
    if (this.#turns !== undefined) {
      return this.#turns.join({ request: prepared.request, requester, expiresAt }, now);
    }
    const why = this.#calls.obstacle(prepared.request, now);
    if (why !== undefined) return this.#calls.settle(requester, { ok: false, ...why });
    this.#send(prepared.request, requester, expiresAt, now, message);
  }

  #send(...order: Parameters<SendRequest>): void {
    const [, , , now] = order;
    this.#foreign = undefined;
    this.#sent.add(this.#calls.send(...order), now.monoMs);
  }

  sendAccepted(message: Message, now: Instant): void {
    this.#calls.sent(nameOf(message), now);
    this.#turns?.over(nameOf(message), now, 'sent');
  }

  sendRefused(message: Message, code: ErrorCode, now: Instant): Ending | undefined {
    this.#calls.refused(nameOf(message), code);
    this.#turns?.over(nameOf(message), now, 'sent');
    return undefined;
  }

  /** When something can be sent on a shared line. */
  wish(): LineWish {
    return this.#turns?.wish() ?? NO_WISH;
  }

  turnGiven(now: Instant): void {
    if (this.#turns === undefined) this.#context.emit({ type: 'turnOver', how: 'unused' });
    else this.#turns.turnGiven(now);
  }

  requestSeen(message: DeclaredMessage, now: Instant): void {
    this.#context.emit({ type: 'publishMessage', message });
    const seen = this.#seen?.take(message);
    // While the reply to another request may still come, nothing shows which of the two it answers.
    if (seen === undefined || this.#calls.obstacle(seen.request, now) !== undefined) return;
    this.#calls.seen(seen.request, now.monoMs + this.#context.settings.requestTimeoutMs, now, seen.group);
  }

  otherAnswered(detail: string): void {
    this.#foreign = detail;
  }

  /** There is nothing to ask that every device answers: only what it says by itself counts. */
  probe(): void {}

  abandon(code: ErrorCode, detail: string): void {
    this.#calls.abandon(code, detail);
    this.#turns?.abandon(code, detail);
  }

  nextDeadline(): number {
    const turns = this.#turns?.nextDeadline() ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#judgedAt(), this.#declared.nextDeadline(), turns, this.#progress.nextDeadline());
  }

  watch(lateMs: number, now: Instant): Ending | undefined {
    const stalled = this.#progress.ending(now.monoMs);
    if (stalled !== undefined) return stalled;
    const { silenceMs } = this.#settings;
    // While we did not run, we did not ask either: the silence of that time is not the device's.
    if (silenceMs !== undefined && lateMs > silenceMs / 6) {
      this.#lastValidAt = Math.min(this.#lastValidAt + lateMs, now.monoMs);
    }
    this.#halfJudged = this.#lookedAtMs() + this.#lastValidAt <= now.monoMs;
    this.#judgeStale(now);
    if (!this.#shared && this.#silentAt() <= now.monoMs) {
      if (!this.#spoke && this.#unansweredEchoes > 0) return LOOP;
      const detail = `no valid frame for ${Math.round(now.monoMs - this.#lastValidAt)} ms`;
      return { reason: 'silent', detail, how: 'destroy' };
    }
    const timedOut = this.#declared.timeOut(now, this.#foreign);
    if (this.#isLoop(timedOut)) {
      const detail =
        'our own requests came back, and nothing else: a loopback plug, or an adapter that echoes';
      return { reason: 'echo', detail, how: 'destroy' };
    }
    this.#unanswered += timedOut.length;
    for (const { message } of timedOut) this.#turns?.over(message, now, 'silent');
    this.#turns?.act(now);
    if (this.#shared && this.#silentAt() <= now.monoMs) this.#fallSilent(now);
    return undefined;
  }

  /** The line stays open for the others; this device is asked again, and online with its next valid frame. */
  #fallSilent(now: Instant): void {
    const { axes, seen } = this.#context;
    const detail = `no valid frame for ${Math.round(now.monoMs - this.#lastValidAt)} ms`;
    const instead = this.#foreign === undefined ? '' : `; what came is none of it: ${this.#foreign}`;
    this.#silent = true;
    this.#succeeded = false;
    axes.setStatus(seen ? 'offline' : 'unknown', now.wallMs, 'silent', `${detail}${instead}`);
    this.#context.emit({ type: 'log', level: 'warn', reason: 'silent', text: `${detail}${instead}` });
  }

  #isLoop(timedOut: readonly InFlight[]): boolean {
    for (const { message } of timedOut) if (this.#echoed.delete(message)) this.#unansweredEchoes += 1;
    return !this.#shared && !this.#spoke && this.#unansweredEchoes >= ENOUGH_ECHOES;
  }

  /** Half-way it is looked at too, so that a sleep of this computer is noticed before it counts as the device's silence. */
  #judgedAt(): number {
    const { silenceMs } = this.#settings;
    if (silenceMs === undefined || this.#halfJudged || this.#silent) return this.#silentAt();
    return this.#lastValidAt + this.#lookedAtMs();
  }

  #lookedAtMs(): number {
    const { silenceMs = 0, staleMs } = this.#settings;
    return staleMs === undefined ? silenceMs / 2 : staleMs + 1;
  }

  #judgeStale(now: Instant): void {
    const [{ axes }, { staleMs }] = [this.#context, this.#settings];
    const silentMs = now.monoMs - this.#lastValidAt;
    if (staleMs === undefined || silentMs <= staleMs || axes.document.status !== 'online') return;
    axes.setStatus('stale', now.wallMs, 'silent', 'no valid frame for more than 1.5 heartbeat intervals');
  }

  /** One ms past the limit, because silence is judged by "more than". */
  #silentAt(): number {
    // What is not asked, because others use the line, does not answer.
    const asked = this.#passive || this.#unanswered >= ENOUGH_UNANSWERED;
    if (this.#shared && (this.#silent || !asked)) return Number.POSITIVE_INFINITY;
    return this.#lastValidAt + (this.#settings.silenceMs ?? Number.POSITIVE_INFINITY) + 1;
  }

  /** A valid frame is a sign of life, whatever it was. */
  #validFrame(now: Instant): void {
    this.#lastValidAt = now.monoMs;
    this.#halfJudged = false;
    this.#silent = false;
    this.#unanswered = 0;
    this.#spoke = true;
    this.#context.seen = true;
    const { axes, stats } = this.#context;
    stats.counts.last_frame_at = now.wallMs;
    if (axes.document.status === 'stale') axes.setStatus('online', now.wallMs);
    this.#succeed(now);
  }

  #succeed(now: Instant): void {
    if (this.#succeeded) return;
    const { axes, settings } = this.#context;
    this.#succeeded = true;
    this.#context.seen = true;
    this.#context.succeeded();
    this.#context.stats.tally.lives += 1;
    axes.setStatus('online', now.wallMs);
    const over = axes.document.link.address ?? settings.transport;
    this.#context.emit({ type: 'log', level: 'info', reason: 'online', text: `online over ${over}` });
  }

  #receivedInvalid(message: InvalidPayload, now: Instant): void {
    const { stats } = this.#context;
    stats.counts.invalid += 1;
    this.#context.emit({ type: 'publishMessage', message });
    const detail = `${message.message} ${message.kind}, ${message.field} at byte ${message.offset}: saw ${message.seen}, expected ${message.expected}`;
    this.#context.emit({ type: 'log', level: 'warn', reason: 'invalid_message', text: detail });
    this.#declared.receivedInvalid(message);
    this.#foreign = detail;
    if (message.kind !== 'reply') return;
    const match = this.#calls.repliedInvalid(message.message, detail, now);
    if (match.kind === 'answers') this.#turns?.over(message.message, now);
  }

  /** Only we may send it. */
  #comesFromHost({ kind, message }: DeclaredMessage): boolean {
    return kind !== 'reply' && this.#context.ports.messages?.declaration(message)?.from === 'host';
  }
}
