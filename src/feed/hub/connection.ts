import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Grant } from '../../access/index.ts';
import { CLOSE_CODES, type CloseReason, mayReconnect } from '../../contract/wire/index.ts';
import type { Instant } from '../../instant.ts';
import type { Clock } from '../../system/index.ts';
import type { Audience } from '../core/audience.ts';
import type { FeedSession } from '../core/session.ts';
import type { SessionConnection } from '../core/session-context.ts';
import { HIGH_WATER, LOW_WATER, type Sink, type Subscriber } from '../core/subscriber.ts';
import { descriptorOf } from '../writes/descriptor.ts';
import { type GroupMember, type GroupWriter, NO_SLOT } from '../writes/group-writer.ts';

let lastBytes: Uint8Array | undefined;
let lastBuffer: Buffer = Buffer.alloc(0);

/**
 * The same bytes as a `Buffer`, which a socket makes of them anyway, once for each write. Bytes for many subscribers
 * come here one write after the other, and so their `Buffer` is made once.
 */
function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes;
  if (bytes !== lastBytes) {
    lastBytes = bytes;
    lastBuffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return lastBuffer;
}

/** Ends a socket after what was written; destroys it where the peer does not take that or does not answer in time. */
export function endSocket(socket: Socket, clock: Clock, timeoutMs: number): void {
  const timer = clock.setTimer(clock.now().monoMs + timeoutMs, () => socket.destroy());
  socket.once('close', () => timer.cancel());
  socket.end();
}

/** The error that a write of Node ends with. */
function writeError(errorNumber: number): Error {
  const code = getSystemErrorName(-errorNumber);
  return Object.assign(new Error(`write ${code}`), { code, errno: -errorNumber, syscall: 'write' });
}

/** A protocol ping that nothing has answered yet. */
interface OpenPing {
  /** Bytes given to the socket up to and with the ping. */
  readonly handed: number;
  /** Bytes received when it was sent. */
  readonly received: number;
  /** When the last byte of the ping was seen to have left the queue of the socket, monotonic ms. */
  leftAtMs: number | undefined;
}

/** Pings that are under way, in both directions. */
interface Control {
  /** The answer to the last ping that came in. */
  pong: Uint8Array | undefined;
  pingWanted: boolean;
  ping: OpenPing | undefined;
}

/** A socket that is too full to be written to. */
interface Backpressure {
  /** Since when no byte has left it, monotonic ms. */
  sinceMs: number;
  /** Bytes that had left it then. */
  sent: number;
  /** Messages that arrived with bytes read before reading was paused. */
  readonly unread: string[];
  readonly drained: () => void;
}

/** Reasons that end a connection while a message of it has no answer. */
const UNANSWERED: readonly CloseReason[] = ['message_too_large', 'invalid_utf8', 'internal_error'];

/** The part of one kind of transport: it reads the socket, and hands messages to the connection. */
export interface TransportSocket {
  /** Messages may still be written. */
  readonly open: boolean;
  /** The ping below the level of messages; absent where the transport has none. */
  readonly pingFrame: Uint8Array | undefined;
  /** The peer must answer it, and counts as gone where it does not. */
  readonly answersPings: boolean;
  /** Stops reading for now. */
  pause(): void;
  resume(): void;
  /** Ends the connection in order, after what was written; and in any case some time later. */
  close(code: number, reason: string): void;
}

/**
 * One subscriber over any transport. Everything for it is written here, as frames that are made already, straight to
 * the socket; while the socket is too full, nothing more is written to it, and nothing is read from it.
 */
export class Connection implements Sink, SessionConnection, GroupMember {
  readonly subscriber: Subscriber;
  /** The address of the peer, in its usual notation. */
  readonly address: string;
  readonly #transportSocket: TransportSocket;
  readonly #socket: Socket;
  readonly #audience: Audience;
  readonly #groupWriter: GroupWriter | undefined;
  /** Absent where its bytes may not go out with those of others. */
  #descriptor: number | undefined;
  /** Its place among what is written together; it may be over. */
  #slot = NO_SLOT;
  #session: FeedSession<Connection> | undefined;
  #handed = 0;
  #control: Control | undefined;
  #backpressure: Backpressure | undefined;
  #closedFor: CloseReason | undefined;
  #whenAnswered: (() => void) | undefined;
  #authorized = false;
  /** What it may do; absent until a token was shown. */
  grant: Grant | undefined;
  /** When the time to show one ends, monotonic ms; absent where none is needed. */
  tokenDueAtMs: number | undefined;
  /** Bytes held, as last counted by the server. */
  counted = 0;
  /** It gets answers only: its program reads one object for each that it writes. */
  quiet = false;
  /** The second of the ping interval in which it is pinged. */
  pingSecond = 0;

  constructor(
    transportSocket: TransportSocket,
    socket: Socket,
    address: string,
    audience: Audience,
    groupWriter?: GroupWriter,
  ) {
    this.#transportSocket = transportSocket;
    this.#socket = socket;
    this.address = address;
    this.#audience = audience;
    this.#groupWriter = groupWriter;
    this.subscriber = audience.admit(this);
    if (groupWriter !== undefined) this.#shareDescriptor();
  }

  #shareDescriptor(): void {
    const socket = this.#socket;
    this.#descriptor = descriptorOf(socket);
    if (this.#descriptor === undefined) return;
    const destroy = socket._destroy;
    // The operating system gives a closed descriptor to the next socket.
    socket._destroy = (error, done) => {
      this.settle();
      this.#descriptor = undefined;
      destroy.call(socket, error, done);
    };
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

  /** It was pinged and is silent since, or is full: it may time out. */
  get awaited(): boolean {
    const control = this.#control;
    return this.#backpressure !== undefined || control?.ping !== undefined || control?.pingWanted === true;
  }

  /** Why the server closed it; undefined where it did not. */
  get closedFor(): CloseReason | undefined {
    return this.#closedFor;
  }

  /** Bytes over the wire so far. */
  get traffic(): { readonly sent: number; readonly received: number } {
    return { sent: this.#handed - this.unsent, received: this.#socket.bytesRead };
  }

  /** Undefined where it was rejected. */
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

  /** From now on it gets broadcasts; where it is quiet, from `begin` on. */
  authorize(now: Instant): void {
    this.#authorized = true;
    if (!this.quiet) this.#audience.join(this.subscriber, now);
  }

  /** It is no longer quiet. */
  begin(now: Instant): void {
    this.quiet = false;
    if (this.#authorized) this.#audience.join(this.subscriber, now);
    this.#session?.welcome(now);
  }

  /** To be called only while it is not closing. */
  write(bytes: Uint8Array, shared = false): number {
    const socket = this.#socket;
    this.#handed += bytes.length;
    this.settle();
    if (shared && this.#descriptor !== undefined && socket.writableLength === 0) {
      this.#slot = this.#groupWriter?.add(this, this.#descriptor, bytes) ?? NO_SLOT;
      if (this.#slot !== NO_SLOT) return socket.writableLength;
    }
    socket.write(asBuffer(bytes));
    return socket.writableLength;
  }

  /** Whatever was written goes before what is written to the socket from now on. */
  settle(): void {
    if (this.#slot === NO_SLOT) return;
    const slot = this.#slot;
    this.#slot = NO_SLOT;
    this.#groupWriter?.settle(slot, this);
  }

  tookLess(rest: Uint8Array): void {
    this.#socket.write(rest);
    if (!this.closing) this.subscriber.filled();
  }

  broken(errorNumber?: number): void {
    this.#socket.destroy(errorNumber === undefined ? undefined : writeError(errorNumber));
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

  /** A ping below the level of messages arrived, to be answered by `pong`; of several that wait, only the last is. */
  pinged(pong: Uint8Array, now: Instant): void {
    this.touch(now);
    this.#controlled().pong = pong;
    this.#audience.wake(this.subscriber);
  }

  touch(now: Instant): void {
    this.#answered();
    this.#session?.touch(now);
  }

  sendPing(): void {
    // Nothing is read from a full subscriber, so its answer could not be read either.
    if (this.closing || this.#backpressure !== undefined) return;
    if (this.#transportSocket.pingFrame === undefined) {
      // Its session pings it with a message instead, which not every client answers.
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
    // A subscriber that holds as little as this is not full.
    if (held > LOW_WATER && this.subscriber.full) this.#pause(now);
    else if (this.#backpressure !== undefined) this.#resume(this.#backpressure, now);
    if (held === 0 && this.#whenAnswered !== undefined && this.session?.answersLater !== true) {
      const act = this.#whenAnswered;
      this.#whenAnswered = undefined;
      act();
    }
    return held;
  }

  /** Calls when all that was asked for is answered, and the socket has taken it: now, or at the end of a later flush. */
  onceAnswered(act: () => void, now: Instant): void {
    this.#whenAnswered = act;
    this.flush(now);
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

  /** A defect showed with it: what waits may be the cause, and is not written. */
  abort(now: Instant): void {
    if (!this.closing) this.#end('internal_error', now);
  }

  /** The transport has closed it by itself. */
  closedByTransport(reason: CloseReason): void {
    this.#closedFor ??= reason;
    this.detach();
  }

  /** Nothing more is written to it. */
  detach(): void {
    if (this.#backpressure !== undefined) this.#socket.off('drain', this.#backpressure.drained);
    this.#backpressure = undefined;
    this.#audience.detach(this.subscriber);
  }

  #end(reason: CloseReason, now: Instant, retryAfterMs?: number): void {
    const { code } = CLOSE_CODES[reason];
    const retry = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
    // It overtakes what waits, so that the reason arrives if the socket takes anything at all.
    // But a quiet client had its answer, and would take this for the next one.
    if (!this.quiet || this.#socket.bytesRead === 0 || UNANSWERED.includes(reason))
      this.subscriber.sendLast('closing', { code, reason, reconnect: mayReconnect(code), ...retry }, now);
    this.#closedFor = reason;
    this.settle();
    this.detach();
    // The close frame of the peer must be read.
    this.#transportSocket.resume();
    this.#transportSocket.close(code, reason);
  }

  #controlled(): Control {
    this.#control ??= { pong: undefined, pingWanted: false, ping: undefined };
    return this.#control;
  }

  /** It showed a sign of life: an open ping is answered. */
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

  /** The socket is full again: messages that were not handled yet wait on. */
  #setAside(unread: readonly string[]): boolean {
    if (this.#backpressure === undefined) return false;
    this.#backpressure.unread.push(...unread);
    return true;
  }
}

/** Runs an action for one connection, or for none any more; a defect in it ends that connection only. */
export type Attempt = (connection: Connection | undefined, act: () => void) => void;
