import { WebSocket } from 'ws';
import type { Carrier } from './connection.ts';
import { PING_FRAME } from './text-frame.ts';

/** `ws` reads and does the closing handshake; what is written goes past it. */
export class WebSocketCarrier implements Carrier {
  readonly pingFrame = PING_FRAME;
  readonly answersPings = true;
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
  }

  get open(): boolean {
    return this.#webSocket.readyState === WebSocket.OPEN;
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
  }
}
