import type { Socket } from 'node:net';
import type { Grant } from '../../access/grant.ts';
import { CLOSE_CODES, type CloseReason, mayReconnect } from '../../contract/feed/close-code.ts';
import type { Instant } from '../../instant.ts';
import type { Audience } from '../core/audience.ts';
import type { FeedSession } from '../core/session.ts';
import type { SessionLine } from '../core/session-surroundings.ts';
import { HIGH_WATER, LOW_WATER, type Sink, type Subscriber } from '../core/subscriber.ts';
import { asBuffer } from '../transports/as-buffer.ts';

/** A protocol ping that nothing has answered yet. */
interface OpenPing {
  /** Bytes given to the socket up to and with the ping. */
  readonly handed: number;
  /** Bytes received when it was sent. */
  readonly received: number;
  /** When the last byte of the ping was seen to have left our queue, monotonic ms. */
  leftAtMs: number | undefined;
}

/** Pings both ways that are under way. */
interface Control {
  /** The answer to the last ping that came in. */
  pong: Uint8Array | undefined;
  pingWanted: boolean;
  ping: OpenPing | undefined;
}

/** A socket that is too full to be written to. */
interface Backpressure {
  /** Since when no byte was seen to leave it, monotonic ms. */
  sinceMs: number;
  /** Bytes that had left it then. */
  sent: number;
  /** Messages that arrived with bytes read before reading was paused. */
  readonly unread: string[];
  readonly drained: () => void;
}

/** What ends a connection while something that it said has no answer. */
const UNANSWERED: readonly CloseReason[] = ['message_too_large', 'invalid_utf8', 'internal_error'];

/** What is particular to one kind of transport; it reads the socket, and hands what it reads to the connection. */
export interface TransportSocket {
  /** Messages may still be written. */
  readonly open: boolean;
  /** What asks the other side for a sign of life below the level of messages; absent where there is no such thing. */
  readonly pingFrame: Uint8Array | undefined;
  /** The other side is bound to answer it, and is taken for gone where it does not. */
  readonly answersPings: boolean;
  /** Nothing more is to be read for now. */
  pause(): void;
  resume(): void;
  /** Ends the connection in order, after what was written; has an end of its own where the other side does not answer. */
  close(code: number, reason: string): void;
}

/**
 * One subscriber over any transport. Everything for it is written here, as frames that are made already, straight to
 * the socket; while the socket is too full, nothing more is written to it, and nothing is read from it.
 */
export class Connection implements Sink, SessionLine {
  readonly subscriber: Subscriber;
  /** Where the other end is, as people write it. */
  readonly address: string;
  readonly #transportSocket: TransportSocket;
  readonly #socket: Socket;
  readonly #audience: Audience;
  #session: FeedSession<Connection> | undefined;
  #handed = 0;
  #control: Control | undefined;
  #backpressure: Backpressure | undefined;
  #closedFor: CloseReason | undefined;
  #mayListen = false;
  /** What it may do; absent where it has not shown a token yet. */
  grant: Grant | undefined;
  /** By when it has to show one, monotonic ms; absent where it need not. */
  tokenDueAtMs: number | undefined;
  /** Bytes held, as last counted by the server. */
  counted = 0;
  /** It gets answers only: its program reads once for each object that it writes. */
  quiet = false;
  /** Of all the seconds of an interval, the one in which it is pinged. */
  pingSecond = 0;

  constructor(transportSocket: TransportSocket, socket: Socket, address: string, audience: Audience) {
    this.#transportSocket = transportSocket;
    this.#socket = socket;
    this.address = address;
    this.#audience = audience;
    this.subscriber = audience.admit(this);
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  get closing(): boolean {
    return this.#closedFor !== undefined || !this.#transportSocket.open;
  }

  /** For how long the socket has been too full to be written to, without a byte seen to leave it; 0 where it is not. */
  stuckMs(now: Instant): number {
    const backpressure = this.#backpressure;
    if (backpressure === undefined) return 0;
    const sent = this.#handed - this.unsent;
    if (sent > backpressure.sent) backpressure.sinceMs = now.monoMs;
    backpressure.sent = sent;
    return now.monoMs - backpressure.sinceMs;
  }

  /** It was pinged and not heard since, or is full: time may end it. */
  get awaited(): boolean {
    const control = this.#control;
    return this.#backpressure !== undefined || control?.ping !== undefined || control?.pingWanted === true;
  }

  /** Why our side closed it; undefined where it did not. */
  get closedFor(): CloseReason | undefined {
    return this.#closedFor;
  }

  /** Bytes over the wire so far. */
  get traffic(): { readonly sent: number; readonly received: number } {
    return { sent: this.#handed - this.unsent, received: this.#socket.bytesRead };
  }

  /** Undefined where it is not to stay. */
  get session(): FeedSession<Connection> | undefined {
    return this.#session;
  }

  /** Undefined where it has no session. */
  get clientId(): string | undefined {
    return this.#session?.memory.clientId;
  }

  start(session: FeedSession<Connection>): void {
    this.#session = session;
  }

  /** From now on it gets what goes to everybody; where it is quiet, once it begins. */
  letIn(now: Instant): void {
    this.#mayListen = true;
    if (!this.quiet) this.#audience.letIn(this.subscriber, now);
  }

  /** It is quiet no longer. */
  begin(now: Instant): void {
    this.quiet = false;
    if (this.#mayListen) this.#audience.letIn(this.subscriber, now);
    this.#session?.welcome(now);
  }

  /** To be called only while it is not closing. */
  write(bytes: Uint8Array): number {
    this.#handed += bytes.length;
    this.#socket.write(asBuffer(bytes));
    return this.#socket.writableLength;
  }

  receive(text: string, now: Instant): void {
    if (this.closing) return;
    this.#answered();
    if (this.#backpressure !== undefined) {
      this.#backpressure.unread.push(text);
      return;
    }
    this.#session?.receive(text, now);
    if (this.subscriber.full) this.#pause(now);
  }

  /** A ping below the level of messages came in, to be answered by `pong`; only the last one of those that wait is. */
  pinged(pong: Uint8Array, now: Instant): void {
    this.heard(now);
    this.#controlled().pong = pong;
    this.#audience.wake(this.subscriber);
  }

  heard(now: Instant): void {
    this.#answered();
    this.#session?.heard(now);
  }

  sendPing(): void {
    // Nothing is read from a full subscriber, so its answer could not be heard either.
    if (this.closing || this.#backpressure !== undefined) return;
    if (this.#transportSocket.pingFrame === undefined) {
      // Its session pings it with a message instead, and not everybody answers those.
      if (this.#session?.answersPings === true) this.#awaitAnswer();
      return;
    }
    this.#controlled().pingWanted = true;
    this.#audience.wake(this.subscriber);
  }

  /** Writes what waits, as far as the socket takes it, and returns the bytes that are held then, roughly. */
  flush(now: Instant): number {
    if (this.closing) return this.counted;
    const control = this.#control;
    let held: number;
    if (
      control !== undefined &&
      (control.pong !== undefined || control.pingWanted) &&
      this.unsent <= HIGH_WATER
    ) {
      // Corked, so that both leave in one write.
      this.#socket.cork();
      this.#writeControl(control);
      held = this.subscriber.flush(now);
      this.#socket.uncork();
    } else held = this.subscriber.flush(now);
    // Who holds as little as this is not full.
    if (held > LOW_WATER && this.subscriber.full) this.#pause(now);
    else if (this.#backpressure !== undefined) this.#resume(this.#backpressure, now);
    return held;
  }

  /** The instant up to which an answer to the open ping may be awaited; undefined while none is open. */
  pingDeadlineMs(now: Instant, timeoutMs: number): number | undefined {
    const ping = this.#control?.ping;
    if (ping === undefined || this.#backpressure !== undefined) return undefined;
    if (this.#socket.bytesRead !== ping.received) {
      this.#answered();
      return undefined;
    }
    if (ping.leftAtMs === undefined && this.#handed - this.unsent >= ping.handed) ping.leftAtMs = now.monoMs;
    return ping.leftAtMs === undefined ? undefined : ping.leftAtMs + timeoutMs;
  }

  close(reason: CloseReason, now: Instant, retryAfterMs?: number): void {
    if (this.closing) return;
    this.subscriber.flush(now);
    this.#end(reason, now, retryAfterMs);
  }

  /** A defect showed with it: what waits for it may be what is broken, and is not written. */
  breakOff(now: Instant): void {
    if (!this.closing) this.#end('internal_error', now);
  }

  /** The carrier has closed it by itself. */
  cutOff(reason: CloseReason): void {
    this.#closedFor ??= reason;
    this.dismiss();
  }

  /** It is told nothing any more. */
  dismiss(): void {
    if (this.#backpressure !== undefined) this.#socket.off('drain', this.#backpressure.drained);
    this.#backpressure = undefined;
    this.#audience.dismiss(this.subscriber);
  }

  #end(reason: CloseReason, now: Instant, retryAfterMs?: number): void {
    const { code } = CLOSE_CODES[reason];
    const retry = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
    // Past what waits: if the socket takes anything at all, the reason shall come through.
    // But a quiet one had its answer, and takes what comes next for another.
    if (!this.quiet || this.#socket.bytesRead === 0 || UNANSWERED.includes(reason))
      this.subscriber.sendLast('closing', { code, reason, reconnect: mayReconnect(code), ...retry }, now);
    this.#closedFor = reason;
    this.dismiss();
    // The other side's close frame must be read.
    this.#transportSocket.resume();
    this.#transportSocket.close(code, reason);
  }

  #controlled(): Control {
    this.#control ??= { pong: undefined, pingWanted: false, ping: undefined };
    return this.#control;
  }

  /** It is there: whatever was asked of it is answered. */
  #answered(): void {
    const control = this.#control;
    if (control?.ping === undefined) return;
    control.ping = undefined;
    if (control.pong === undefined && !control.pingWanted) this.#control = undefined;
  }

  #writeControl(control: Control): void {
    if (control.pong !== undefined) this.write(control.pong);
    control.pong = undefined;
    const { pingFrame } = this.#transportSocket;
    if (control.pingWanted && pingFrame !== undefined) {
      control.pingWanted = false;
      this.write(pingFrame);
      if (this.#transportSocket.answersPings) this.#awaitAnswer();
    }
    if (control.ping === undefined) this.#control = undefined;
  }

  #awaitAnswer(): void {
    this.#controlled().ping ??= {
      handed: this.#handed,
      received: this.#socket.bytesRead,
      leftAtMs: undefined,
    };
  }

  #pause(now: Instant): void {
    if (this.#backpressure !== undefined) {
      this.stuckMs(now);
      return;
    }
    const drained = (): void => this.#audience.wake(this.subscriber);
    this.#backpressure = { sinceMs: now.monoMs, sent: this.#handed - this.unsent, unread: [], drained };
    this.#answered();
    this.#socket.on('drain', drained);
    this.#transportSocket.pause();
  }

  #resume({ drained, unread }: Backpressure, now: Instant): void {
    this.#backpressure = undefined;
    this.#socket.off('drain', drained);
    while (!this.closing && !this.#setAside(unread)) {
      const text = unread.shift();
      if (text === undefined) {
        this.#transportSocket.resume();
        return;
      }
      this.receive(text, now);
    }
  }

  /** The socket is full again: messages that were not heard yet wait on. */
  #setAside(unread: readonly string[]): boolean {
    if (this.#backpressure === undefined) return false;
    this.#backpressure.unread.push(...unread);
    return true;
  }
}
