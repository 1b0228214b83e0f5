import { isJsonObject, type Json, type ServerMessage } from '../contract/wire/index.ts';
import { ownError } from './client-error.ts';
import type { ClientSession, SessionEvent } from './client-session.ts';
import type { ClientPorts, SocketLike } from './ports.ts';
import type { EffectHandler } from './session-events.ts';

/** A token, or a function that gives one: called when the bridge asks for it, with `renew` once it has expired. */
export type TokenSource = string | ((asked: { readonly renew: boolean }) => string | Promise<string>);

/** Gets every message first and may return another in its place; while one is awaited, those behind it wait. */
export type Decode = (message: ServerMessage) => ServerMessage | Promise<ServerMessage>;

/** The effects for the program, not for the connection. */
export type Callbacks = Pick<EffectHandler, 'status' | 'applied' | 'settle' | 'handle' | 'error' | 'ended'>;

export interface SessionRunnerOptions {
  readonly url: string;
  readonly session: ClientSession;
  readonly ports: ClientPorts;
  readonly token: TokenSource | undefined;
  readonly decode: Decode | undefined;
  readonly callbacks: Callbacks;
}

/** Performs the effects of a session: one socket, one timer, and events one after another. */
export class SessionRunner {
  readonly #options: SessionRunnerOptions;
  readonly #handler: EffectHandler;
  readonly #queue: SessionEvent[] = [];
  #busy = false;
  #socket: SocketLike | undefined;
  #timer: { cancel(): void } | undefined;
  #timerAtMs = Infinity;
  #unwatch: (() => void) | undefined;

  constructor(options: SessionRunnerOptions) {
    this.#options = options;
    const { callbacks } = options;
    this.#handler = {
      ...callbacks,
      openSocket: () => this.#open(),
      closeSocket: () => this.#drop(),
      send: (text) => this.#socket?.send(text),
      getToken: (renew) => void this.#getToken(renew),
      ended: (error) => {
        this.#unwatch?.();
        callbacks.ended(error);
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
      for (const effect of session.handle(next, ports.clock.now())) effect(this.#handler);
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
    const { decode } = this.#options;
    const unreadable = (what: string, cause?: unknown): void =>
      this.#handler.error(ownError('unreadable', what, cause));
    let detail: string | undefined;
    /** Done once all that came is decoded, one after another. */
    let reading = Promise.resolve();
    // Events of a socket that was dropped belong to a former connection.
    const happens = (event: SessionEvent): void => {
      if (this.#socket === socket) this.dispatch(event);
    };
    const received = (message: ServerMessage): void => happens((session) => session.received(message));
    socket.addEventListener('message', ({ data }) => {
      if (this.#socket !== socket) return;
      const message = readMessage(data);
      if (message !== undefined && decode === undefined) return received(message);
      // What is decoded first may take its time.
      happens((session) => session.activity());
      if (message === undefined || decode === undefined) return unreadable('Not a message of the protocol.');
      const failed = (error: unknown): void => unreadable(`"${message.type}" was not decoded.`, error);
      reading = reading.then(() => decode(message)).then(received, failed);
    });
    socket.addEventListener('error', (event) => {
      if ('message' in event && typeof event.message === 'string') detail = event.message || detail;
    });
    socket.addEventListener('close', ({ code, reason }) => {
      const lost = (): void => happens((session) => session.lost({ code, reason, detail }));
      // What came before the end is read before the end.
      if (decode === undefined) lost();
      else void reading.then(lost);
    });
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
      this.dispatch((session) => session.tokenReceived(given));
    } catch (error) {
      this.dispatch((session) => session.close(ownError('token_failed', String(error), error)));
    }
  }

  /** One timer: where the deadline moves away, it is left to come early and look again. */
  #arm(): void {
    const dueAtMs = this.#options.session.nextDeadline();
    if (this.#timerAtMs <= dueAtMs && dueAtMs !== Infinity) return;
    this.#timer?.cancel();
    this.#timerAtMs = dueAtMs;
    if (dueAtMs === Infinity) return;
    const { clock } = this.#options.ports;
    this.#timer = clock.setTimer(dueAtMs, () => {
      this.#timerAtMs = Infinity;
      if (clock.now().monoMs >= this.#options.session.nextDeadline())
        this.dispatch((session) => session.deadline());
      else this.#arm();
    });
  }
}

function readMessage(data: unknown): ServerMessage | undefined {
  let json: Json;
  try {
    json = JSON.parse(String(data));
  } catch {
    // No JSON; the caller says so.
    return undefined;
  }
  const isMessage = isJsonObject(json) && json.type !== undefined && isJsonObject(json.payload);
  // The bridge writes nothing but these; what a newer one adds is passed on untouched.
  return isMessage ? (json as unknown as ServerMessage) : undefined;
}
