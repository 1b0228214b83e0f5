import type { Socket } from 'node:net';
import type { Audience } from '../../feed/audience.ts';
import type { FeedSession } from '../../feed/session.ts';
import { HIGH_WATER, type Outlet, type Subscriber } from '../../feed/subscriber.ts';
import { CLOSE_CODES, type CloseReason, mayReconnect } from '../../feed/wire/close-code.ts';
import type { Instant } from '../../instant.ts';
import { asBuffer } from './as-buffer.ts';

/** A protocol ping that nothing has answered yet. */
interface OpenPing {
  /** Bytes given to the socket up to and with the ping. */
  readonly handed: number;
  /** Bytes received when it was sent. */
  readonly received: number;
  /** When the last byte of the ping was seen to have left our queue, monotonic ms. */
  leftAtMs: number | undefined;
}

/** What is particular to one kind of transport; it reads the socket, and hands what it reads to the connection. */
export interface Carrier {
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
export class Connection implements Outlet {
  readonly subscriber: Subscriber;
  readonly #carrier: Carrier;
  readonly #socket: Socket;
  readonly #audience: Audience;
  #session: FeedSession | undefined;
  #handed = 0;
  #pong: Uint8Array | undefined;
  #pingWanted = false;
  #ping: OpenPing | undefined;
  /** Messages that arrived with bytes read before reading was paused. */
  #unread: string[] | undefined;
  #fullSinceMs: number | undefined;
  /** Listens to the socket while it is full. */
  #drained: (() => void) | undefined;
  /** Bytes that had left the socket at `fullSinceMs`. */
  #sent = 0;
  #closedFor: CloseReason | undefined;
  /** Bytes held, as last counted by the server. */
  counted = 0;

  constructor(carrier: Carrier, socket: Socket, audience: Audience) {
    this.#carrier = carrier;
    this.#socket = socket;
    this.#audience = audience;
    this.subscriber = audience.admit(this);
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  get closing(): boolean {
    return this.#closedFor !== undefined || !this.#carrier.open;
  }

  /** For how long the socket has been too full to be written to, without a byte seen to leave it; 0 where it is not. */
  stuckMs(now: Instant): number {
    if (this.#fullSinceMs === undefined) return 0;
    const sent = this.#handed - this.unsent;
    if (sent > this.#sent) this.#fullSinceMs = now.monoMs;
    this.#sent = sent;
    return now.monoMs - this.#fullSinceMs;
  }

  /** It was pinged and not heard since, or is full: time may end it. */
  get awaited(): boolean {
    return this.#ping !== undefined || this.#pingWanted || this.#fullSinceMs !== undefined;
  }

  /** Why we closed it; undefined where we did not. */
  get closedFor(): CloseReason | undefined {
    return this.#closedFor;
  }

  /** Bytes over the wire so far. */
  get traffic(): { readonly sent: number; readonly received: number } {
    return { sent: this.#handed - this.unsent, received: this.#socket.bytesRead };
  }

  get session(): FeedSession | undefined {
    return this.#session;
  }

  start(session: FeedSession): void {
    this.#session = session;
  }

  /** From now on it hears what goes to everybody. */
  letIn(now: Instant): void {
    this.#audience.letIn(this.subscriber, now);
  }

  write(bytes: Uint8Array): void {
    if (!this.#carrier.open) return;
    this.#handed += bytes.length;
    this.#socket.write(asBuffer(bytes));
  }

  receive(text: string, now: Instant): void {
    if (this.closing) return;
    this.#ping = undefined;
    if (this.#fullSinceMs !== undefined) {
      this.#unread ??= [];
      this.#unread.push(text);
      return;
    }
    this.#session?.receive(text, now);
    if (this.subscriber.full) this.#pause(now);
  }

  /** A ping below the level of messages came in, to be answered by `pong`; only the last one of those that wait is. */
  pinged(pong: Uint8Array, now: Instant): void {
    this.#pong = pong;
    this.heard(now);
    this.#audience.wake(this.subscriber);
  }

  heard(now: Instant): void {
    this.#ping = undefined;
    this.#session?.heard(now);
  }

  sendPing(): void {
    // Nothing is read from a full subscriber, so its answer could not be heard either.
    if (this.closing || this.#fullSinceMs !== undefined) return;
    if (this.#carrier.pingFrame === undefined) {
      // Its session pings it with a message instead, and not everybody answers those.
      if (this.#session?.answersPings === true) this.#awaitAnswer();
      return;
    }
    this.#pingWanted = true;
    this.#audience.wake(this.subscriber);
  }

  /** Writes what waits, as far as the socket takes it; false where it is closed, and nothing is. */
  flush(now: Instant): boolean {
    if (this.closing) return false;
    const control = this.#pong !== undefined || this.#pingWanted;
    if (control && this.unsent <= HIGH_WATER) {
      // Corked, so that both leave in one write.
      this.#socket.cork();
      this.#writeControl();
      this.subscriber.flush(now);
      this.#socket.uncork();
    } else this.subscriber.flush(now);
    if (this.subscriber.full) this.#pause(now);
    else if (this.#fullSinceMs !== undefined) this.#resume(now);
    return true;
  }

  /** The instant up to which an answer to the open ping may be awaited; undefined while none is open. */
  pingDeadlineMs(now: Instant, timeoutMs: number): number | undefined {
    const ping = this.#ping;
    if (ping === undefined || this.#fullSinceMs !== undefined) return undefined;
    if (this.#socket.bytesRead !== ping.received) {
      this.#ping = undefined;
      return undefined;
    }
    if (ping.leftAtMs === undefined && this.#handed - this.unsent >= ping.handed) ping.leftAtMs = now.monoMs;
    return ping.leftAtMs === undefined ? undefined : ping.leftAtMs + timeoutMs;
  }

  close(reason: CloseReason, now: Instant, retryAfterMs?: number): void {
    if (this.closing) return;
    const code = CLOSE_CODES[reason];
    const retry = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
    this.subscriber.flush(now);
    // Past what waits: if the socket takes anything at all, the reason shall come through.
    this.subscriber.sendLast('closing', { code, reason, reconnect: mayReconnect(code), ...retry }, now);
    this.#closedFor = reason;
    this.#unread = undefined;
    this.#audience.dismiss(this.subscriber);
    // The other side's close frame must be read.
    this.#carrier.resume();
    this.#carrier.close(code, reason);
  }

  /** It is told nothing any more. */
  dismiss(): void {
    this.#audience.dismiss(this.subscriber);
  }

  #writeControl(): void {
    if (this.#pong !== undefined) this.write(this.#pong);
    this.#pong = undefined;
    const { pingFrame } = this.#carrier;
    if (!this.#pingWanted || pingFrame === undefined) return;
    this.#pingWanted = false;
    this.write(pingFrame);
    if (this.#carrier.answersPings) this.#awaitAnswer();
  }

  #awaitAnswer(): void {
    this.#ping ??= { handed: this.#handed, received: this.#socket.bytesRead, leftAtMs: undefined };
  }

  #pause(now: Instant): void {
    if (this.#fullSinceMs !== undefined) {
      this.stuckMs(now);
      return;
    }
    this.#fullSinceMs = now.monoMs;
    this.#sent = this.#handed - this.unsent;
    this.#ping = undefined;
    this.#drained ??= () => this.#audience.wake(this.subscriber);
    this.#socket.on('drain', this.#drained);
    this.#carrier.pause();
  }

  #resume(now: Instant): void {
    this.#fullSinceMs = undefined;
    if (this.#drained !== undefined) this.#socket.off('drain', this.#drained);
    while (this.#fullSinceMs === undefined && !this.closing) {
      const text = this.#unread?.shift();
      if (text === undefined) break;
      this.receive(text, now);
    }
    if (this.#fullSinceMs === undefined) this.#carrier.resume();
  }
}
