import { connect, type Socket } from 'node:net';
import type { ChurnPorts } from './churn-bridge.ts';

export const PEER_KINDS = ['devices', 'subscribers', 'attackers'] as const;
export type PeerKind = (typeof PEER_KINDS)[number];
export type PeerOrder = { readonly do: 'start'; readonly ports: ChurnPorts } | { readonly do: 'count' };

/** What the peers of one kind did so far. */
export interface PeerCounts {
  readonly opened: number;
  /** Of these, how many got the answer that a well-behaved peer gets. */
  readonly served: number;
  readonly open: number;
}

/** One visit of a peer: it says something, may look at what comes back, and goes in a way of its own. */
export interface Visit {
  readonly port: number;
  /** Said at once. */
  readonly says?: Uint8Array | string;
  /** In the first bytes of what comes back where it is served as others are. */
  readonly expects?: Uint8Array | string;
  /** Said every so often, as long as it is here. */
  readonly goesOn?: { readonly everyMs: number; readonly says: (nth: number) => Uint8Array | string };
  /** Does not read what comes. */
  readonly stalls?: boolean;
  readonly staysMs: number;
  readonly leaves: 'end' | 'reset' | 'half-open';
}

/** Longest that a socket is left alone after its peer should have closed it. */
const HALF_OPEN_MS = 20_000;

/** Bare sockets, never more than `most` at once. */
export class ChurnSockets {
  readonly #most: number;
  readonly #open = new Set<Socket>();
  #opened = 0;
  #served = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get counts(): PeerCounts {
    return { opened: this.#opened, served: this.#served, open: this.#open.size };
  }

  visit({ port, says, expects, goesOn, stalls = false, staysMs, leaves }: Visit): void {
    if (this.#open.size >= this.#most) return;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: leaves === 'half-open' });
    this.#open.add(socket);
    this.#opened += 1;
    const timers: NodeJS.Timeout[] = [];
    // What the other side does to it is what is being tried.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      for (const timer of timers) clearInterval(timer);
      this.#open.delete(socket);
    });
    if (says !== undefined) socket.write(says);
    if (stalls) socket.pause();
    else if (expects === undefined) socket.resume();
    else this.#await(socket, Buffer.from(expects));
    if (goesOn !== undefined) {
      let nth = 0;
      timers.push(
        setInterval(() => {
          if (socket.writable && !socket.writableNeedDrain) socket.write(goesOn.says(nth++));
        }, goesOn.everyMs),
      );
    }
    timers.push(
      setTimeout(() => {
        if (leaves === 'reset') socket.resetAndDestroy();
        else if (leaves === 'end') socket.end(() => socket.destroy());
        else timers.push(setTimeout(() => socket.destroy(), HALF_OPEN_MS));
      }, staysMs),
    );
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #await(socket: Socket, wanted: Buffer): void {
    let seen = Buffer.alloc(0);
    const look = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]).subarray(0, 4_096);
      if (!seen.includes(wanted)) return;
      this.#served += 1;
      socket.off('data', look);
      socket.resume();
    };
    socket.on('data', look);
  }
}

/** Acts so many times a second on average, in small steps, however late the timers are. */
export function atRate(perSecond: number, act: (nth: number) => void): NodeJS.Timeout {
  const beganAt = performance.now();
  let done = 0;
  return setInterval(() => {
    const due = Math.floor(((performance.now() - beganAt) / 1_000) * perSecond);
    // What a stalled process did not do is not made up for: that would be a burst.
    done = Math.max(done, due - Math.ceil(perSecond / 2));
    while (done < due) act(done++);
  }, 20);
}
