import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Bytes that one direction holds before it stops reading, so that a throttled line is felt by the sender. */
const HELD_LIMIT = 64 * 1024;
const PASS_MS = 10;

export interface ThrottlingOptions {
  /** Every byte comes so much later. */
  readonly delayMs?: number;
  /** Upper bound of each direction; absent: unbounded. */
  readonly bytesPerSecond?: number;
}

/** A TCP proxy on 127.0.0.1 that does to connections what networks do. Use with `await using`. */
export class ThrottlingProxy {
  /** Applies to bytes that arrive from now on; all may be changed at any time. */
  delayMs: number;
  bytesPerSecond: number;
  /** New connections are accepted and nothing is ever forwarded on them. */
  blackHole = false;
  readonly port: number;
  /** Where connections lead that are opened from now on. */
  targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #accepted = 0;

  private constructor(server: Server, targetPort: number, options: ThrottlingOptions) {
    this.delayMs = options.delayMs ?? 0;
    this.bytesPerSecond = options.bytesPerSecond ?? Number.POSITIVE_INFINITY;
    this.#server = server;
    this.targetPort = targetPort;
    // A listening TCP server has an address with a port.
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (near) => {
      this.#accepted += 1;
      const far = connect({
        host: '127.0.0.1',
        port: this.targetPort,
        noDelay: true,
        allowHalfOpen: true,
      });
      const pair = new Pair(near, far, this, () => this.#pairs.delete(pair));
      if (this.blackHole) pair.stopForwarding();
      this.#pairs.add(pair);
    });
  }

  /** Starts listening; connections lead to `port` on 127.0.0.1. */
  static async start(port: number, options: ThrottlingOptions = {}): Promise<ThrottlingProxy> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ThrottlingProxy(server, port, options);
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections now open, those that forward nothing included. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Ends every connection in order, towards both sides. */
  cut(): void {
    for (const pair of [...this.#pairs]) pair.destroy();
  }

  /** Resets every connection, towards both sides. */
  reset(): void {
    for (const pair of [...this.#pairs]) pair.reset();
  }

  /**
   * The cable is out: those now open stay open, take nothing beyond what the system holds for them, and carry nothing any
   * more, not even their end; new ones work.
   */
  halfOpen(): void {
    for (const pair of this.#pairs) pair.unplug();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of [...this.#pairs]) pair.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}

/** One connection: two sockets and a pump each way. */
class Pair {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #pumps: readonly [Pump, Pump];
  readonly #gone: () => void;

  constructor(near: Socket, far: Socket, limits: ThrottlingProxy, gone: () => void) {
    this.#near = near;
    this.#far = far;
    this.#gone = gone;
    this.#pumps = [new Pump(near, far, limits), new Pump(far, near, limits)];
    for (const socket of [near, far]) {
      // An error is followed by `close`, which is what counts here.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (this.#pumps.every((pump) => pump.forwards)) this.destroy();
        else if (near.destroyed && far.destroyed) this.#gone();
      });
    }
  }

  stopForwarding(): void {
    for (const pump of this.#pumps) pump.stop();
  }

  unplug(): void {
    this.stopForwarding();
    for (const socket of [this.#near, this.#far]) socket.pause();
  }

  destroy(): void {
    this.#close((socket) => socket.destroy());
  }

  reset(): void {
    this.#close((socket) => socket.resetAndDestroy());
  }

  #close(how: (socket: Socket) => void): void {
    this.stopForwarding();
    how(this.#near);
    how(this.#far);
    this.#gone();
  }
}

/** Carries bytes one way, late and slowly as the limits ask. */
class Pump {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #limits: ThrottlingProxy;
  readonly #held: Array<{ bytes: Buffer; dueAtMs: number }> = [];
  #heldBytes = 0;
  #allowance = 0;
  #lastPassMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  forwards = true;

  constructor(from: Socket, to: Socket, limits: ThrottlingProxy) {
    this.#from = from;
    this.#to = to;
    this.#limits = limits;
    from.on('data', (bytes) => {
      if (!this.forwards) return;
      this.#held.push({ bytes, dueAtMs: performance.now() + limits.delayMs });
      this.#heldBytes += bytes.length;
      if (this.#heldBytes > HELD_LIMIT) from.pause();
      this.#pass();
    });
    from.on('end', () => {
      this.#ended = true;
      if (this.forwards) this.#pass();
    });
  }

  stop(): void {
    this.forwards = false;
    clearTimeout(this.#timer);
    this.#held.length = 0;
  }

  #pass(): void {
    const now = performance.now();
    // What was not used is not saved up beyond one pass, or a quiet line would burst.
    const earned = ((now - this.#lastPassMs) * this.#limits.bytesPerSecond) / 1_000;
    const most = Math.max(1, (PASS_MS * this.#limits.bytesPerSecond) / 1_000);
    this.#allowance = Math.min(this.#allowance + (Number.isNaN(earned) ? 0 : earned), most);
    this.#lastPassMs = now;
    for (let head = this.#held[0]; head !== undefined && head.dueAtMs <= now; head = this.#held[0]) {
      const count = Math.min(head.bytes.length, Math.floor(this.#allowance));
      if (count < 1) break;
      this.#to.write(head.bytes.subarray(0, count));
      this.#allowance -= count;
      this.#heldBytes -= count;
      if (count === head.bytes.length) this.#held.shift();
      else head.bytes = head.bytes.subarray(count);
    }
    if (this.#heldBytes <= HELD_LIMIT && this.#from.isPaused()) this.#from.resume();
    clearTimeout(this.#timer);
    if (this.#held.length > 0) this.#timer = setTimeout(() => this.#pass(), PASS_MS);
    else if (this.#ended) this.#to.end();
  }
}
