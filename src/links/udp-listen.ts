import { createSocket, type Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import { HeartwireError } from '../errors.ts';
import { plainAddress } from '../system/index.ts';
import { formatHostPort } from './address.ts';
import type { LinkEnd, Listener, ListenerHandlers } from './link.ts';
import { type NameAnswer, type NameResolver, systemNames } from './names/name-resolver.ts';
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
  readonly #names: NameResolver;
  readonly #peersByHost: boolean;
  readonly #silentAfterMs: number;
  readonly #peers = new Map<string, UdpPeerLink>();
  #address: string;
  #handlers: ListenerHandlers | undefined;
  #socket: Socket | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #bound = false;
  /** It accepts no peers any more; those that it has go on. */
  #over = false;
  #socketClosed = false;
  #leaveLookUp: (() => void) | undefined;

  constructor(target: UdpListenAddress, options: UdpListenerOptions = {}) {
    this.#target = target;
    this.#names = options.names ?? systemNames;
    this.#peersByHost = options.peersByHost ?? false;
    this.#silentAfterMs = options.silentAfterMs ?? SILENT_AFTER_MS;
    this.#address = labelOf(target.host, target.port);
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
    const { host } = this.#target;
    if (isIP(host.split('%')[0] ?? host) !== 0) this.#bind(host);
    else this.#leaveLookUp = this.#names.lookUp(host, (answer) => this.#resolved(answer));
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaveLookUp?.();
    this.#closeUnused();
    const handlers = this.#handlers;
    if (handlers !== undefined) setImmediate(() => handlers.closed(this.#ownEnd()));
  }

  #resolved(answer: NameAnswer): void {
    this.#leaveLookUp = undefined;
    if (answer.ok) return this.#bind(answer.addresses[0] ?? this.#target.host);
    this.#over = true;
    this.#handlers?.closed(answer.end);
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
    if (this.#over) return;
    this.#bound = true;
    this.#address = labelOf(this.#target.host, socket.address().port);
    this.#sweep = setInterval(() => this.#endSilent(), this.#silentAfterMs / 4);
    this.#sweep.unref();
    this.#handlers?.listening(this.#address);
  }

  #arrived(datagram: Uint8Array, address: string, port: number): void {
    if (datagram.length === 0) return;
    const host = plainAddress(address);
    const key = this.#peersByHost ? host : `${host} ${port}`;
    const known = this.#peers.get(key);
    if (known !== undefined) return known.received(datagram, port);
    if (this.#over || this.#peers.size >= MOST_PEERS) return;
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
        if (this.#over) this.#closeUnused();
      },
    });
    this.#peers.set(key, peer);
    peer.received(datagram, port);
    this.#handlers?.accepted(peer, host);
  }

  #endSilent(): void {
    const since = performance.now() - this.#silentAfterMs;
    for (const peer of [...this.#peers.values()]) peer.endIfSilentSince(since);
  }

  #failed(error: unknown): void {
    if (this.#over && this.#socketClosed) return;
    const end = listenEnd(error, this.#address, this.#target.port);
    const wasOver = this.#over;
    this.#over = true;
    for (const peer of [...this.#peers.values()])
      peer.break({ code: 'link_error', detail: `The socket at ${this.#address} failed: ${end.detail}` });
    this.#closeUnused();
    if (!wasOver) this.#handlers?.closed(end);
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

  #ownEnd(): LinkEnd {
    return { code: 'link_ended', detail: `We stopped listening at ${this.#address}.` };
  }
}

function closeLater(socket: Socket): void {
  socket.once('listening', () => socket.close());
  socket.once('error', () => undefined);
}

/** TCP and UDP ports are two things, though they have the same numbers. */
const labelOf = (host: string, port: number): string => `udp:${formatHostPort(host, port)}`;

export const udpListenLabel = ({ host, port }: UdpListenAddress): string => labelOf(host, port);
