import { createServer, isIP, type Server } from 'node:net';
import { HeartwireError } from '../errors.ts';
import { plainAddress } from '../system/index.ts';
import { formatHostPort } from './address.ts';
import type { LinkEnd, Listener, ListenerHandlers } from './link.ts';
import { type NameAnswer, type NameResolver, systemNames } from './names/name-resolver.ts';
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
  readonly #names: NameResolver;
  #address: string;
  #handlers: ListenerHandlers | undefined;
  #server: Server | undefined;
  #over = false;
  #leaveLookUp: (() => void) | undefined;

  constructor(target: TcpListenAddress, names: NameResolver = systemNames) {
    this.#target = target;
    this.#names = names;
    this.#address = formatHostPort(target.host, target.port);
  }

  /** As configured; from `listening` on with the port that was really taken. */
  get address(): string {
    return this.#address;
  }

  start(handlers: ListenerHandlers): void {
    if (this.#handlers !== undefined)
      throw new HeartwireError('bad_argument', 'A listener is started only once.');
    this.#handlers = handlers;
    if (this.#over) {
      setImmediate(() => handlers.closed(this.#ownEnd()));
      return;
    }
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    this.#server = server;
    server.on('listening', () => this.#listening(server, handlers));
    server.on('connection', (socket) => {
      const host = socket.remoteAddress;
      // Without an address the peer is gone already.
      if (this.#over || host === undefined) socket.destroy();
      else handlers.accepted(TcpLink.accepted(socket), plainAddress(host));
    });
    server.on('error', (error) => this.#failed(server, handlers, error));
    const { host } = this.#target;
    if (isIP(host) !== 0) this.#listen(server, handlers, host);
    else {
      this.#leaveLookUp = this.#names.lookUp(host, (answer) => this.#resolved(server, handlers, answer));
    }
  }

  #resolved(server: Server, handlers: ListenerHandlers, answer: NameAnswer): void {
    this.#leaveLookUp = undefined;
    if (answer.ok) {
      this.#listen(server, handlers, answer.addresses[0] ?? this.#target.host);
      return;
    }
    this.#over = true;
    handlers.closed(answer.end);
  }

  #listen(server: Server, handlers: ListenerHandlers, host: string): void {
    try {
      server.listen({ host, port: this.#target.port, backlog: BACKLOG });
    } catch (error) {
      // Node throws on a port that cannot be one.
      this.#over = true;
      setImmediate(() => handlers.closed(listenEnd(error, this.#address, this.#target.port)));
    }
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    this.#leaveLookUp?.();
    // The server's own `close` waits for every accepted link, and those are not the listener's.
    this.#server?.close();
    setImmediate(() => handlers.closed(this.#ownEnd()));
  }

  #listening(server: Server, handlers: ListenerHandlers): void {
    if (this.#over) {
      // Closed while the host name was still being resolved.
      server.close();
      return;
    }
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') {
      this.#address = formatHostPort(this.#target.host, bound.port);
    }
    handlers.listening(this.#address);
  }

  #failed(server: Server, handlers: ListenerHandlers, error: Error): void {
    if (this.#over) return;
    if (server.listening) {
      handlers.acceptFailed?.({
        code: 'accept_failed',
        detail: `A peer could not be accepted at ${this.#address} (${systemCode(error)}). Look for a low limit on open files.`,
      });
      return;
    }
    this.#over = true;
    handlers.closed(listenEnd(error, this.#address, this.#target.port));
  }

  #ownEnd(): LinkEnd {
    return { code: 'link_ended', detail: `We stopped listening at ${this.#address}.` };
  }
}
