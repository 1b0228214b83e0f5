import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { SecureContextOptions, Server as TlsServer } from 'node:tls';
import { HeartwireError } from '../errors.ts';
import { type Clock, Handshakes, type TlsSource } from '../system/index.ts';
import { urlHost } from './address.ts';
import { listeningHost } from './names/name-resolver.ts';

/**
 * Connections that may wait to be accepted, as far as the operating system allows so many. Where there is no room, the
 * peer of one that was cut off there believes that it is connected, and may wait for the first byte for a minute: with
 * Node's own 511, a herd that comes back is enough for that.
 */
const BACKLOG = 4_096;

/** Connections at once; more are closed as they come. */
const MAX_CONNECTIONS = 20_000;

export interface ServerPortOptions {
  /** What listens, for texts. */
  readonly server: string;
  /** Where the configuration has its host and its port. */
  readonly keys: 'server' | 'server.tcp';
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  /** Absent: no TLS. Its owner disposes of it. */
  readonly tls?: TlsSource | undefined;
  /** How long a TLS handshake may take; 10 s where it is left out. */
  readonly handshakeMs?: number | undefined;
  /** Accepting a connection failed, for want of file descriptors for instance; the server goes on. */
  failed?(error: HeartwireError): void;
}

/** The port that a server of the bridge listens on, with or without TLS: taken once, given back once. */
export class ServerPort {
  readonly #options: ServerPortOptions;
  readonly #handshakes: Handshakes;
  #server: Server | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ServerPortOptions) {
    this.#options = options;
    this.#handshakes = new Handshakes(options.clock, options.handshakeMs);
  }

  /**
   * The server, which does not listen yet.
   * @throws HeartwireError `bad_argument` at a second call; `tls_*`
   */
  async make<S extends Server>(
    plain: () => S,
    secure: (pair: SecureContextOptions) => S & TlsServer,
  ): Promise<S> {
    const { server: name, tls } = this.#options;
    if (this.#server !== undefined) throw new HeartwireError('bad_argument', `${name} was started already.`);
    const server = tls === undefined ? plain() : this.#secured(secure(await tls.load()), tls);
    server.maxConnections = MAX_CONNECTIONS;
    this.#server = server;
    return server;
  }

  /**
   * Resolves with the port that was taken.
   * @throws HeartwireError `address_in_use`, `address_unavailable`, `listen_failed`
   */
  async listen(server: Server): Promise<number> {
    const { host, port, keys } = this.#options;
    try {
      server.listen({ host: await listeningHost(host), port, backlog: BACKLOG });
      await once(server, 'listening');
    } catch (cause) {
      throw listenError(cause, host, port, keys);
    }
    server.on('error', (cause) => this.#options.failed?.(listenError(cause, host, port, keys)));
    // A TCP server's address is never a path.
    return (server.address() as AddressInfo).port;
  }

  /** Stops listening, ends handshakes, and waits for the connections that the server has accepted. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    if (server === undefined || !server.listening) return;
    const closed = once(server, 'close');
    server.close();
    this.#handshakes.destroyAll();
    await closed;
  }

  #secured<S extends TlsServer>(server: S, tls: TlsSource): S {
    this.#handshakes.watch(server);
    tls.serve(server);
    return server;
  }
}

/** Why a port could not be taken, and what to do next; `keys` is where the configuration says which. */
function listenError(
  cause: unknown,
  host: string,
  port: number,
  keys: ServerPortOptions['keys'],
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
