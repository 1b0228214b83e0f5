import type { Identity } from '../../contract/index.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import {
  type BuiltinMessage,
  type Expectation,
  type InvalidPayload,
  luhnValid,
  type Message,
  type RegisterRequest,
} from '../../protocol/index.ts';
import { DeclaredTraffic } from './declared-traffic.ts';
import { Life } from './life.ts';
import {
  answerTo,
  type CallersRequest,
  type Ending,
  FrameProgress,
  type Introduction,
  type LinkProtocol,
  registerReply,
} from './link-protocol.ts';
import { nameOf } from './message-catalog.ts';
import { Requests } from './requests.ts';
import type { SessionContext } from './session-ports.ts';

/** Of a heartbeat interval: what is late by more was held up by a loop that stood still. */
const LATE_PART = 10;

/** The built-in protocol over one link: one side registers, heartbeats show that the other is alive. */
export class HeartbeatProtocol implements LinkProtocol {
  readonly host: string;
  readonly #life: Life;
  readonly #context: SessionContext;
  readonly #requests: Requests;
  readonly #declared: DeclaredTraffic;
  #registered = false;
  /** What the peer registered as over this link; the state still has that of an earlier one. */
  #identity: Identity | undefined;
  /** The peer answered one of our beats. */
  #beatAnswered = false;
  #succeeded = false;
  readonly #progress = new FrameProgress();
  /** Absent where the peer may beat by itself. */
  readonly #echo: EchoWatch | undefined;

  constructor(context: SessionContext, host: string, now: Instant) {
    this.#context = context;
    this.host = host;
    this.#life = new Life(context.settings.heartbeat, now.monoMs);
    this.#requests = new Requests(context, this.#life);
    this.#declared = new DeclaredTraffic(context, this.#requests.calls);
    const { role, heartbeat } = context.settings;
    if (role === 'client' && heartbeat.from === 'client') this.#echo = new EchoWatch();
    context.axes.setStatus('registering', now.wallMs);
  }

  get lastValidAt(): number {
    return this.#life.lastValidAt;
  }

  get succeeded(): boolean {
    return this.#succeeded;
  }

  open(now: Instant): void {
    if (this.#context.settings.role === 'client') this.#requests.register(now);
  }

  openKnown({ register }: Introduction, now: Instant): void {
    if (register !== undefined) this.#introduce(register);
    this.#admit(now);
  }

  received(message: Message | InvalidPayload, now: Instant): Ending | undefined {
    const { stats } = this.#context;
    stats.counts.frames_in += 1;
    stats.touch();
    if (message.name === 'invalid') return this.#receivedInvalid(message, now);
    // Where messages have ids, what comes back is known by them.
    if (message.name === 'echo') return undefined;
    if (this.#isEcho(message)) return echo('register');
    for (let left = this.#echo?.received(message) ?? 0; left > 0; left--) this.#send(BEAT_ANSWER);
    this.#validFrame(now);
    if (message.name === 'declared') {
      this.#declared.received(message, now);
      return undefined;
    }
    switch (message.kind) {
      case 'unknown':
        stats.counts.unknown += 1;
        this.#publish(message);
        return undefined;
      case 'request':
        return this.#requested(message, now);
      case 'reply':
        return this.#replied(message, now);
    }
  }

  expectation(now: Instant): Expectation {
    const { awaited, ...rest } = this.#requests.calls.expectation(now);
    return { awaited: this.#life.beatsOut > 0 ? [...awaited, 'heartbeat'] : awaited, ...rest };
  }

  chunkReceived(pending: number, now: Instant): void {
    this.#progress.chunkReceived(pending, now.monoMs);
  }

  requestMade(request: CallersRequest, now: Instant): void {
    this.#requests.make(request, now);
  }

  sendAccepted(message: Message, now: Instant): void {
    this.#requests.calls.sent(nameOf(message), now);
  }

  sendRefused(message: Message, code: ErrorCode, now: Instant): Ending | undefined {
    if (message.kind === 'reply') return undefined;
    this.#requests.refused(nameOf(message), code, now);
    // Without a register the link can't come to life.
    if (message.name !== 'register') return undefined;
    return { reason: code, detail: 'the link did not take our register', how: 'destroy' };
  }

  probe(now: Instant): void {
    this.#requests.beat(now);
  }

  abandon(code: ErrorCode, detail: string): void {
    this.#requests.calls.abandon(code, detail);
  }

  nextDeadline(): number {
    const requests = Math.min(this.#requests.nextDeadline(), this.#declared.nextDeadline());
    return Math.min(this.#life.nextDeadline(), requests, this.#progress.nextDeadline());
  }

  watch(lateMs: number, now: Instant): Ending | undefined {
    const { settings, axes } = this.#context;
    const stalled = this.#progress.ending(now.monoMs);
    if (stalled !== undefined) return stalled;
    this.#declared.expire(now);
    // While we did not run, we did not ask either: the silence of that time is not the peer's.
    if (lateMs > settings.heartbeat.intervalMs / LATE_PART) this.#life.excuse(lateMs, now.monoMs);
    const verdict = this.#life.judge(now.monoMs);
    if (verdict === 'silent') {
      const silenceMs = Math.round(now.monoMs - this.#life.lastValidAt);
      return { reason: 'silent', detail: `no valid frame for ${silenceMs} ms`, how: 'destroy' };
    }
    if (verdict === 'stale' && axes.document.status === 'online') {
      axes.setStatus('stale', now.wallMs, 'silent', 'no valid frame for more than 1.5 heartbeat intervals');
    }
    if (this.#requests.timeOut(now).registerTimedOut) {
      const detail = `no reply to our register within ${settings.requestTimeoutMs} ms`;
      return { reason: 'register_timeout', detail, how: 'destroy' };
    }
    if (this.#life.beatDue(now.monoMs)) {
      if (this.#echo !== undefined && this.#echo.withheld > 0) return echo('heartbeats');
      this.#beat(now);
    }
    this.#requests.askClockWhenDue(now);
    return undefined;
  }

  /** A valid frame is a sign of life, whatever it was. */
  #validFrame(now: Instant): void {
    const { axes, stats } = this.#context;
    this.#life.received(now.monoMs);
    this.#context.seen = true;
    stats.counts.last_frame_at = now.wallMs;
    if (axes.document.status === 'stale') axes.setStatus('online', now.wallMs);
  }

  #isEcho(message: Message): boolean {
    const { role, register: own } = this.#context.settings;
    if (role !== 'client' || own === undefined) return false;
    if (message.name !== 'register' || message.kind !== 'request') return false;
    return message.fields.appid === own.appid && message.fields.imei === own.imei;
  }

  #receivedInvalid(message: InvalidPayload, now: Instant): Ending | undefined {
    this.#context.stats.counts.invalid += 1;
    this.#publish(message);
    const detail = `${message.message} ${message.kind}, ${message.field} at byte ${message.offset}: saw ${message.seen}, expected ${message.expected}`;
    this.#context.emit({ type: 'log', level: 'warn', reason: 'invalid_message', text: detail });
    if (message.kind === 'reply') this.#requests.repliedInvalid(message.message, detail, now);
    else if (message.message === 'register') this.#send(registerReply(-1));
    else this.#declared.receivedInvalid(message);
    return undefined;
  }

  #requested(message: BuiltinMessage & { kind: 'request' }, now: Instant): Ending | undefined {
    const { ports, stats } = this.#context;
    this.#publish(message);
    if (message.name === 'register') return this.#registerRequested(message, now);
    if (message.name === 'heartbeat') {
      stats.counts.last_heartbeat_at = now.wallMs;
      if (this.#echo !== undefined && this.#echo.withheld > 0) return undefined;
    }
    const answer = answerTo(message, now, ports.localTime);
    if (answer !== undefined) this.#send(answer);
    return undefined;
  }

  #registerRequested(message: RegisterRequest, now: Instant): Ending | undefined {
    if (this.#context.settings.role === 'client') {
      this.#send(registerReply(-1));
      return undefined;
    }
    const known = this.#identity;
    if (known !== undefined && known.imei !== message.fields.imei) {
      this.#send(registerReply(-1));
      const detail = `it registered again as ${message.fields.imei} on the link of ${known.imei}`;
      return { reason: 'identity_changed', detail, how: 'end' };
    }
    this.#introduce(message.fields);
    this.#admit(now);
    return undefined;
  }

  #introduce(identity: Identity): void {
    const { axes } = this.#context;
    this.#identity = identity;
    axes.setPart('identity', identity);
    const { imei = '' } = identity;
    const odd = /^\d{15}$/.test(imei) && !luhnValid(imei);
    axes.setPart('warnings', odd ? ['imei_checksum'] : undefined);
    if (odd) {
      const text = `the last digit of IMEI ${imei} does not fit the others; it is used as it is`;
      this.#context.emit({ type: 'log', level: 'warn', reason: 'imei_checksum', text });
    }
    this.#send(registerReply(0));
  }

  /** A server takes the peer for known; its own beats, where it is to beat, begin. */
  #admit(now: Instant): void {
    const first = !this.#registered;
    this.#registered = true;
    this.#context.seen = true;
    if (first) this.#beginBeating(now);
    this.#succeed(now);
  }

  #replied(message: BuiltinMessage & { kind: 'reply' }, now: Instant): Ending | undefined {
    const { counts } = this.#context.stats;
    if (message.error !== 0) counts.error_replies += 1;
    const beat = message.name === 'heartbeat' ? this.#beatReplied(now) : undefined;
    const match = this.#requests.replied(message, now);
    if (match.kind === 'late') {
      counts.late_replies += 1;
      this.#publish(message, 'late');
    } else if (match.kind === 'answers' || beat === 'expected') {
      this.#publish(message);
    } else {
      counts.unsolicited_replies += 1;
      this.#publish(message, 'unsolicited');
    }
    if (message.name === 'register' && match.kind === 'answers')
      return this.#registerReplied(message.error, now);
    if (message.name === 'heartbeat') this.#succeed(now);
    return undefined;
  }

  #beatReplied(now: Instant): 'expected' | 'unsolicited' {
    const { stats } = this.#context;
    stats.counts.last_heartbeat_at = now.wallMs;
    const roundTrip = this.#life.beatAnswered(now.monoMs);
    if (roundTrip === 'unsolicited') return roundTrip;
    this.#beatAnswered = true;
    if (roundTrip !== 'ambiguous') stats.answered(roundTrip);
    return 'expected';
  }

  #registerReplied(error: number, now: Instant): Ending | undefined {
    if (error !== 0) {
      const detail = `the peer answered our register with error ${error}; check register.appid and register.imei`;
      return { reason: 'register_refused', detail, how: 'end' };
    }
    this.#registered = true;
    this.#beginBeating(now);
    this.#succeed(now);
    return undefined;
  }

  #weBeat(): boolean {
    const { heartbeat, role } = this.#context.settings;
    return heartbeat.from === 'both' || heartbeat.from === role;
  }

  #beginBeating(now: Instant): void {
    if (!this.#weBeat()) return;
    this.#life.beginBeating(now.monoMs);
    this.#beat(now);
  }

  #beat(now: Instant): void {
    this.#echo?.beatSent();
    this.#requests.beat(now);
  }

  /** Online as soon as everything that this role and transport ask for has happened. */
  #succeed(now: Instant): void {
    const { settings, axes } = this.#context;
    if (this.#succeeded || !this.#registered) return;
    // On a serial line a register reply may be a leftover in some buffer; a heartbeat reply is the peer's word of now.
    const wantsBeat = settings.transport === 'serial' && settings.role === 'client' && this.#weBeat();
    if (wantsBeat && !this.#beatAnswered) return;
    this.#succeeded = true;
    this.#context.succeeded();
    this.#context.stats.tally.lives += 1;
    axes.setStatus('online', now.wallMs);
    const over = axes.document.link.address ?? settings.transport;
    this.#context.emit({ type: 'log', level: 'info', reason: 'online', text: `online over ${over}` });
    this.#requests.beginClock(now);
  }

  #publish(message: Message | InvalidPayload, mark?: 'late' | 'unsolicited'): void {
    this.#context.emit({ type: 'publishMessage', message, ...(mark === undefined ? {} : { mark }) });
  }

  #send(message: Message): void {
    this.#context.emit({ type: 'send', message });
  }
}

const BEAT_ANSWER: Message = { name: 'heartbeat', kind: 'reply', error: 0 };

const echo = (what: string): Ending => ({
  reason: 'echo',
  detail: `our own ${what} came back: a loopback plug, or an adapter that echoes what is sent`,
  how: 'destroy',
});

/** So many beats in a row that come back as they went are suspicious. */
const ENOUGH = 2;

/**
 * Detects a line that echoes what we send only after the register, as with a plug that is exchanged: our
 * beat comes back as a request, and our answer to that as its reply. A peer that beats at the same moment looks alike, so
 * after a few such beats the answer is withheld: a peer replies all the same, a line that echoes has nothing to return.
 */
class EchoWatch {
  #awaits: 'request' | 'reply' | undefined;
  #returned = 0;
  #withheld = 0;
  #peerIsThere = false;

  /** Requests that are not answered before something else comes; where that is nothing by the next beat, they were echoes. */
  get withheld(): number {
    return this.#withheld;
  }

  /** One of our beats goes out. */
  beatSent(): void {
    if (this.#awaits !== undefined) this.#returned = 0;
    this.#awaits = 'request';
  }

  /** A valid frame came; returns how many withheld requests are to be answered now. */
  received({ name, kind }: Message): number {
    // A question for the time comes back in the same way, and at any time.
    if (this.#peerIsThere || name === 'datetime') return 0;
    const beat = name === 'heartbeat' && kind === 'request';
    if (this.#withheld > 0) {
      if (beat) this.#withheld += 1;
      return beat ? 0 : this.#release();
    }
    if (name === 'heartbeat' && kind === this.#awaits) {
      this.#awaits = beat ? 'reply' : undefined;
      if (!beat) this.#returned += 1;
      else if (this.#returned >= ENOUGH) this.#withheld = 1;
    } else {
      this.#returned = 0;
      this.#awaits = undefined;
    }
    return 0;
  }

  #release(): number {
    const released = this.#withheld;
    this.#withheld = 0;
    this.#peerIsThere = true;
    return released;
  }
}
