import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import type { Clock, Timer } from './clock.ts';

/** From the connection to the end of the handshake. */
const HANDSHAKE_MS = 10_000;

/**
 * Connections to a TLS port that have not come through their handshake: each has so long for it as a whole, whether it
 * is silent or sends a byte now and then. Node bounds the silence only, and closes nothing when that is over.
 */
export class Handshakes {
  readonly #clock: Clock;
  readonly #limitMs: number;
  /** By the other end, which is what the plain socket and the one over TLS have in common. */
  readonly #under = new Map<string, { readonly socket: Socket; readonly timer: Timer }>();

  constructor(clock: Clock, limitMs = HANDSHAKE_MS) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  get size(): number {
    return this.#under.size;
  }

  /** To be called before the server listens, and before it is given other listeners for its connections. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#began(socket));
    server.on('secureConnection', (socket) => this.#over(endOf(socket)));
    // By default a failed handshake of HTTPS is handed on as a failed request, and an answer to it crashes the process (Node 20).
    server.removeAllListeners('tlsClientError');
    server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /** Closes those that are under way. */
  destroyAll(): void {
    for (const { socket } of [...this.#under.values()]) socket.destroy();
  }

  #began(socket: Socket): void {
    if (socket.remoteAddress === undefined) {
      // The peer is gone already.
      socket.destroy();
      return;
    }
    const end = endOf(socket);
    const { monoMs } = this.#clock.now();
    // Behind a loop that stood still the rest of the handshake may lie in the socket already.
    const timer = this.#clock.setTimer(monoMs + this.#limitMs, () => {
      this.#clock.afterReading(() => {
        if (this.#under.get(end)?.socket === socket) socket.destroy();
      });
    });
    this.#under.set(end, { socket, timer });
    socket.once('close', () => {
      timer.cancel();
      if (this.#under.get(end)?.socket === socket) this.#under.delete(end);
    });
  }

  #over(end: string): void {
    this.#under.get(end)?.timer.cancel();
    this.#under.delete(end);
  }
}

const endOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
