import { createSocket, type Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import { plainAddress } from '../system/index.ts';
import { formatHostPort } from './address.ts';
import type { Listener, ListenerHandlers } from './link.ts';
import { ListenerLife } from './listener-life.ts';
import { type NameResolver, systemNames } from './names/name-resolver.ts';
import { listenEnd } from './tcp-end.ts';
import { UdpPeerLink } from './udp-peer.ts';

/** An address at which datagrams of many peers arrive; port 0 takes any free one. */
export interface UdpListenAddress {
  readonly scheme: 'udp-listen';
  readonly host: string;
  readonly port: number;
}

export interface UdpListenerOptions {
  readonly names?: NameResolver | undefined;
  /**
   * Peers are identified by host alone: one that changes its port, behind a router that forgot it, stays what it is, and
   * is answered at the port from which it sent last. Else each port is a peer of its own.
   */
  readonly peersByHost?: boolean | undefined;
  /** A peer that is silent for so long is no peer any more, in ms. */
  readonly silentAfterMs?: number | undefined;
}

/** Longer than devices with heartbeats are silent; the session of each device judges before. */
const SILENT_AFTER_MS = 10 * 60_000;
/** What the kernel keeps for a loop that is busy, in bytes, as far as it allows it. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** Peers at once, below any bound of the receiver: a sender costs nothing to invent. */
const MOST_PEERS = 100_000;

/**
 * Takes the datagrams that arrive at one address, and hands each peer over as a link. A program that reaches the address can
 * send under any sender: what a datagram says decides, not where it seems to come from.
 */
export class UdpListener implements Listener {
  readonly #target: UdpListenAddress;
  readonly #life: ListenerLife;
  readonly #peersByHost: boolean;
  readonly #silentAfterMs: number;
  readonly #peers = new Map<string, UdpPeerLink>();
  #socket: Socket | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #bound = false;
  #socketClosed = false;

  constructor(target: UdpListenAddress, options: UdpListenerOptions = {}) {
    this.#target = target;
    this.#life = new ListenerLife(
      target.host,
      labelOf(target.host, target.port),
      options.names ?? systemNames,
    );
    this.#peersByHost = options.peersByHost ?? false;
    this.#silentAfterMs = options.silentAfterMs ?? SILENT_AFTER_MS;
  }

  /** As configured; from `listening` on with the port that was really taken. */
  get address(): string {
    return this.#life.address;
  }

  start(handlers: ListenerHandlers): void {
    const { host } = this.#target;
    this.#life.start(handlers, isIP(host.split('%')[0] ?? host) !== 0, (address) => this.#bind(address));
  }

  close(): void {
    // The links that it has go on.
    if (this.#life.close()) this.#closeUnused();
  }

  #bind(host: string): void {
    const socket = createSocket({
      type: isIPv6(host.split('%')[0] ?? host) ? 'udp6' : 'udp4',
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      // Peers are addresses: there is nothing to look up. Only `start` must return before it is bound.
      lookup: (name, _options, done) => {
        if (this.#bound) done(null, name, isIP(name));
        else process.nextTick(() => done(null, name, isIP(name)));
      },
    });
    this.#socket = socket;
    socket.on('listening', () => this.#listening(socket));
    socket.on('message', (datagram, { address, port }) => this.#arrived(datagram, address, port));
    socket.on('error', (error) => this.#failed(error));
    try {
      socket.bind({ port: this.#target.port, address: host, exclusive: true });
    } catch (error) {
      // Node throws on a port that cannot be one.
      setImmediate(() => this.#failed(error));
    }
  }

  #listening(socket: Socket): void {
    if (this.#life.over) return;
    this.#bound = true;
    this.#life.address = labelOf(this.#target.host, socket.address().port);
    // What lies in the socket is read first.
    this.#sweep = setInterval(() => setImmediate(() => this.#endSilent()), this.#silentAfterMs / 4);
    this.#sweep.unref();
    this.#life.handlers?.listening(this.address);
  }

  #arrived(datagram: Uint8Array, address: string, port: number): void {
    if (datagram.length === 0) return;
    const host = plainAddress(address);
    const key = this.#peersByHost ? host : `${host} ${port}`;
    const known = this.#peers.get(key);
    if (known !== undefined) return known.received(datagram, port);
    if (this.#life.over || this.#peers.size >= MOST_PEERS) return;
    const peer = new UdpPeerLink({
      host,
      port,
      nowMs: performance.now(),
      send: (bytes, to, done) => {
        if (this.#socketClosed || this.#socket === undefined) done(new Error('The socket is closed.'));
        else this.#socket.send(bytes, to, address, done);
      },
      gone: () => {
        if (this.#peers.get(key) === peer) this.#peers.delete(key);
        if (this.#life.over) this.#closeUnused();
      },
    });
    this.#peers.set(key, peer);
    peer.received(datagram, port);
    this.#life.handlers?.accepted(peer, host);
  }

  #endSilent(): void {
    const since = performance.now() - this.#silentAfterMs;
    for (const peer of [...this.#peers.values()]) peer.endIfSilentSince(since);
  }

  #failed(error: unknown): void {
    if (this.#life.over && this.#socketClosed) return;
    const end = listenEnd(error, this.address, this.#target.port);
    for (const peer of [...this.#peers.values()])
      peer.break({ code: 'link_error', detail: `The socket at ${this.address} failed: ${end.detail}` });
    this.#closeUnused();
    this.#life.end(end);
  }

  /** The socket serves the links that it has, and is closed behind the last one. */
  #closeUnused(): void {
    if (this.#socketClosed || this.#peers.size > 0) return;
    this.#socketClosed = true;
    clearInterval(this.#sweep);
    if (this.#socket === undefined) return;
    if (this.#bound) this.#socket.close();
    // One that is still being bound throws away what it gets.
    else closeLater(this.#socket);
  }
}

function closeLater(socket: Socket): void {
  socket.once('listening', () => socket.close());
  socket.once('error', () => undefined);
}

/** TCP and UDP ports are two things, though they have the same numbers. */
const labelOf = (host: string, port: number): string => `udp:${formatHostPort(host, port)}`;

export const udpListenLabel = ({ host, port }: UdpListenAddress): string => labelOf(host, port);
