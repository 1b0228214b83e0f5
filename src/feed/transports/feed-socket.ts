import { WebSocket } from 'ws';
import type { Connection, TransportSocket } from '../hub/connection.ts';
import type { SubscriberRegistry } from '../hub/subscriber-registry.ts';
import { PING_FRAME, pongFrame } from './text-frame.ts';

/** How a connection ended that the other side closed. */
const CLOSED: ReadonlyMap<number, string> = new Map([
  [1000, 'closed'],
  [1001, 'closed'],
  [1005, 'closed'],
  [1006, 'lost'],
]);

/**
 * One WebSocket of a subscriber: `ws` reads and does the closing handshake; what is written goes past it. There are very
 * many, so that it carries its connection itself, and takes its own events where they are emitted: a listener for each
 * of them would weigh as much as all that is known of a subscriber.
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

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const [subscriberRegistry, connection] = [this.#subscriberRegistry, this.#connection];
    if (subscriberRegistry === undefined || connection === undefined) return super.emit(event, ...args);
    const [first, second] = args;
    switch (event) {
      case 'message':
        if (second === true) connection.close('unsupported_data', subscriberRegistry.clock.now());
        // A Buffer, since nobody asks for anything else.
        else subscriberRegistry.receive(connection, String(first));
        return true;
      case 'ping':
        if (first instanceof Uint8Array) connection.pinged(pongFrame(first), subscriberRegistry.clock.now());
        return true;
      case 'pong':
        connection.heard(subscriberRegistry.clock.now());
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

  /** `ws` has closed with the right code itself, and reads nothing any more: not even the other side's. */
  #failed(subscriberRegistry: SubscriberRegistry, connection: Connection, cause: unknown): void {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') connection.cutOff('message_too_large');
    if (code === 'WS_ERR_INVALID_UTF8') connection.cutOff('invalid_utf8');
    subscriberRegistry.log(
      'error',
      connection.address,
      undefined,
      cause instanceof Error ? cause.message : String(cause),
    );
  }
}
