import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import type { Transport } from '../contract/index.ts';
import { plainAddress } from '../system/index.ts';
import { formatHostPort, parseEndpoint } from './address.ts';
import { IdleSensor } from './idle-sensor.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from './link.ts';
import { goneEnd, LinkLife, ownEnd, peerEnd } from './link-life.ts';
import type { LinkTransport } from './link-transport.ts';
import { asLookup, type NameAnswer, type NameResolver, systemNames } from './names/name-resolver.ts';
import { brokenEnd, connectEnd } from './tcp-end.ts';
import { WriteQueue } from './write-queue.ts';

/** A TCP peer; `host` without brackets. */
export interface TcpAddress {
  readonly scheme: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** Delay of the first keep-alive probe; Node silently drops values below 1,000 ms. */
export const KEEP_ALIVE_MS = 15_000;

/** Time given to each address of a name but the last; Node's own 250 ms is less than one round trip over a satellite. */
const FAMILY_ATTEMPT_MS = 2_500;

export interface TcpLinkOptions {
  /** Silence after which `idle` is called, in ms: for a serial line behind a TCP serial server. */
  readonly idleAfterMs?: number | undefined;
  /** Resolves the host where it is a name; absent: the resolver of the process. */
  readonly names?: NameResolver | undefined;
}

/** A stream socket that is dialled by something else than host and port. */
export interface SocketDialler {
  readonly transport: Transport;
  /** Where it leads, as text. */
  readonly address: string;
  dial(): Socket;
  /** Why it could not be opened. */
  failed(error: unknown): LinkEnd;
}

/** A TCP connection, dialled by us or accepted from a listener; or another stream socket that we dial. */
export class TcpLink implements Link {
  readonly transport: Transport;
  readonly address: string;
  readonly #target: TcpAddress | SocketDialler | undefined;
  readonly resolves: boolean;
  readonly #names: NameResolver;
  #idleAfterMs: number | undefined;
  readonly #life = new LinkLife();
  #socket: Socket | undefined;
  #queue: WriteQueue | undefined;
  #sensor: IdleSensor | undefined;
  /** The first bytes of an accepted link, until it is known whether its peer is still there. */
  #first: Uint8Array[] | undefined;
  /** Leaves the look-up of the name; there while it runs. */
  #leaveLookUp: (() => void) | undefined;
  /** That the address dialled may be an old one. */
  #stale: string | undefined;

  private constructor(target: TcpAddress | SocketDialler | Socket, options: TcpLinkOptions) {
    this.#idleAfterMs = options.idleAfterMs;
    this.#names = options.names ?? systemNames;
    this.resolves = 'scheme' in target && isIP(target.host) === 0;
    this.transport = 'dial' in target ? target.transport : 'tcp';
    if ('scheme' in target || 'dial' in target) {
      this.#target = target;
      this.address = 'dial' in target ? target.address : formatHostPort(target.host, target.port);
      return;
    }
    this.address = formatHostPort(plainAddress(target.remoteAddress ?? ''), target.remotePort ?? 0);
    this.#take(target);
  }

  /** A link that dials when it is opened. */
  static dial(target: TcpAddress | SocketDialler, options: TcpLinkOptions = {}): TcpLink {
    return new TcpLink(target, options);
  }

  /** A link over a connection that is there; takes the socket over. */
  static accepted(socket: Socket, options: TcpLinkOptions = {}): TcpLink {
    return new TcpLink(socket, options);
  }

  get queued(): number {
    return this.#queue?.queued ?? 0;
  }

  open(handlers: LinkHandlers): void {
    this.#idleAfterMs = handlers.idleAfterMs ?? this.#idleAfterMs;
    if (!this.#life.begin(handlers)) {
      // It ended before it had handlers.
      if (this.#socket === undefined || this.#socket.closed) setImmediate(() => this.#finish());
      return;
    }
    const target = this.#target;
    if (target === undefined) process.nextTick(() => this.#opened());
    else if ('dial' in target) this.#dial(() => target.dial());
    else if (this.resolves) this.#resolve(target);
    else this.#dial(() => connect(optionsOf(target)));
  }

  send(bytes: Uint8Array): SendOutcome {
    if (!this.#life.isOpen || this.#queue === undefined) return 'link_not_open';
    return this.#queue.send(bytes);
  }

  end(): void {
    if (this.#life.end(ownEnd(this.address), () => this.destroy())) this.#writeOut();
  }

  destroy(): void {
    const connected = this.#life.isOpen;
    if (!this.#life.destroying(ownEnd(this.address))) return;
    // Answers to what came before whatever ends the link: written where the socket takes them at once, else dropped.
    if (connected) this.#queue?.flush();
    this.#socket?.destroy();
    if (this.#leaveLookUp === undefined) return;
    this.#leaveLookUp();
    this.#leaveLookUp = undefined;
    setImmediate(() => this.#finish());
  }

  #resolve(target: TcpAddress): void {
    this.#leaveLookUp = this.#names.lookUp(target.host, (answer) => {
      this.#leaveLookUp = undefined;
      this.#resolved(target, answer);
    });
  }

  #resolved(target: TcpAddress, answer: NameAnswer): void {
    if (!answer.ok) {
      this.#life.destroying(answer.end);
      this.#finish();
      return;
    }
    this.#stale = answer.stale;
    this.#life.dialling(answer.stale);
    // The handler may have closed the link.
    if (this.#life.isOpening) this.#dial(() => connect(optionsOf(target, answer.addresses)));
    else if (this.#socket === undefined) setImmediate(() => this.#finish());
  }

  #connectEnd(error: unknown): LinkEnd {
    const target = this.#target;
    const end =
      target !== undefined && 'dial' in target ? target.failed(error) : connectEnd(error, this.address);
    return this.#stale === undefined ? end : { ...end, detail: `${end.detail} ${this.#stale}` };
  }

  #dial(connected: () => Socket): void {
    try {
      this.#take(connected());
    } catch (error) {
      // Node throws on a port that cannot be one; that is an end like any other.
      this.#life.destroying(this.#connectEnd(error));
      setImmediate(() => this.#finish());
    }
  }

  #take(socket: Socket): void {
    this.#socket = socket;
    this.#queue = new WriteQueue(socket);
    socket.on('connect', () => this.#opened());
    socket.on('end', () => {
      this.#takeFirst(true);
      if (this.#life.ending(peerEnd(this.address), () => this.destroy())) this.#writeOut();
    });
    socket.on('error', (error) => {
      this.#takeFirst(true);
      const dialling = this.#target !== undefined && this.#life.isOpening;
      this.#life.destroying(dialling ? this.#connectEnd(error) : brokenEnd(error, this.address));
      socket.destroy();
    });
    socket.on('close', () => this.#finish());
  }

  #opened(): void {
    const socket = this.#socket;
    if (socket === undefined || !this.#life.isOpening) return;
    if (this.#idleAfterMs !== undefined) {
      this.#sensor = new IdleSensor(this.#idleAfterMs, () => this.#life.idle());
    }
    let keepsFirst = this.#life.keepsFirst && this.#target === undefined;
    this.#life.opened(this.address);
    socket.on('data', (chunk) => {
      if (this.#life.isOver) return;
      if (keepsFirst) {
        keepsFirst = false;
        this.#first = [chunk];
        // This turn reads no more of this socket; the end behind these bytes is read in the next one.
        setImmediate(() => setImmediate(() => this.#takeFirst(false)));
      } else if (this.#first !== undefined) this.#first.push(chunk);
      else this.#read(chunk);
    });
  }

  #read(chunk: Uint8Array): void {
    this.#life.data(chunk);
    this.#sensor?.sawBytes();
  }

  /** Reads what was kept back, unless the peer is `gone` and the receiver drops it. */
  #takeFirst(gone: boolean): void {
    const chunks = this.#first;
    this.#first = undefined;
    if (chunks === undefined || this.#life.isOver) return;
    if (!gone || !this.#life.dropsUnread(Buffer.concat(chunks))) {
      for (const chunk of chunks) if (!this.#life.isOver) this.#read(chunk);
      return;
    }
    this.#life.destroying(goneEnd(this.address));
    this.#socket?.destroy();
  }

  /** Both ways out: by `end`, and after the peer's FIN, when what was accepted is still written out for it. */
  #writeOut(): void {
    this.#queue?.flush();
    this.#socket?.end();
  }

  #finish(): void {
    this.#sensor?.close();
    this.#life.finish(peerEnd(this.address));
  }
}

const optionsOf = ({ host, port }: TcpAddress, addresses?: readonly string[]): NetConnectOpts => ({
  host,
  port,
  lookup: addresses === undefined ? undefined : asLookup(addresses),
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_MS,
  autoSelectFamilyAttemptTimeout: FAMILY_ATTEMPT_MS,
});

const FIX = 'Write tcp:HOST:PORT, for example tcp:10.0.0.7:9089 or tcp:[fe80::1%eth0]:9089.';

export const tcp: LinkTransport<TcpAddress> = {
  parse(rest) {
    const endpoint = parseEndpoint(rest, 1, FIX);
    return endpoint.ok ? { ok: true, value: { scheme: 'tcp', ...endpoint.value } } : endpoint;
  },
  label: ({ host, port }) => formatHostPort(host, port),
  dial: (address, options) => TcpLink.dial(address, options),
};
