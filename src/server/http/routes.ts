import type { IncomingMessage } from 'node:http';
import {
  type Answer,
  type Grant,
  isFeedPath,
  JSON_TYPE,
  jsonAnswer,
  pathOf,
  refusal,
  STREAM_PATH,
} from '../../access/index.ts';
import { asyncApiText } from '../../contract/feed/index.ts';
import type { Json, JsonObject } from '../../contract/wire/index.ts';
import type { BridgeMetrics } from '../metrics/bridge-metrics.ts';
import type { Readiness } from '../readiness.ts';
import type { DeviceList, RenderedList } from './device-list.ts';
import type { Page, StaticFile } from './page.ts';

/** What the HTTP routes read of the retained state. */
export interface RetainedState {
  /** Names this life of the state; revisions of another life say nothing. */
  readonly epoch: string;
  /** The present documents whose topics match, in any order. */
  documents(pattern: string): Iterable<RetainedDocument>;
}

export interface RetainedDocument {
  readonly topic: string;
  /** Of its last change; no two changes have the same. */
  readonly rev: number;
  readonly document: JsonObject;
}

/** Files that can be had at `/api/files`. */
export interface ServedFiles {
  readonly files: readonly { readonly id: string; readonly bytes: number; readonly at: number }[];
  find(id: string): { readonly path: string; readonly bytes: number } | undefined;
}

/** What the routes serve. */
export interface RouteSources {
  readonly page: Page;
  readonly store: RetainedState;
  readonly devices: DeviceList;
  /** Streams are to be had at `STREAM_PATH`. */
  readonly streams: boolean;
  /** Further members of `/healthz`. */
  health(): JsonObject;
  /** Files that devices sent; absent where none are wanted. */
  readonly files?: ServedFiles;
  /** What else there is at a path. */
  further?(path: string, asked: Asked): (() => Answer) | undefined;
}

/** What a request to a path asks for besides the path, and with which rights. */
export interface Asked {
  readonly query: URLSearchParams;
  readonly grant: Grant;
}

const METHODS = 'GET, HEAD';

/** Answers one admitted request; HEAD is a GET whose body the caller leaves out. */
export function route(
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  sources: RouteSources,
  grant: Grant,
): Answer {
  const path = pathOf(request.url ?? '/');
  if (path === undefined) return refusal(400, 'bad_request', 'The path of the request cannot be decoded.');
  const ifNoneMatch = request.headers['if-none-match'];
  const answer = find(path);
  if (answer === undefined) {
    return refusal(
      404,
      'not_found',
      `There is nothing at ${path.slice(0, 200)}; the page is at /, the devices at /api/devices.`,
    );
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refusal(405, 'method_not_allowed', `Only ${METHODS} here.`, { Allow: METHODS });
  }
  return answer();

  function find(at: string): (() => Answer) | undefined {
    const { page } = sources;
    if (at === '/' || at === '/inspect') return () => pageAnswer(page, request.headers);
    const file = page.files.get(at);
    if (file !== undefined) return () => fileAnswer(file, request.headers);
    if (at === '/healthz') return () => jsonAnswer(200, { status: 'ok', ...sources.health() });
    if (at === '/api/devices') return () => deviceList(sources.devices, ifNoneMatch);
    const device = /^\/api\/devices\/([^/]+)$/.exec(at)?.[1];
    if (device !== undefined) return () => oneDevice(device, sources.store, ifNoneMatch);
    if (at === '/api/files')
      return () => jsonAnswer(200, { files: (sources.files?.files ?? []).map((each) => ({ ...each })) });
    const sent = /^\/api\/files\/([^/]+)$/.exec(at)?.[1];
    if (sent !== undefined) return () => oneFile(sent, sources.files);
    if (at === STREAM_PATH && sources.streams) return streamHead;
    if (isFeedPath(at)) return upgradeRequired;
    const [, query = ''] = /\?([^#]*)/.exec(request.url ?? '') ?? [];
    return sources.further?.(at, { query: new URLSearchParams(query), grant });
  }
}

/** The head of the stream; a GET is not answered here. */
function streamHead(): Answer {
  const headers = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' };
  return { status: 200, headers, body: '' };
}

/** What a plain request to the feed, or an upgrade to something else than WebSocket, gets. */
export function upgradeRequired(): Answer {
  return refusal(426, 'upgrade_required', 'The feed is a WebSocket: connect with ws:// to this path.', {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
  });
}

function pageAnswer(page: Page, headers: IncomingMessage['headers']): Answer {
  return fileAnswer(page.html, headers, { 'Content-Security-Policy': page.contentSecurityPolicy });
}

/** A file of the page, compressed where the browser takes that. */
function fileAnswer(
  file: StaticFile,
  { 'if-none-match': ifNoneMatch, 'accept-encoding': accepted = '' }: IncomingMessage['headers'],
  more: Readonly<Record<string, string>> = {},
): Answer {
  const headers = {
    'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: file.etag,
    Vary: 'Accept-Encoding',
    ...more,
  };
  if (hasVersion(ifNoneMatch, file.etag)) return { status: 304, headers, body: '' };
  const plain: Answer = { status: 200, headers: { ...headers, 'Content-Type': file.type }, body: file.body };
  if (!/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/.test(String(accepted))) return plain;
  const later = async (): Promise<Answer> => {
    const body = await file.gzipped();
    if (body === undefined) return plain;
    return { ...plain, headers: { ...plain.headers, 'Content-Encoding': 'gzip' }, body };
  };
  return { ...plain, later };
}

function deviceList(devices: DeviceList, ifNoneMatch: string | undefined): Answer {
  const answer = ({ etag, pieces }: RenderedList): Answer => {
    const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
    if (hasVersion(ifNoneMatch, etag)) return { status: 304, headers, body: '' };
    return { status: 200, headers: { 'Content-Type': JSON_TYPE, ...headers }, body: '', pieces };
  };
  const latest = devices.latest();
  if (!(latest instanceof Promise)) return answer(latest);
  return { status: 200, headers: {}, body: '', later: () => latest.then(answer) };
}

function oneDevice(id: string, store: RetainedState, ifNoneMatch: string | undefined): Answer {
  // A wildcard in the place of the id would look through all of them.
  const topics = /[+#]/.test(id) ? [] : store.documents(`devices/${id}/state`);
  for (const found of topics) {
    return versioned(`"${store.epoch}.${found.rev}"`, ifNoneMatch, () => found.document);
  }
  return refusal(
    404,
    'device_unknown',
    `No device is known as "${id.slice(0, 64)}"; /api/devices lists them all.`,
  );
}

/** Sends the document only where the client has another version. */
function versioned(etag: string, ifNoneMatch: string | undefined, body: () => Json): Answer {
  const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
  if (hasVersion(ifNoneMatch, etag)) return { status: 304, headers, body: '' };
  return jsonAnswer(200, body(), headers);
}

function oneFile(id: string, files: ServedFiles | undefined): Answer {
  const file = files?.find(id);
  if (file === undefined) {
    return refusal(404, 'not_found', `There is no file "${id.slice(0, 100)}"; /api/files lists them all.`);
  }
  const headers = {
    'Content-Type': 'application/octet-stream',
    // What a device sent is for saving, never for a browser to make something of.
    'Content-Disposition': `attachment; filename="${id}"`,
    'Cache-Control': 'private, max-age=31536000, immutable',
  };
  return { status: 200, headers, body: '', file };
}

/** The routes for monitoring, by path. */
export function observingRoutes(
  metrics: BridgeMetrics,
  readiness: Readiness,
  discreet: () => boolean,
): (path: string) => (() => Answer) | undefined {
  const routes: Readonly<Record<string, () => Answer>> = {
    '/metrics': () => metricsAnswer(metrics),
    '/readyz': () => readyAnswer(readiness, discreet()),
    '/asyncapi.json': () => ({
      status: 200,
      headers: { ...JSON_HEADERS, 'Cache-Control': 'no-cache' },
      body: asyncApiText(),
    }),
  };
  return (path) => (Object.hasOwn(routes, path) ? routes[path] : undefined);
}

const JSON_HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };

/** Put together when it is sent. */
export function metricsAnswer(metrics: Pick<BridgeMetrics, 'contentType' | 'text'>): Answer {
  const headers = { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' };
  const later = async (): Promise<Answer> => {
    try {
      return { status: 200, headers, body: '', pieces: await metrics.text() };
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      return refusal(500, 'metrics_failed', `The metrics could not be put together: ${detail}`);
    }
  };
  return { status: 200, headers, body: '', later };
}

/** 200, or 503 with every reason why not. `discreet`: the request has no token, so the answer holds no names. */
export function readyAnswer(readiness: Pick<Readiness, 'reasons'>, discreet = false): Answer {
  const reasons = readiness.reasons().map((each) => {
    const { kind, message } = each;
    return discreet ? { kind, message } : each;
  });
  const body = reasons.length === 0 ? { status: 'ready' } : { status: 'not_ready', reasons };
  return {
    status: reasons.length === 0 ? 200 : 503,
    headers: JSON_HEADERS,
    body: `${JSON.stringify(body)}\n`,
  };
}

/** Whether a client that sends this `If-None-Match` has the version already; `W/` makes no difference (RFC 9110, 13.1.2). */
export function hasVersion(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const wanted = opaque(etag);
  return ifNoneMatch.split(',').some((each) => opaque(each.trim()) === wanted);
}

function opaque(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}
