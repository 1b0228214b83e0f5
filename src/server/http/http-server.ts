import { createReadStream } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type Duplex, pipeline } from 'node:stream';
import {
  type Admission,
  AdmissionControl,
  type AdmissionLimits,
  type Answer,
  Authenticator,
  answerClientError,
  type Caller,
  DEFAULT_ADMISSION_LIMITS,
  DEFAULT_REQUEST_LIMITS,
  type Grant,
  isFeedPath,
  originConfigured,
  pathOf,
  RequestAccess,
  type RequestLimits,
  refusal,
  SECURITY_HEADERS,
  STREAM_PATH,
  writeAnswer,
} from '../../access/index.ts';
import type { JsonObject } from '../../contract/wire/index.ts';
import { ERROR_CODES, type HeartwireError } from '../../errors.ts';
import { ServerPort, urlHost } from '../../links/index.ts';
import {
  type Affected,
  type Clock,
  type Live,
  plainAddress,
  systemClock,
  type TlsSource,
} from '../../system/index.ts';
import { DeviceList, type ListedState } from './device-list.ts';
import { builtInPage, loadPage } from './page.ts';
import { byteLengthOf, inPieces, PIECE_BYTES, sendPieces } from './pieces.ts';
import { RequestTurns } from './request-turns.ts';
import { type RetainedState, type RouteSources, route, type ServedFiles, upgradeRequired } from './routes.ts';

/** Takes over the connection of a WebSocket upgrade; Host and Origin have been checked. */
export interface UpgradeReceiver {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller): void;
}

/** Takes over the response of an admitted `GET /api/feed`, or returns the answer to be sent instead. */
export interface StreamReceiver {
  open(
    request: IncomingMessage,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    caller: Caller,
    grant: Grant,
  ): Answer | undefined;
}

export interface HttpServerOptions extends Admission, Partial<AdmissionLimits & RequestLimits> {
  /** 0 takes any free port. */
  readonly port: number;
  readonly store: RetainedState & ListedState;
  readonly feedServer: UpgradeReceiver;
  /** Absent: there is nothing at `/api/feed`. */
  readonly eventStreams?: StreamReceiver;
  /** Instead of the built-in page. */
  readonly pageFile?: string;
  /** Files that devices sent. */
  readonly files?: ServedFiles;
  /** Further members of `/healthz`. */
  health?(): JsonObject;
  /** Knows the tokens; absent: none is asked for. */
  readonly auth?: Authenticator;
  /** A defect showed with one request; absent: it is thrown on, and ends everything. */
  onDefect?(affected: Affected, cause: unknown): void;
  /** A request was rejected; `detail` is words, or the body of the answer. */
  refused?(address: string, detail: string): void;
  /** What is still to be read before a path can be answered; absent: nothing. */
  readonly wanted?: ((path: string) => Promise<unknown> | undefined) | undefined;
  /** What else there is at a path. */
  readonly further?: RouteSources['further'];
  /** Accepting a connection failed, for want of file descriptors for instance; the server goes on. */
  failed?(error: HeartwireError): void;
  readonly clock?: Clock;
  /** Limits that change while it runs. */
  readonly live?: Live<AdmissionLimits & RequestLimits>;
  /** With peers that take their time. */
  readonly patience?: Patience;
  /** Served over TLS with its pair; the bridge disposes of it. */
  readonly tls?: TlsSource;
}

const CLOSING_MS = 1_000;

/** One port for browsers and programs: the page, the API, and the upgrade to the feed. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #clock: Clock;
  readonly #admissionControl: AdmissionControl;
  readonly #access: RequestAccess;
  readonly #turns: RequestTurns;
  readonly #sockets = new Set<Duplex>();
  /** They end with the answer that they have been given. */
  readonly #ending = new WeakSet<Duplex>();
  readonly #port: ServerPort;
  #closing: Promise<void> | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { handshakeMs } = options.patience ?? PATIENCE;
    const ofServer = { server: 'The HTTP server', keys: 'server', clock: this.#clock, handshakeMs } as const;
    this.#port = new ServerPort({ ...options, ...ofServer });
    this.#turns = new RequestTurns(this.#clock, (options.patience ?? PATIENCE).idleMs);
    const { auth = new Authenticator(undefined, this.#clock) } = options;
    this.#access = new RequestAccess(auth, (address, message) => options.refused?.(address, message));
    const limits = {
      ...DEFAULT_ADMISSION_LIMITS,
      ...DEFAULT_REQUEST_LIMITS,
      ...options,
      ...options.live?.value,
    };
    this.#admissionControl = new AdmissionControl(options, limits, this.#clock, (address, { body }) =>
      options.refused?.(address, String(body)),
    );
    options.live?.watch((live) => this.#admissionControl.follow(live));
  }

  /** @throws HeartwireError `address_in_use`, `address_unavailable`, `listen_failed`, `page_unreadable`, `tls_*` */
  async start(): Promise<{ url: string; port: number }> {
    const { host, store, files, tls, patience = PATIENCE } = this.#options;
    const page = await loadPage(this.#options.pageFile ?? builtInPage());
    const streams = this.#options.eventStreams !== undefined;
    const sources: RouteSources = {
      page,
      store,
      devices: new DeviceList(store, this.#clock),
      streams,
      health: () => this.#options.health?.() ?? {},
      further: (path, asked) => this.#options.further?.(path, asked),
      ...(files === undefined ? {} : { files }),
    };
    const limits = limitsOf(patience);
    const listener: RequestListener = (request, response) =>
      this.#turns.answer(request.socket, response, () => this.#answer(request, response, sources));
    const server: Server = await this.#port.make(
      () => createServer(limits, listener),
      (pair) => createSecureServer({ ...limits, ...pair }, listener),
    );
    // Bounds how long an answer that is not read holds its memory.
    server.timeout = patience.idleMs;
    this.#turns.pace(server, tls === undefined ? 'connection' : 'secureConnection');
    server.on('connection', (socket) => {
      // Without an address the peer is gone already: what it asked for is not read.
      if (socket.remoteAddress === undefined) return void socket.destroy();
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      this.#admissionControl.accept(socket, tls !== undefined);
    });
    server.on('upgrade', (request, socket, head) =>
      this.#turns.handOver(socket, head, (rest) => this.#upgrade(request, socket, rest)),
    );
    const noProxy = refusal(405, 'method_not_allowed', 'This is no proxy.', { Allow: 'GET, HEAD' });
    server.on('connect', (_request, socket, head) =>
      this.#turns.handOver(socket, head, () => writeAnswer(socket, noProxy)),
    );
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // A fault in a body that is not read is no reason for a second answer.
      if (this.#ending.has(socket)) return;
      const answer = (): void => answerClientError(error, socket);
      // What could not be parsed stands behind requests that are still to be answered.
      if (error.code?.startsWith('HPE_')) this.#turns.handOver(socket, Buffer.alloc(0), answer);
      else answer();
    });
    const taken = await this.#port.listen(server);
    return { url: `${tls === undefined ? 'http' : 'https'}://${urlHost(host)}:${taken}`, port: taken };
  }

  /** Stops listening, lets answers that are under way go out, and closes every connection, upgraded ones too. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const timer = this.#clock.setTimer(this.#clock.now().monoMs + CLOSING_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await this.#port.close();
    timer.cancel();
  }

  #answer(request: IncomingMessage, response: ServerResponse, sources: RouteSources): void {
    if (hasBody(request)) this.#ending.add(request.socket);
    const standing = { ...SECURITY_HEADERS, ...crossOrigin(request, this.#options) };
    const verdict = this.#admissionControl.admit(request);
    const early = verdict.ok ? preflight(request, this.#options) : verdict.answer;
    if (early !== undefined || !verdict.ok) {
      if (early !== undefined) this.#send(request, response, standing, early);
      return;
    }
    const { caller } = verdict;
    const conclude = async (): Promise<void> => {
      const judged = await this.#access.judge(request, caller);
      if (judged.ok && this.#options.wanted !== undefined) await this.#options.wanted(request.url ?? '');
      const answer = judged.ok
        ? (this.#admissionControl.limitToken(request, caller, judged.grant) ??
          this.#allowed(request, response, sources, standing, caller, judged.grant))
        : judged.answer;
      if (answer === undefined) return;
      const made = (await answer.later?.()) ?? answer;
      if (judged.ok && request.method !== 'HEAD')
        this.#admissionControl.answered(caller, judged.grant, made.file === undefined ? bytesOf(made) : 0);
      this.#send(request, response, standing, made);
    };
    conclude().catch((cause: unknown) => this.#broke(request, response, standing, caller, cause));
  }

  #broke(
    request: IncomingMessage,
    response: ServerResponse,
    standing: Readonly<Record<string, string>>,
    { remoteAddress }: Caller,
    cause: unknown,
  ): void {
    const { onDefect } = this.#options;
    if (onDefect === undefined) throw cause;
    onDefect({ address: plainAddress(remoteAddress) }, cause);
    if (response.headersSent) response.destroy();
    else
      this.#send(
        request,
        response,
        standing,
        refusal(500, 'internal_error', ERROR_CODES.internal_error.meaning),
      );
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    standing: Readonly<Record<string, string>>,
    answer: Answer,
  ): void {
    const { file, pieces } = answer;
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    response.writeHead(answer.status, {
      ...standing,
      ...answer.headers,
      ...(answer.status === 304 || answer.status === 204 ? {} : { 'Content-Length': bytesOf(answer) }),
      // The body is not read: the connection ends with the answer.
      ...(hasBody(request) ? { Connection: 'close' } : {}),
    });
    if (request.method === 'HEAD') response.end();
    // A reader that goes away, or a file that does: the connection ends short of its length, and the reader knows.
    else if (file !== undefined) pipeline(createReadStream(file.path), response, () => undefined);
    else if (pieces !== undefined) sendPieces(response, pieces.values());
    else if (body.byteLength <= PIECE_BYTES) response.end(body);
    else sendPieces(response, inPieces(body));
  }

  /** The answer to a request that may be answered; undefined where it has become a stream. */
  #allowed(
    request: IncomingMessage,
    response: ServerResponse,
    sources: RouteSources,
    standing: Readonly<Record<string, string>>,
    caller: Caller,
    grant: Grant,
  ): Answer | undefined {
    const { eventStreams } = this.#options;
    if (eventStreams !== undefined && request.method === 'GET' && wantsStream(request)) {
      const answer = eventStreams.open(request, response, standing, caller, grant);
      if (answer === undefined) this.#turns.streams(request.socket);
      return answer;
    }
    return route(request, sources, grant);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const verdict = this.#admissionControl.admit(request, 'upgrade');
    const refused = verdict.ok ? notTheFeed(request) : verdict.answer;
    if (refused !== undefined || !verdict.ok) {
      if (refused !== undefined) writeAnswer(socket, refused);
      return;
    }
    // How long a subscriber may be silent is the feed's to say.
    request.socket.setTimeout(0);
    this.#options.feedServer.handleUpgrade(request, socket, head, verdict.caller);
  }
}

function bytesOf({ file, pieces, body }: Answer): number {
  if (file !== undefined) return file.bytes;
  if (pieces !== undefined) return byteLengthOf(pieces);
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
}

function wantsStream(request: IncomingMessage): boolean {
  return pathOf(request.url ?? '/') === STREAM_PATH;
}

function notTheFeed(request: IncomingMessage): Answer | undefined {
  const path = pathOf(request.url ?? '/');
  // Programs that were written for a bare WebSocket server connect to the root.
  if (path === undefined || !(path === '/' || isFeedPath(path))) {
    return refusal(404, 'not_found', 'Only /, /ws and /ws/<client_id> can be upgraded.');
  }
  return request.headers.upgrade?.toLowerCase() === 'websocket' ? undefined : upgradeRequired();
}

/** Pages of configured origins may read the API; all others get no CORS header at all. */
function crossOrigin(request: IncomingMessage, admission: Admission): Record<string, string> {
  const { origin } = request.headers;
  if (admission.origins.length === 0) return {};
  if (origin === undefined || !originConfigured(origin, admission)) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': 'ETag',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  };
}

function preflight(request: IncomingMessage, admission: Admission): Answer | undefined {
  const { origin } = request.headers;
  if (request.method !== 'OPTIONS' || origin === undefined || !originConfigured(origin, admission))
    return undefined;
  return {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'GET, HEAD',
      'Access-Control-Allow-Headers': 'Authorization, If-None-Match, Last-Event-ID',
      'Access-Control-Max-Age': '600',
    },
    body: '',
  };
}

function hasBody(request: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}

/** What a peer may take of the server's time and memory before it has said what it wants. */
const LIMITS = { keepAliveTimeout: 5_000, maxHeaderSize: 16 * 1024 } as const;

/** How long a peer may take over what it has to say. */
export interface Patience {
  /** Over the headers of a request, from its first byte or, for the first one, from the connection. */
  readonly headersMs: number;
  /** Over the whole of a request. */
  readonly requestMs: number;
  /** How often connections are checked. */
  readonly lookMs: number;
  /** Between two bytes of an answer that it takes. */
  readonly idleMs: number;
  /** Over a TLS handshake as a whole; 10 s where it is left out. */
  readonly handshakeMs?: number;
}

const PATIENCE: Patience = { headersMs: 10_000, requestMs: 15_000, lookMs: 2_000, idleMs: 60_000 };

function limitsOf({ headersMs, requestMs, lookMs }: Patience): ServerOptions {
  return {
    ...LIMITS,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: lookMs,
  };
}
