import type { Socket } from 'node:net';
import type { Clock } from '../../system/clock.ts';
import type { TransportSocket } from '../hub/connection.ts';
import { endSocket } from './end-socket.ts';
import { HEARTBEAT_COMMENT } from './sse-frame.ts';

/** A stream of server-sent events: nothing is read, so nothing is paused, and nobody answers. */
export class SseSocket implements TransportSocket {
  readonly pingFrame = HEARTBEAT_COMMENT;
  readonly answersPings = false;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #closeTimeoutMs: number;

  constructor(socket: Socket, clock: Clock, closeTimeoutMs: number) {
    this.#socket = socket;
    this.#clock = clock;
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  get open(): boolean {
    return this.#socket.writable;
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    endSocket(this.#socket, this.#clock, this.#closeTimeoutMs);
  }
}
