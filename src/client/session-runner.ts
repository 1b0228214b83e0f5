import type { ServerMessage } from '../feed/wire/server-messages.ts';
import { ownError } from './client-error.ts';
import type { ClientSession } from './client-session.ts';
import type { ClientPorts, SocketLike } from './ports.ts';
import type { Orders, SessionEvent } from './session-events.ts';

/** A token, or who gives one: asked when the bridge wants it, and with `renew` once it has expired. */
export type TokenSource = string | ((asked: { readonly renew: boolean }) => string | Promise<string>);

/** Every message passes through here before it is understood; while one is awaited, those behind it wait. */
export type Decode = (message: ServerMessage) => ServerMessage | Promise<ServerMessage>;

/** What is for the program, not for the connection. */
export type Told = Pick<Orders, 'status' | 'told' | 'settle' | 'handle' | 'error' | 'ended'>;

export interface SessionRunnerOptions {
  readonly url: string;
  readonly session: ClientSession;
  readonly ports: ClientPorts;
  readonly token: TokenSource | undefined;
  readonly decode: Decode | undefined;
  readonly told: Told;
  /** A message was dropped, because it made no sense. */
  unreadable(what: string, cause?: unknown): void;
}

/** Performs what a session orders: one socket, one timer, and events one after another. */
export class SessionRunner {
  readonly #options: SessionRunnerOptions;
  readonly #orders: Orders;
  readonly #queue: SessionEvent[] = [];
  #busy = false;
  #socket: SocketLike | undefined;
  #timer: { readonly atMs: number; cancel(): void } | undefined;
  #unwatch: (() => void) | undefined;

  constructor(options: SessionRunnerOptions) {
    this.#options = options;
    const { told } = options;
    this.#orders = {
      ...told,
      openSocket: () => this.#open(),
      closeSocket: () => this.#drop(),
      send: (text) => this.#socket?.send(text),
      getToken: (renew) => void this.#getToken(renew),
      ended: (error) => {
        this.#unwatch?.();
        told.ended(error);
      },
    };
  }

  start(): void {
    this.#unwatch = this.#options.ports.watchReturn(() => this.dispatch((session) => session.start()));
    this.dispatch((session) => session.start());
  }

  /** Events that arise while effects are performed wait their turn. */
  dispatch(event: SessionEvent): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    const { session, ports } = this.#options;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
      for (const effect of session.handle(next, ports.clock.now())) effect(this.#orders);
    this.#busy = false;
    this.#arm();
  }

  #open(): void {
    this.#drop();
    const { url, ports } = this.#options;
    let socket: SocketLike;
    try {
      socket = new ports.WebSocket(url);
    } catch (error) {
      // An address that it cannot take, or a page that may not go there: no later attempt would do better.
      this.dispatch((session) =>
        session.lost({ code: 1006, reason: 'unreachable', detail: String(error), final: true }),
      );
      return;
    }
    this.#socket = socket;
    let detail: string | undefined;
    /** Messages that are being decoded, one after another. */
    let reading: Promise<void> | undefined;
    // What a socket says after it was given up is about a connection that nobody has any more.
    const isCurrent = (): boolean => this.#socket === socket;
    socket.addEventListener('message', ({ data }) => {
      if (!isCurrent()) return;
      const message = this.#read(data);
      const received = (each: ServerMessage | undefined): void => {
        if (each !== undefined && isCurrent()) this.dispatch((session) => session.received(each));
      };
      // What is decoded first may take its time.
      if (message === undefined || this.#options.decode) this.dispatch((session) => session.heard());
      if (message === undefined) return;
      const decoded =
        reading === undefined ? this.#decode(message) : reading.then(() => this.#decode(message));
      if (!(decoded instanceof Promise)) return received(decoded);
      const mine = decoded.then(received).finally(() => {
        if (reading === mine) reading = undefined;
      });
      reading = mine;
    });
    socket.addEventListener('error', (event) => {
      if ('message' in event && typeof event.message === 'string' && event.message !== '')
        detail = event.message;
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (!isCurrent()) return;
      const lost: SessionEvent = (session) => session.lost({ code, reason, detail });
      // What came before the end is read before the end.
      if (reading === undefined) this.dispatch(lost);
      else void reading.then(() => isCurrent() && this.dispatch(lost));
    });
  }

  /** Undefined where it cannot be decoded. */
  #decode(message: ServerMessage): ServerMessage | undefined | Promise<ServerMessage | undefined> {
    const { decode, unreadable } = this.#options;
    const failed = (error: unknown): undefined => {
      unreadable(`"${message.type}" was not decoded.`, error);
    };
    try {
      const decoded = decode === undefined ? message : decode(message);
      return decoded instanceof Promise ? decoded.catch(failed) : decoded;
    } catch (error) {
      return failed(error);
    }
  }

  #read(data: unknown): ServerMessage | undefined {
    const message = typeof data === 'string' ? readMessage(data) : undefined;
    if (message === undefined) this.#options.unreadable('Not a message of the protocol.');
    return message;
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.close(1000);
    socket.terminate?.();
  }

  async #getToken(renew: boolean): Promise<void> {
    const { token } = this.#options;
    try {
      const given = typeof token === 'function' ? await token({ renew }) : (token ?? '');
      this.dispatch((session) => session.tokenCame(given));
    } catch (error) {
      this.dispatch((session) => session.close(ownError('token_failed', String(error), error)));
    }
  }

  /** One timer: where the deadline moves away, it is left to come early and look again. */
  #arm(): void {
    const dueAtMs = this.#options.session.nextDeadline();
    const endless = dueAtMs === Infinity;
    if (!endless && this.#timer !== undefined && this.#timer.atMs <= dueAtMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (endless) return;
    const { clock } = this.#options.ports;
    const timer = clock.setTimer(dueAtMs, () => {
      this.#timer = undefined;
      if (clock.now().monoMs >= this.#options.session.nextDeadline())
        this.dispatch((session) => session.deadline());
      else this.#arm();
    });
    this.#timer = { atMs: dueAtMs, cancel: () => timer.cancel() };
  }
}

function readMessage(text: string): ServerMessage | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // No JSON; the caller says so.
    return undefined;
  }
  if (typeof json !== 'object' || json === null || !('type' in json) || !('payload' in json))
    return undefined;
  // The bridge writes nothing but these; what a newer one adds is passed on untouched.
  return typeof json.payload === 'object' && json.payload !== null ? (json as ServerMessage) : undefined;
}
