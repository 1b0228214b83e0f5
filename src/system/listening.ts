import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { HeartwireError } from '../errors.ts';
import type { Clock, Timer } from './clock.ts';

/** Why a port could not be taken, and what to do next; `keys` is where the configuration says which. */
export function listenError(
  cause: unknown,
  host: string,
  port: number,
  keys: 'server' | 'server.tcp' = 'server',
): HeartwireError {
  const another = `${keys === 'server' ? '--port or ' : ''}${keys}.port in devices.yaml`;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'name_not_resolved' && cause instanceof HeartwireError) return cause;
  const address = `${urlHost(host)}:${port}`;
  const details = { seen: address, cause };
  if (code === 'EADDRINUSE') {
    return new HeartwireError('address_in_use', `Another program listens on ${address}.`, {
      ...details,
      fix: `Take another port with ${another} (0 takes any free one), or stop the other program.`,
    });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'host_unknown') {
    return new HeartwireError('address_unavailable', `${host} is no address of this machine.`, {
      ...details,
      fix: `Set ${keys}.host to an address of this machine: 127.0.0.1 for this machine only, 0.0.0.0 for all its networks.`,
    });
  }
  if (code === 'EACCES') {
    return new HeartwireError('listen_failed', `The system does not let this program listen on ${address}.`, {
      ...details,
      fix: `Ports below 1024 need special rights; take a higher one with ${another}.`,
    });
  }
  return new HeartwireError('listen_failed', `Listening on ${address} failed: ${String(cause)}.`, {
    ...details,
    fix: `Check ${keys}.host and ${keys}.port in devices.yaml.`,
  });
}

/** As a browser's address line takes it; a wildcard is reached over loopback. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * Connections that may wait to be accepted, as far as the operating system allows so many. Where there is no room, the
 * other end of one that was cut off there takes itself for connected, and may wait for the first word for a minute: with
 * Node's own 511, a herd that comes back is enough for that.
 */
export const BACKLOG = 4_096;

/** From the connection to the end of the handshake. */
export const HANDSHAKE_MS = 10_000;

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
    const timer = this.#clock.setTimer(monoMs + this.#limitMs, () => socket.destroy());
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
