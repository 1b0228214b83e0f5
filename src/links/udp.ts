import { createSocket, type Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import { formatHostPort, type Parsed, parseEndpoint, refuse } from './address.ts';
import { DatagramQueue } from './datagram-queue.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from './link.ts';
import { LinkLife, ownEnd } from './link-life.ts';
import type { LinkTransport } from './link-transport.ts';
import { type NameAnswer, type NameResolver, systemNames } from './names/name-resolver.ts';
import { listenEnd } from './tcp-end.ts';
import { datagramEnd } from './udp-end.ts';

/** A peer that is spoken to in datagrams; `host` without brackets. */
export interface UdpAddress {
  readonly scheme: 'udp';
  readonly host: string;
  readonly port: number;
  /** The port of this machine to which the peer sends; absent: any free one, which the peer learns from what we send. */
  readonly localPort?: number;
}

export interface UdpLinkOptions {
  /** Resolves the host where it is a name; absent: the resolver of the process. */
  readonly names?: NameResolver | undefined;
}

/**
 * Datagrams to and from one peer. There is no connection: it is open as soon as the socket is there, and a peer that is
 * off looks like one that is silent. Each datagram is a chunk, and its end a silence of the line. Datagrams of others are
 * kept out by the kernel, which also reports where the peer's host says that nothing listens.
 */
export class UdpLink implements Link {
  readonly transport = 'udp';
  readonly address: string;
  readonly resolves: boolean;
  readonly #target: UdpAddress;
  readonly #names: NameResolver;
  readonly #life = new LinkLife();
  #socket: Socket | undefined;
  #queue: DatagramQueue | undefined;
  #leaveLookUp: (() => void) | undefined;
  #closing = false;

  constructor(target: UdpAddress, options: UdpLinkOptions = {}) {
    this.#target = target;
    this.#names = options.names ?? systemNames;
    this.resolves = isIP(target.host) === 0;
    this.address = formatHostPort(target.host, target.port);
  }

  get queued(): number {
    return this.#queue?.queued ?? 0;
  }

  open(handlers: LinkHandlers): void {
    if (!this.#life.begin(handlers)) {
      setImmediate(() => this.#finish());
      return;
    }
    const { host } = this.#target;
    if (!this.resolves) return this.#bind(host);
    this.#leaveLookUp = this.#names.lookUp(host, (answer) => {
      this.#leaveLookUp = undefined;
      this.#resolved(answer);
    });
  }

  send(bytes: Uint8Array): SendOutcome {
    if (!this.#life.isOpen || this.#queue === undefined) return 'link_not_open';
    return this.#queue.send(bytes);
  }

  end(): void {
    if (!this.#life.end(ownEnd(this.address), () => this.destroy())) return;
    this.#queue?.whenEmpty(() => this.destroy());
  }

  destroy(): void {
    if (!this.#life.destroying(ownEnd(this.address))) return;
    if (this.#socket !== undefined) return this.#close();
    if (this.#leaveLookUp === undefined) return;
    this.#leaveLookUp();
    this.#leaveLookUp = undefined;
    setImmediate(() => this.#finish());
  }

  #resolved(answer: NameAnswer): void {
    if (!answer.ok) {
      this.#life.destroying(answer.end);
      this.#finish();
      return;
    }
    this.#life.dialling(answer.stale);
    // The handler may have closed the link.
    if (this.#life.isOpening) this.#bind(answer.addresses[0] ?? this.#target.host);
    else if (this.#socket === undefined) setImmediate(() => this.#finish());
  }

  #bind(host: string): void {
    const { port, localPort = 0 } = this.#target;
    const v6 = isIPv6(host.split('%')[0] ?? host);
    const socket = createSocket({ type: v6 ? 'udp6' : 'udp4' });
    this.#socket = socket;
    let bound = false;
    this.#queue = new DatagramQueue(
      (bytes, done) => socket.send(bytes, done),
      (error, length) => this.#failed(datagramEnd(error, this.address, length)),
    );
    // A refusal is reported here or to the next datagram that is sent, whichever comes first.
    socket.on('error', (error) =>
      this.#failed(bound ? datagramEnd(error, this.address) : bindEnd(error, localPort)),
    );
    socket.on('close', () => this.#finish());
    socket.on('connect', () => this.#opened(socket));
    socket.on('listening', () => {
      bound = true;
      if (!this.#life.isOpening) return;
      socket.connect(port, host);
    });
    try {
      socket.bind({ port: localPort, exclusive: true });
    } catch (error) {
      // Node throws on a port that cannot be one.
      this.#failed(bindEnd(error, localPort));
    }
  }

  #opened(socket: Socket): void {
    if (!this.#life.isOpening) return;
    this.#life.opened(this.address);
    socket.on('message', (datagram) => {
      if (datagram.length === 0) return;
      this.#life.data(datagram);
      this.#life.idle();
    });
  }

  #failed(end: LinkEnd): void {
    if (this.#life.destroying(end)) this.#close();
  }

  #close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket?.close();
  }

  #finish(): void {
    this.#life.finish(ownEnd(this.address));
  }
}

const bindEnd = (error: unknown, port: number): LinkEnd => listenEnd(error, `UDP port ${port}`, port);

const FIX = 'Write udp:HOST:PORT, for example udp:10.0.0.7:9089, or udp:10.0.0.7:9089?local_port=9089.';

function parseUdpAddress(rest: string): Parsed<UdpAddress> {
  const [, target = '', , option] = /^(.*?)(\?(.*))?$/s.exec(rest) ?? [];
  const endpoint = parseEndpoint(target, 1, FIX);
  if (!endpoint.ok) return endpoint;
  if (option === undefined) return { ok: true, value: { scheme: 'udp', ...endpoint.value } };
  const [, text] = /^local_port=(\d{1,5})$/.exec(option) ?? [];
  const localPort = Number(text ?? 0);
  if (localPort < 1 || localPort > 65_535)
    return refuse('Behind the question mark stands local_port, a number from 1 to 65535.', FIX);
  return { ok: true, value: { scheme: 'udp', ...endpoint.value, localPort } };
}

export const udp: LinkTransport<UdpAddress> = {
  parse: parseUdpAddress,
  label: ({ host, port }) => formatHostPort(host, port),
  dial: (address, { names }) => new UdpLink(address, { names }),
};
