import { WebSocket } from 'ws';
import type { Connection } from './connection.ts';
import type { Roster } from './roster.ts';
import { pongFrame } from './text-frame.ts';

/** How a connection ended that the other side closed. */
const CLOSED: ReadonlyMap<number, string> = new Map([
  [1000, 'closed'],
  [1001, 'closed'],
  [1005, 'closed'],
  [1006, 'lost'],
]);

/**
 * One WebSocket of a subscriber. What listens to it is shared by all of them, and finds here whose it is: there are very
 * many, and a closure for each event of each would weigh as much as all that is known of them.
 */
export class FeedSocket extends WebSocket {
  #roster: Roster | undefined;
  #connection: Connection | undefined;
  #address = '';

  /** Reports what goes wrong below the level of messages; `ws` closes with the right code itself. */
  watch(roster: Roster, address: string): void {
    this.#roster = roster;
    this.#address = address;
    this.on('error', onError);
  }

  /** From now on what arrives goes to the connection. */
  carry(connection: Connection): void {
    this.#connection = connection;
    this.on('close', onClose);
    if (connection.session === undefined) return;
    this.on('message', onMessage);
    this.on('ping', onPing);
    this.on('pong', onPong);
  }

  failed(error: Error): void {
    this.#roster?.log('error', this.#address, undefined, error.message);
  }

  ended(code: number): void {
    if (this.#connection !== undefined)
      this.#roster?.leave(this.#connection, CLOSED.get(code) ?? `code ${code}`);
  }

  arrived(data: WebSocket.RawData, isBinary: boolean): void {
    if (this.#roster === undefined) return;
    const now = this.#roster.clock.now();
    if (isBinary) this.#connection?.close('unsupported_data', now);
    else this.#connection?.receive(data.toString(), now);
  }

  pinged(payload: Buffer): void {
    if (this.#roster !== undefined) this.#connection?.pinged(pongFrame(payload), this.#roster.clock.now());
  }

  ponged(): void {
    if (this.#roster !== undefined) this.#connection?.heard(this.#roster.clock.now());
  }
}

function onError(this: WebSocket, error: Error): void {
  if (this instanceof FeedSocket) this.failed(error);
}

function onClose(this: WebSocket, code: number): void {
  if (this instanceof FeedSocket) this.ended(code);
}

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  if (this instanceof FeedSocket) this.arrived(data, isBinary);
}

function onPing(this: WebSocket, payload: Buffer): void {
  if (this instanceof FeedSocket) this.pinged(payload);
}

function onPong(this: WebSocket): void {
  if (this instanceof FeedSocket) this.ponged();
}
