import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { FeedView, type ViewChange } from '../client/view.ts';
import { HeartwireError } from '../errors.ts';
import type { ServerMessage } from '../feed/wire/server-messages.ts';
import type { Clock, Timer } from '../runtime/clock.ts';

export interface FeedFollowerOptions {
  /** As `feedUrl` makes it. */
  readonly url: string;
  readonly topics: readonly string[];
  /** Sent as the `Origin` header; bridges on other machines want one that they know. */
  readonly origin?: string;
  /** Go on trying where the bridge was never reached either. */
  readonly retry: boolean;
  /** How this program is called, for the mend of an error. */
  readonly program: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Every message as it came, and what it changed by the client's rule. */
  message(message: ServerMessage, changes: readonly ViewChange[]): void;
  /** The connection was lost, or came back: one line for people. */
  note(text: string): void;
}

const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 30_000;
const CONNECT_LIMIT_MS = 10_000;
/** The server pings every 20 s; so long without anything means that it is gone. */
const SILENCE_LIMIT_MS = 45_000;

/** Follows a bridge's feed over one WebSocket after another, until it is closed or cannot go on. */
export class FeedFollower {
  readonly #options: FeedFollowerOptions;
  readonly #view = new FeedView();
  readonly #ended: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (error: HeartwireError) => void = () => {};
  #socket: WebSocket | undefined;
  #timer: Timer | undefined;
  #watchdog: Timer | undefined;
  #heardAtMs = 0;
  #lastId = 0;
  #attempt = 0;
  #reached = false;
  #closed = false;
  #wanted: { reconnect: boolean; retryAfterMs: number; reason: string } | undefined;
  #refusal: string | undefined;
  #failure: string | undefined;

  constructor(options: FeedFollowerOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /**
   * Resolves once closed.
   *
   * @throws HeartwireError `bridge_unreachable` where it was never reached, `bridge_refused` where it does not want us.
   */
  follow(): Promise<void> {
    this.#connect();
    return this.#ended;
  }

  /** Ends the connection and `follow`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#watchdog?.cancel();
    this.#socket?.close(1000);
    this.#socket?.terminate();
    this.#resolve();
  }

  #connect(): void {
    const { url, clock, origin } = this.#options;
    this.#wanted = this.#refusal = this.#failure = undefined;
    this.#view.connected();
    const socket = new WebSocket(url, {
      handshakeTimeout: CONNECT_LIMIT_MS,
      perMessageDeflate: false,
      ...(origin === undefined ? {} : { origin }),
    });
    this.#socket = socket;
    this.#heardAtMs = clock.now().monoMs;
    const heard = (): void => {
      this.#heardAtMs = clock.now().monoMs;
    };
    socket.on('ping', heard);
    socket.on('message', (data, binary) => {
      heard();
      if (!binary) this.#receive(String(data));
    });
    socket.on('unexpected-response', (_request, response) => this.#refused(socket, response));
    socket.on('error', (error) => {
      this.#failure = error.message === '' && 'code' in error ? String(error.code) : error.message;
    });
    socket.on('close', (code, reason) => this.#lost(code, String(reason)));
    socket.on('open', () => this.#watch());
  }

  #watch(): void {
    const { clock } = this.#options;
    this.#watchdog?.cancel();
    const dueAtMs = this.#heardAtMs + SILENCE_LIMIT_MS;
    if (clock.now().monoMs >= dueAtMs) {
      this.#failure = 'nothing was heard from it for 45 s';
      this.#socket?.terminate();
      return;
    }
    this.#watchdog = clock.setTimer(dueAtMs, () => this.#watch());
  }

  #send(type: string, fields: Record<string, unknown>): string {
    const id = String(++this.#lastId);
    this.#socket?.send(JSON.stringify({ type, id, ...fields }));
    return id;
  }

  #receive(text: string): void {
    if (this.#closed) return;
    const message = readMessage(text);
    if (message === undefined) return this.#options.note('the bridge sent a message that is no JSON');
    if (message.type === 'welcome') {
      const { topics } = this.#options;
      const since = this.#view.since(topics);
      this.#view.subscribing(this.#send('subscribe', { topics, ...(since === undefined ? {} : { since }) }));
    } else if (message.type === 'closing') {
      const { reconnect, retry_after_ms: retryAfterMs = 0, reason } = message.payload;
      this.#wanted = { reconnect, retryAfterMs, reason };
    } else if (message.type === 'error' && !message.payload.retry) {
      this.#fail('bridge_refused', `The bridge refused: ${message.payload.message}`);
      return;
    } else if (message.type === 'synced') {
      if (this.#attempt > 0) this.#options.note('connected again');
      this.#reached = true;
      this.#attempt = 0;
    }
    const { changes, resync, repeated } = this.#view.apply(message);
    if (resync.length > 0) this.#send('resync', { topics: resync });
    if (repeated === true) return;
    this.#options.message(message.type === 'gap' ? this.#corrected(message) : message, changes);
  }

  #corrected(gap: Extract<ServerMessage, { type: 'gap' }>): ServerMessage {
    return { ...gap, payload: { ...gap.payload, from_seq: this.#view.firstMissing(gap.payload) } };
  }

  /** The server answered with HTTP instead of a WebSocket, and says why in its body. */
  #refused(socket: WebSocket, response: IncomingMessage): void {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('close', () => {
      const said = readJson(Buffer.concat(chunks).toString('utf8'));
      const message =
        typeof said === 'object' && said !== null && 'message' in said ? String(said.message) : '';
      this.#failure = `it answered with HTTP status ${response.statusCode}${message === '' ? '' : `: ${message}`}`;
      const status = response.statusCode ?? 0;
      if (status >= 400 && status < 500 && status !== 429) this.#refusal = this.#failure;
      // What terminating it reports says less than the answer did.
      socket.removeAllListeners('error').on('error', () => undefined);
      socket.terminate();
    });
  }

  #lost(code: number, reason: string): void {
    this.#watchdog?.cancel();
    if (this.#closed) return;
    const { url, retry, clock, random, note } = this.#options;
    const why = this.#wanted?.reason || reason || this.#failure || `closed with code ${code}`;
    const final = this.#wanted === undefined ? code >= 4500 && code < 5000 : !this.#wanted.reconnect;
    if (final || this.#refusal !== undefined) {
      this.#fail('bridge_refused', `The bridge at ${url} refused this connection: ${why}.`);
      return;
    }
    if (!this.#reached && !retry) {
      this.#fail('bridge_unreachable', `The bridge at ${url} could not be reached: ${why}.`);
      return;
    }
    const backOffMs = random() * Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** this.#attempt);
    const delayMs = Math.max(this.#wanted?.retryAfterMs ?? 0, backOffMs);
    this.#attempt += 1;
    const seconds = (delayMs / 1000).toFixed(1);
    note(
      `${this.#reached ? 'lost' : 'no answer from'} the bridge at ${url} (${why}); next try in ${seconds} s`,
    );
    this.#timer = clock.setTimer(clock.now().monoMs + delayMs, () => this.#connect());
  }

  #fail(code: 'bridge_refused' | 'bridge_unreachable', message: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watchdog?.cancel();
    this.#socket?.terminate();
    const mend =
      code === 'bridge_refused'
        ? 'Check the address and the topics.'
        : `Start it with "${this.#options.program} run", or say where it is with --url or HEARTWIRE_URL; --retry waits for it.`;
    this.#reject(new HeartwireError(code, message.replace(/\.\.$/, '.'), { seen: this.#options.url, mend }));
  }
}

function readMessage(text: string): ServerMessage | undefined {
  const json = readJson(text);
  if (typeof json !== 'object' || json === null || !('type' in json) || !('payload' in json))
    return undefined;
  // The server is our own and writes nothing but these; what it adds later is passed on untouched.
  return json as ServerMessage;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON, and every caller says so.
    return undefined;
  }
}
