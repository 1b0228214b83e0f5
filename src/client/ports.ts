import { ownError } from './client-error.ts';

/** One moment on two clocks: `monoMs` never jumps and rules all deadlines, `wallMs` is shown to people. */
export interface Moment {
  readonly monoMs: number;
  readonly wallMs: number;
}

/** The only source of time of a client; tests hand in their own. */
export interface ClientClock {
  now(): Moment;
  /** Calls once, not before `atMonoMs`. */
  setTimer(atMonoMs: number, callback: () => void): { cancel(): void };
}

/** What a client needs of a WebSocket; those of browsers, of Node 22 and of the package `ws` all fit. */
export interface SocketLike {
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  addEventListener(type: 'error', listener: (event: object) => void): void;
  send(text: string): void;
  close(code?: number): void;
  /** Ends it at once, where that is possible: a silent peer answers no closing handshake. */
  terminate?(): void;
}

export type SocketConstructor = new (url: string) => SocketLike;

/** What a client asks of the world around it. */
export interface ClientPorts {
  readonly WebSocket: SocketConstructor;
  readonly clock: ClientClock;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Calls when the network or the page comes back; returns what ends that. */
  readonly watchReturn: (callback: () => void) => () => void;
}

/** The parts of a browser that may be there; Node has only some of them. */
interface Surroundings {
  readonly WebSocket?: SocketConstructor;
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** The network is back; the page is seen again, or hidden, which does no harm. */
const RETURNS = ['online', 'visibilitychange'];
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

const realClock: ClientClock = {
  now: () => ({ monoMs: performance.now(), wallMs: Date.now() }),
  setTimer(atMonoMs, callback) {
    const handle = setTimeout(callback, Math.min(atMonoMs - performance.now(), LONGEST_TIMEOUT_MS));
    return { cancel: () => clearTimeout(handle) };
  },
};

// Node and browsers differ in what they have; each part is looked at before it is used.
const around = globalThis as Surroundings;

function watchPage(callback: () => void): () => void {
  for (const each of RETURNS) around.addEventListener?.(each, callback);
  return () => {
    for (const each of RETURNS) around.removeEventListener?.(each, callback);
  };
}

/**
 * The ports that were given, and for the others what `globalThis` has.
 *
 * @throws ClientError `no_websocket`
 */
export function portsOf({
  WebSocket = around.WebSocket,
  clock = realClock,
  random = Math.random,
  watchReturn = watchPage,
}: Partial<ClientPorts>): ClientPorts {
  if (WebSocket === undefined) throw ownError('no_websocket', 'No WebSocket here: pass that of "ws".');
  return { WebSocket, clock, random, watchReturn };
}
