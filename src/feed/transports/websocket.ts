import { WebSocket } from 'ws';
import type { TextPart } from '../core/encoder.ts';
import type { Connection, TransportSocket } from '../hub/connection.ts';
import type { SubscriberRegistry } from '../hub/subscriber-registry.ts';
import { frameAround, textLength } from './text-parts.ts';

const FIN = 0x80;
const TEXT = 0x1;
const PING = 0x9;
const PONG = 0xa;

/** One WebSocket text frame of a server (unmasked, whole) around a text given in parts. */
export function textFrame(parts: readonly TextPart[]): Uint8Array {
  const length = textLength(parts);
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = frameAround(parts, headLength, headLength + length);
  frame[0] = FIN | TEXT;
  if (headLength === 2) frame[1] = length;
  else if (headLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return frame;
}

/** A ping without payload. */
export const PING_FRAME: Uint8Array = Uint8Array.of(FIN | PING, 0);

/** The answer to a ping; its payload is at most 125 bytes. */
export function pongFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + payload.length);
  frame[0] = FIN | PONG;
  frame[1] = payload.length;
  frame.set(payload, 2);
  return frame;
}

/** How a connection ended that the client closed. */
const CLOSED: ReadonlyMap<number, string> = new Map([
  [1000, 'closed'],
  [1001, 'closed'],
  [1005, 'closed'],
  [1006, 'lost'],
]);

/**
 * One WebSocket of a subscriber: `ws` reads and does the closing handshake; frames are written past it. There are very
 * many, so it holds its connection itself, and handles its own events where they are emitted: a listener for each event
 * would take as much memory as all the rest of a subscriber.
 */
export class FeedSocket extends WebSocket implements TransportSocket {
  #subscriberRegistry: SubscriberRegistry | undefined;
  #connection: Connection | undefined;

  get open(): boolean {
    return this.readyState === WebSocket.OPEN;
  }

  get pingFrame(): Uint8Array {
    return PING_FRAME;
  }

  get answersPings(): boolean {
    return true;
  }

  /** From now on what arrives goes to the connection. */
  carry(subscriberRegistry: SubscriberRegistry, connection: Connection): void {
    this.#subscriberRegistry = subscriberRegistry;
    this.#connection = connection;
  }

  /** Also called by `ws`, which writes the close frame past the connection. */
  override close(code?: number, reason?: string | Buffer): void {
    this.#connection?.settle();
    super.close(code, reason);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const [subscriberRegistry, connection] = [this.#subscriberRegistry, this.#connection];
    if (subscriberRegistry === undefined || connection === undefined) return super.emit(event, ...args);
    const [first, second] = args;
    switch (event) {
      case 'message':
        if (second === true) connection.close('unsupported_data', subscriberRegistry.clock.now());
        // A Buffer, the default of `ws`.
        else subscriberRegistry.receive(connection, String(first));
        return true;
      case 'ping':
        if (first instanceof Uint8Array) connection.pinged(pongFrame(first), subscriberRegistry.clock.now());
        return true;
      case 'pong':
        connection.touch(subscriberRegistry.clock.now());
        return true;
      case 'error':
        this.#failed(subscriberRegistry, connection, first);
        return true;
      case 'close':
        subscriberRegistry.leave(connection, CLOSED.get(Number(first)) ?? `code ${Number(first)}`);
        return true;
      default:
        return super.emit(event, ...args);
    }
  }

  /** `ws` has closed with the right code itself, and reads nothing any more, not even the client's close frame. */
  #failed(subscriberRegistry: SubscriberRegistry, connection: Connection, cause: unknown): void {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') connection.closedByTransport('message_too_large');
    if (code === 'WS_ERR_INVALID_UTF8') connection.closedByTransport('invalid_utf8');
    subscriberRegistry.log(
      'error',
      connection.address,
      undefined,
      cause instanceof Error ? cause.message : String(cause),
    );
  }
}
