import { WebSocket } from 'ws';
import type { Decode } from '../client/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/feed/json.ts';
import type { RequestOutcome } from '../devices/core/session-events.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import { lookupOf } from '../links/names/as-lookup.ts';
import type { Values } from '../protocol/declared/value.ts';
import type { Clock } from '../system/clock.ts';
import { withResolvers } from '../system/with-resolvers.ts';
import { bridgeUnreachable } from './bridge-feed.ts';
import { TOKEN_MEND } from './bridge-options.ts';

/** What a bridge answered to a command. */
export type CallReply =
  | { readonly ok: true; readonly result: JsonObject }
  | { readonly ok: false; readonly code: string; readonly message: string };

const CONNECT_LIMIT_MS = 10_000;
/** The bridge answers within the time-out of a command, or a little later says that nothing came. */
const GRACE_MS = 3_000;
/** Of the rate that the bridge announces, so that the network's own jitter never exceeds it. */
const SHARE_OF_RATE = 0.9;

/** How a bridge is reached, and as whom. */
export interface BridgeCallerOptions {
  readonly origin?: string | undefined;
  readonly token?: string | undefined;
  /** Opens what devices answer where the bridge encrypted it. */
  readonly decode?: Decode;
  /** What starts a bridge on this machine, as it is typed. */
  readonly program?: string;
}

/** Sends commands through a running bridge, one at a time, over one WebSocket. */
export class BridgeCaller implements Disposable {
  readonly #url: string;
  readonly #program: string;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #decode: Decode;
  readonly #opened: Promise<void>;
  #waiting:
    | {
        readonly id: string;
        readonly settle: (reply: CallReply) => void;
        readonly fail: (why: string) => void;
      }
    | undefined;
  /** Why the connection is no more. */
  #closed: string | undefined;
  #lastId = 0;
  /** Between two commands, in ms; the burst that the bridge allows is left to others. */
  #pauseMs = 0;
  #nextAt = 0;

  /** `url` as `feedUrl` makes it. */
  constructor(url: string, clock: Clock, options: BridgeCallerOptions = {}) {
    const { origin, token, decode = (message) => message, program = 'heartwire' } = options;
    this.#url = url;
    this.#program = program;
    this.#clock = clock;
    this.#decode = decode;
    const socket = new WebSocket(url, {
      handshakeTimeout: CONNECT_LIMIT_MS,
      lookup: lookupOf(),
      perMessageDeflate: false,
      ...(origin === undefined ? {} : { origin }),
      ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
    });
    this.#socket = socket;
    this.#opened = new Promise((resolve, reject) => {
      socket.on('message', (data) => this.#received(String(data), resolve, reject));
      socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
        const refused = statusCode >= 400 && statusCode < 500 && statusCode !== 429;
        if (refused) reject(refusedBy(url, `it answered with HTTP status ${statusCode}`));
        socket.emit('error', new Error(`it answered with HTTP status ${statusCode}`));
        socket.terminate();
      });
      let why = 'it closed the connection';
      socket.on('error', (error) => {
        why = error.message === '' && 'code' in error ? String(error.code) : error.message;
      });
      socket.on('close', () => {
        this.#closed = why;
        reject(bridgeUnreachable(url, why, program));
        this.#waiting?.fail(why);
      });
    });
    // Whoever calls first hears of it; a caller that never calls does not care.
    this.#opened.catch(() => undefined);
  }

  /** @throws HeartwireError `bridge_unreachable`, `bridge_refused` */
  async call(device: string, message: string, fields: Values, timeoutMs: number): Promise<CallReply> {
    await this.#opened;
    await this.#paced();
    if (this.#closed !== undefined) throw bridgeUnreachable(this.#url, this.#closed, this.#program);
    const id = String(++this.#lastId);
    const { promise, resolve, reject } = withResolvers<CallReply>();
    const fail = (why: string): void => reject(outcomeUnknown(this.#url, why));
    const limit = this.#clock.now().monoMs + timeoutMs + GRACE_MS;
    const timer = this.#clock.setTimer(limit, () => fail(`no answer within ${timeoutMs + GRACE_MS} ms`));
    this.#waiting = { id, settle: resolve, fail };
    this.#socket.send(
      JSON.stringify({ type: 'command', id, device, message, fields, timeout_ms: timeoutMs }),
    );
    try {
      const reply = await promise;
      return reply.ok ? { ok: true, result: await this.#decoded(reply.result) } : reply;
    } finally {
      timer.cancel();
      this.#waiting = undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close(1000);
    this.#socket.terminate();
  }

  #received(text: string, opened: () => void, failed: (error: HeartwireError) => void): void {
    const message = readJson(text);
    const payload = isJsonObject(message) ? message.payload : undefined;
    if (!isJsonObject(message) || !isJsonObject(payload)) return;
    if (message.type === 'welcome') {
      const rate = isJsonObject(payload.limits) ? payload.limits.messages_per_second : undefined;
      if (typeof rate === 'number' && rate > 0) this.#pauseMs = 1_000 / (rate * SHARE_OF_RATE);
      if (payload.auth === 'required') return failed(refusedBy(this.#url, 'it wants a token'));
      return opened();
    }
    if (payload.reply_to !== this.#waiting?.id) return;
    if (message.type === 'response' && isJsonObject(payload.result)) {
      this.#waiting?.settle({ ok: true, result: payload.result });
    } else if (message.type === 'error') {
      this.#waiting?.settle({ ok: false, code: String(payload.code), message: String(payload.message) });
    }
  }

  async #decoded(result: JsonObject): Promise<JsonObject> {
    const timestamp = this.#clock.now().wallMs;
    const message = await this.#decode({ type: 'response', id: '', timestamp, payload: { result } });
    return message.type === 'response' ? message.payload.result : result;
  }

  async #paced(): Promise<void> {
    const now = this.#clock.now().monoMs;
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#pauseMs;
    if (at > now) await new Promise<void>((resolve) => void this.#clock.setTimer(at, resolve));
  }
}

/** The outcome of a request as the bridge's own parts know it. */
export function outcomeOf(reply: CallReply): RequestOutcome {
  // The bridge has no other codes than these, and one that we do not know is passed on as it is.
  if (!reply.ok) return { ok: false, code: reply.code as ErrorCode, detail: reply.message };
  const { error, fields, round_trip_ms: roundTripMs } = reply.result;
  return {
    ok: true,
    ...(typeof error === 'number' ? { error } : {}),
    fields: isJsonObject(fields) ? fields : {},
    roundTripMs: typeof roundTripMs === 'number' ? roundTripMs : 0,
  };
}

function refusedBy(url: string, why: string): HeartwireError {
  return new HeartwireError('bridge_refused', `The bridge at ${url} refused this connection: ${why}.`, {
    seen: url,
    fix: TOKEN_MEND,
  });
}

function outcomeUnknown(url: string, why: string): HeartwireError {
  return new HeartwireError('bridge_unreachable', `The bridge at ${url} gave no answer: ${why}.`, {
    seen: url,
    fix: 'What was asked of the device may have been done or not: look at its state before you ask again.',
  });
}

function readJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // No JSON: nothing that we wait for.
    return undefined;
  }
}
