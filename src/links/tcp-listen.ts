import { createServer, isIP, type Server } from 'node:net';
import { plainAddress } from '../system/index.ts';
import { formatHostPort } from './address.ts';
import type { Listener, ListenerHandlers } from './link.ts';
import { ListenerLife } from './listener-life.ts';
import { type NameResolver, systemNames } from './names/name-resolver.ts';
import { KEEP_ALIVE_MS, TcpLink } from './tcp.ts';
import { listenEnd, systemCode } from './tcp-end.ts';

/** A listening TCP address; port 0 takes any free one. */
export interface TcpListenAddress {
  readonly scheme: 'tcp-listen';
  readonly host: string;
  readonly port: number;
}

/** Peers that may wait to be accepted; a rack that comes back after a power cut dials all at once. */
const BACKLOG = 1_024;

/** Listens on one TCP address and hands every peer over as a link. */
export class TcpListener implements Listener {
  readonly #target: TcpListenAddress;
  readonly #life: ListenerLife;
  #server: Server | undefined;

  constructor(target: TcpListenAddress, names: NameResolver = systemNames) {
    this.#target = target;
    this.#life = new ListenerLife(target.host, formatHostPort(target.host, target.port), names);
  }

  /** As configured; from `listening` on with the port that was really taken. */
  get address(): string {
    return this.#life.address;
  }

  start(handlers: ListenerHandlers): void {
    const life = this.#life;
    life.start(handlers, isIP(this.#target.host) !== 0, (host) => this.#listen(handlers, host));
  }

  #listen(handlers: ListenerHandlers, host: string): void {
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    this.#server = server;
    server.on('listening', () => this.#listening(server, handlers));
    server.on('connection', (socket) => {
      const peer = socket.remoteAddress;
      // Without an address the peer is gone already.
      if (this.#life.over || peer === undefined) socket.destroy();
      else handlers.accepted(TcpLink.accepted(socket), plainAddress(peer));
    });
    server.on('error', (error) => this.#failed(server, handlers, error));
    try {
      server.listen({ host, port: this.#target.port, backlog: BACKLOG });
    } catch (error) {
      // Node throws on a port that cannot be one.
      setImmediate(() => this.#life.end(listenEnd(error, this.address, this.#target.port)));
    }
  }

  close(): void {
    // The server's own `close` waits for every accepted link, and those are not the listener's.
    if (this.#life.close()) this.#server?.close();
  }

  #listening(server: Server, handlers: ListenerHandlers): void {
    if (this.#life.over) {
      // Closed while it was being bound.
      server.close();
      return;
    }
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') {
      this.#life.address = formatHostPort(this.#target.host, bound.port);
    }
    handlers.listening(this.address);
  }

  #failed(server: Server, handlers: ListenerHandlers, error: Error): void {
    if (this.#life.over) return;
    if (server.listening) {
      handlers.acceptFailed?.({
        code: 'accept_failed',
        detail: `A peer could not be accepted at ${this.address} (${systemCode(error)}). Look for a low limit on open files.`,
      });
      return;
    }
    this.#life.end(listenEnd(error, this.address, this.#target.port));
  }
}
