import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import {
  type Client,
  ClientError,
  type ClientStatus,
  connect,
  type Decode,
  type SocketConstructor,
} from '../client/index.ts';
import type { Values } from '../contract/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/wire/index.ts';
import type { RequestOutcome } from '../devices/index.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import { lookupOf } from '../links/index.ts';
import { type Clock, systemClock, withResolvers } from '../system/index.ts';
import { TOKEN_FIX } from './bridge-options.ts';
import type { CliIo } from './command.ts';

export interface OpenFeedOptions {
  /** As `feedUrl` makes it. */
  readonly url: string;
  readonly origin: string | undefined;
  /** Shown to a bridge that asks for one; HEARTWIRE_TOKEN where it is left out. */
  readonly token?: string | undefined;
  /** Gets every message before the command does. */
  readonly decode: Decode;
  /** Wait for a bridge that is not there yet. */
  readonly retry: boolean;
  readonly io: CliIo;
  /** Called when the connection is lost or opened again. */
  note(text: string): void;
}

/** A bridge's feed as long as a command follows it. */
export interface OpenFeed extends Disposable {
  readonly client: Client;
  /** Fulfilled once the command is to stop. @throws HeartwireError `bridge_refused`, `bridge_unreachable` */
  readonly ended: Promise<void>;
  /** The command has what it wanted. */
  end(): void;
}

/** Connects a command to a bridge, until a signal, or until its output is closed. */
export function openFeed(options: OpenFeedOptions): OpenFeed {
  const { url, origin, decode, retry, io, note, token = io.env.HEARTWIRE_TOKEN } = options;
  const { promise: ended, resolve: done, reject } = withResolvers<void>();
  // A failure before the first await must not end the process.
  ended.catch(() => undefined);
  const resolve = (): void => done();
  const refuse = (why: string): void => reject(feedRefused(url, why));
  const client = connect(url, {
    WebSocket: bridgeSocket({
      origin,
      refused: (why, said) =>
        refuse(
          `The bridge at ${url} refused this connection: ${said === undefined ? why : `${why}: ${said}`}.`,
        ),
    }),
    decode,
    ...(token === undefined ? {} : { token }),
  });
  client.on('error', (error) => {
    if (!error.retry) refuse(`The bridge refused: ${error.message}`);
  });
  let reached = false;
  client.on('status', (status) => {
    if (status.state === 'connected') {
      if (reached) note('connected again');
      reached = true;
    } else if (status.state === 'closed') {
      refuse(`The bridge at ${url} refused this connection: ${whyOf(status)}.`);
    } else if (status.retryAt !== undefined && (reached || retry)) {
      const seconds = ((status.retryAt - systemClock.now().wallMs) / 1000).toFixed(1);
      const what = reached ? 'lost' : 'no answer from';
      note(`${what} the bridge at ${url} (${whyOf(status)}); next try in ${seconds} s`);
    } else if (status.retryAt !== undefined)
      reject(bridgeUnreachable(url, whyOf(status), io.program, '; --retry waits for it'));
  });
  const unwatch = [io.onSignal('SIGINT', resolve), io.onSignal('SIGTERM', resolve)];
  io.outClosed.addEventListener('abort', resolve, { once: true });
  if (io.outClosed.aborted) resolve();
  return {
    client,
    ended,
    end: resolve,
    [Symbol.dispose]() {
      for (const each of unwatch) each();
      io.outClosed.removeEventListener('abort', resolve);
      client.close();
    },
  };
}

/** Why a client is not connected, in words. */
export function whyOf({ detail, reason, code }: ClientStatus): string {
  return detail ?? reason?.replaceAll('_', ' ') ?? `closed with code ${code}`;
}

function feedRefused(url: string, message: string): HeartwireError {
  return new HeartwireError('bridge_refused', message.replace(/\.\.$/, '.'), {
    seen: url,
    fix: `Check the address, the topics and the token. ${TOKEN_FIX}`,
  });
}

interface BridgeSocketOptions {
  /** Sent as the `Origin` header; bridges on other machines accept only known ones. */
  readonly origin: string | undefined;
  /** Sent as the `Authorization` header, where the client does not authenticate itself. */
  readonly bearer?: string | undefined;
  /** The bridge answered with HTTP instead of a WebSocket, and would do so again; `said` is its message. */
  readonly refused: (why: string, said: string | undefined) => void;
  readonly failed?: (why: string) => void;
}

const CONNECT_LIMIT_MS = 10_000;

/** The WebSocket of this program, for `connect` of the client. */
function bridgeSocket({ origin, bearer, refused, failed }: BridgeSocketOptions): SocketConstructor {
  return class extends WebSocket {
    constructor(url: string) {
      super(url, {
        handshakeTimeout: CONNECT_LIMIT_MS,
        lookup: lookupOf(),
        perMessageDeflate: false,
        ...(origin === undefined ? {} : { origin }),
        ...(bearer === undefined ? {} : { headers: { Authorization: `Bearer ${bearer}` } }),
      });
      this.on('error', (error) => {
        failed?.(error.message === '' && 'code' in error ? String(error.code) : error.message);
      });
      this.on('unexpected-response', (_request, response) => this.#answered(response));
    }

    /** The body of the answer says why. */
    #answered(response: IncomingMessage): void {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('close', () => {
        const status = response.statusCode ?? 0;
        const said = messageIn(Buffer.concat(chunks).toString('utf8'));
        const why = `it answered with HTTP status ${status}`;
        this.emit('error', new Error(said === undefined ? why : `${why}: ${said}`));
        if (status >= 400 && status < 500 && status !== 429) refused(why, said);
        this.terminate();
      });
    }
  };
}

function messageIn(text: string): string | undefined {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null && 'message' in said ? String(said.message) : undefined;
  } catch {
    // No answer of a bridge; its status says enough.
    return undefined;
  }
}

/** No bridge answered at `url`, as `feedUrl` makes it. `why` is the word of the socket, `program` what starts a bridge. */
export function bridgeUnreachable(url: string, why: string, program: string, more = ''): HeartwireError {
  return new HeartwireError(
    'bridge_unreachable',
    `The bridge at ${url} could not be reached: ${oneLine(why)}.`,
    {
      seen: url,
      fix:
        fixOf(url, why) ??
        `Start it with "${program} run", or say where it is with --url or HEARTWIRE_URL${more}.`,
    },
  );
}

/** Something answers there; what stands between is TLS. */
function fixOf(url: string, why: string): string | undefined {
  const secure = url.startsWith('wss:');
  if (secure && /self-signed|unable to (?:get|verify)/.test(why)) {
    return 'Name its certificate, or that of its authority, in NODE_EXTRA_CA_CERTS; docs/reference/deploy.md shows how.';
  }
  if (secure && /wrong version number|packet length too long/.test(why)) {
    return 'It seems to serve no TLS: write http:// in --url or HEARTWIRE_URL.';
  }
  if (!secure && /socket hang up|ECONNRESET/.test(why)) {
    return 'If it serves TLS, write https:// in --url or HEARTWIRE_URL.';
  }
  return undefined;
}

/** OpenSSL ends its words with a colon and a new line. */
const oneLine = (why: string): string => why.replace(/\s+/g, ' ').replace(/[\s:.]+$/, '');

/** What a bridge answered to a command. */
export type CallReply =
  | { readonly ok: true; readonly result: JsonObject }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** The bridge answers within the time-out of a command, or a little later says that nothing came. */
const GRACE_MS = 3_000;
/** Of the rate that the bridge announces, so that the network's own jitter never exceeds it. */
const SHARE_OF_RATE = 0.9;

/** How a bridge is reached, and with which rights. */
export interface BridgeCallerOptions {
  readonly origin?: string | undefined;
  readonly token?: string | undefined;
  /** Opens what devices answer where the bridge encrypted it. */
  readonly decode?: Decode | undefined;
  /** The command that starts a bridge on this machine. */
  readonly program?: string;
}

/** Sends commands through a running bridge, one at a time, over one connection: a lost one is not opened again. */
export class BridgeCaller implements Disposable {
  readonly #url: string;
  readonly #program: string;
  readonly #clock: Clock;
  readonly #client: Client;
  readonly #opened: Promise<void>;
  /** Why the connection is lost. */
  #lost: string | undefined;
  /** Between two commands, in ms; the burst that the bridge allows is left to others. */
  #pauseMs = 0;
  #nextAt = 0;

  /** `url` as `feedUrl` makes it. */
  constructor(url: string, clock: Clock, options: BridgeCallerOptions = {}) {
    const { origin, token, decode, program = 'heartwire' } = options;
    this.#url = url;
    this.#program = program;
    this.#clock = clock;
    const { promise: opened, resolve, reject } = withResolvers<void>();
    this.#opened = opened;
    // The first call reports it.
    opened.catch(() => undefined);
    let failure: string | undefined;
    this.#client = connect(url, {
      WebSocket: bridgeSocket({
        origin,
        bearer: token,
        refused: (why) => reject(callRefused(url, why)),
        failed: (why) => {
          failure = why;
        },
      }),
      clock,
      ...(decode === undefined ? {} : { decode }),
    });
    this.#client.on('message', (message) => {
      if (message.type !== 'welcome') return;
      const rate = message.payload.limits?.messages_per_second;
      if (typeof rate === 'number' && rate > 0) this.#pauseMs = 1_000 / (rate * SHARE_OF_RATE);
    });
    this.#client.on('status', (status) => {
      const { state, reason, retryAt } = status;
      if (state === 'connected') return resolve();
      if (this.#lost !== undefined || (state !== 'closed' && retryAt === undefined)) return;
      if (reason === 'token_missing') reject(callRefused(url, 'it wants a token'));
      const silent = reason === 'no_welcome' || reason === 'silent';
      this.#lost = failure ?? (silent ? whyOf(status) : 'it closed the connection');
      reject(bridgeUnreachable(url, this.#lost, program));
      this.#client.close();
    });
  }

  /** @throws HeartwireError `bridge_unreachable`, `bridge_refused` */
  async call(device: string, message: string, fields: Values, timeoutMs: number): Promise<CallReply> {
    await this.#opened;
    await this.#paced();
    if (this.#lost !== undefined) throw bridgeUnreachable(this.#url, this.#lost, this.#program);
    const limitMs = timeoutMs + GRACE_MS;
    const limit = new AbortController();
    const timer = this.#clock.setTimer(this.#clock.now().monoMs + limitMs, () =>
      limit.abort(outcomeUnknown(this.#url, `no answer within ${limitMs} ms`)),
    );
    try {
      // Values hold what JSON holds.
      const body = { device, message, fields: fields as JsonObject, timeout_ms: timeoutMs };
      const answer = await this.#client.request('command', body, { timeoutMs, signal: limit.signal });
      const result = 'result' in answer ? (answer.result as Json) : undefined;
      return { ok: true, result: isJsonObject(result) ? result : {} };
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const { code, message: text } = error;
      if (code === 'command_outcome_unknown') throw outcomeUnknown(this.#url, this.#lost ?? text);
      if (code === 'not_connected' || code === 'closed')
        throw bridgeUnreachable(this.#url, this.#lost ?? text, this.#program);
      return { ok: false, code, message: text };
    } finally {
      timer.cancel();
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
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
  // The codes are those of the bridge; an unknown one is passed on as it is.
  if (!reply.ok) return { ok: false, code: reply.code as ErrorCode, detail: reply.message };
  const { error, fields, round_trip_ms: roundTripMs } = reply.result;
  return {
    ok: true,
    ...(typeof error === 'number' ? { error } : {}),
    fields: isJsonObject(fields) ? fields : {},
    roundTripMs: typeof roundTripMs === 'number' ? roundTripMs : 0,
  };
}

function callRefused(url: string, why: string): HeartwireError {
  return new HeartwireError('bridge_refused', `The bridge at ${url} refused this connection: ${why}.`, {
    seen: url,
    fix: TOKEN_FIX,
  });
}

function outcomeUnknown(url: string, why: string): HeartwireError {
  return new HeartwireError('bridge_unreachable', `The bridge at ${url} gave no answer: ${why}.`, {
    seen: url,
    fix: 'What was asked of the device may have been done or not: look at its state before you ask again.',
  });
}
