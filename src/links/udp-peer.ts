import { formatHostPort } from './address.ts';
import { DatagramQueue } from './datagram-queue.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from './link.ts';
import { LinkLife, ownEnd } from './link-life.ts';
import { datagramEnd } from './udp-end.ts';

export interface UdpPeerOptions {
  readonly host: string;
  /** From which it sent first. */
  readonly port: number;
  /** Monotonic ms. */
  readonly nowMs: number;
  send(bytes: Uint8Array, port: number, done: (error: Error | null) => void): void;
  /** Nothing is expected from it any more. Once. */
  gone(): void;
}

/** Datagrams that wait for the link to be opened, which follows at once. */
const MOST_HELD = 16;

/** One peer of a listener for datagrams: as much of a connection as there is. */
export class UdpPeerLink implements Link {
  readonly transport = 'udp';
  readonly address: string;
  readonly #options: UdpPeerOptions;
  readonly #life = new LinkLife();
  readonly #queue: DatagramQueue;
  /** Until it is opened. */
  #held: Uint8Array[] | undefined = [];
  #port: number;
  #lastAtMs: number;
  #begun = false;

  constructor(options: UdpPeerOptions) {
    this.#options = options;
    this.address = formatHostPort(options.host, options.port);
    this.#port = options.port;
    this.#lastAtMs = options.nowMs;
    this.#queue = new DatagramQueue(
      (bytes, done) => options.send(bytes, this.#port, done),
      (error, length) => this.break(datagramEnd(error, this.address, length)),
    );
  }

  get queued(): number {
    return this.#queue.queued;
  }

  open(handlers: LinkHandlers): void {
    const fresh = this.#life.begin(handlers);
    this.#begun = true;
    if (fresh) process.nextTick(() => this.#opened());
    else setImmediate(() => this.#finish());
  }

  send(bytes: Uint8Array): SendOutcome {
    return this.#life.isOpen ? this.#queue.send(bytes) : 'link_not_open';
  }

  end(): void {
    if (!this.#life.end(ownEnd(this.address), () => this.destroy())) return;
    this.#queue.whenEmpty(() => this.destroy());
  }

  destroy(): void {
    this.break(ownEnd(this.address));
  }

  /** A datagram came from it; what is sent goes to its present port. */
  received(datagram: Uint8Array, port: number): void {
    this.#port = port;
    this.#lastAtMs = performance.now();
    if (this.#held === undefined) this.#read(datagram);
    else if (this.#held.length < MOST_HELD) this.#held.push(datagram);
  }

  /** Monotonic ms. */
  endIfSilentSince(sinceMs: number): void {
    if (this.#lastAtMs > sinceMs) return;
    const seconds = Math.round((performance.now() - this.#lastAtMs) / 1_000);
    this.break({
      code: 'link_closed',
      detail: `${this.address} has sent no datagram for ${seconds} s, and UDP knows no other end.`,
    });
  }

  break(end: LinkEnd): void {
    if (!this.#life.destroying(end)) return;
    this.#held = undefined;
    this.#options.gone();
    if (this.#begun) setImmediate(() => this.#finish());
  }

  #opened(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#life.opened(this.address);
    for (const each of held) this.#read(each);
  }

  #read(datagram: Uint8Array): void {
    this.#life.data(datagram);
    this.#life.idle();
  }

  #finish(): void {
    this.#life.finish(ownEnd(this.address));
  }
}
