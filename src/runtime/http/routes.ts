import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../../errors.ts';
import type { Json, JsonObject } from '../../feed/publisher.ts';
import type { Page } from './page.ts';

/** What the HTTP routes read of the retained state. */
export interface RetainedState {
  /** The present documents whose topics match, in any order. */
  documents(pattern: string): Iterable<{ readonly topic: string; readonly document: JsonObject }>;
  /** The present document of one topic. */
  document(topic: string): JsonObject | undefined;
  /** Epoch to revision. */
  position(): { readonly [epoch: string]: number };
}

/** An answer without its connection. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** For every answer: nothing here may be framed, sniffed, or used by a page of another origin. */
export const SECURITY_HEADERS = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

/** What the routes serve. */
export interface RouteSources {
  readonly page: Page;
  readonly store: RetainedState;
  /** Further members of `/healthz`. */
  health(): JsonObject;
}

const METHODS = 'GET, HEAD';
const JSON_TYPE = 'application/json; charset=utf-8';
const LISTED = 'devices/+/state';

/** Answers one admitted request; HEAD is a GET whose body the caller leaves out. */
export function route(
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  sources: RouteSources,
): Answer {
  const path = pathOf(request.url ?? '/');
  if (path === undefined) return refusal(400, 'bad_request', 'The path of the request cannot be decoded.');
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
    if (at === '/') return () => pageAnswer(sources.page, request.headers['if-none-match']);
    if (at === '/healthz') return () => json(200, { status: 'ok', ...sources.health() });
    if (at === '/api/devices') return () => devices(sources.store);
    const device = /^\/api\/devices\/([^/]+)$/.exec(at)?.[1];
    if (device !== undefined) return () => oneDevice(device, sources.store);
    if (isFeedPath(at)) return upgradeRequired;
    return undefined;
  }
}

/** `/ws`, or `/ws/<client_id>`. */
export function isFeedPath(path: string): boolean {
  return path === '/ws' || /^\/ws\/[^/]*$/.test(path);
}

/** The decoded path of a request target, without its query; absent where it cannot be decoded. */
export function pathOf(target: string): string | undefined {
  const path = (/^https?:\/\/[^/]*/.test(target) ? target.replace(/^https?:\/\/[^/]*/, '') : target).split(
    /[?#]/,
    1,
  )[0];
  try {
    return decodeURIComponent(path === undefined || path === '' ? '/' : path);
  } catch {
    // A stray percent sign; the caller says so.
    return undefined;
  }
}

/** An error as every route reports it: `{code, message}`. */
export function refusal(
  status: number,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return json(status, { code, message }, headers);
}

/** What a plain request to the feed, or an upgrade to something else than WebSocket, gets. */
export function upgradeRequired(): Answer {
  return refusal(426, 'upgrade_required', 'The feed is a WebSocket: connect with ws:// to this path.', {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
  });
}

function pageAnswer(page: Page, ifNoneMatch: string | undefined): Answer {
  const headers = {
    'Cache-Control': 'no-cache',
    ETag: page.etag,
    'Content-Security-Policy': page.contentSecurityPolicy,
  };
  if (ifNoneMatch?.split(',').some((each) => each.trim() === page.etag))
    return { status: 304, headers, body: '' };
  return {
    status: 200,
    headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' },
    body: page.body,
  };
}

function devices(store: RetainedState): Answer {
  // Read first: changes made while the list is put together can then only be told twice, never missed.
  const position = store.position();
  const documents = [...store.documents(LISTED)]
    .sort((a, b) => (a.topic < b.topic ? -1 : 1))
    .map((each) => each.document);
  return json(200, { position, devices: documents });
}

function oneDevice(id: string, store: RetainedState): Answer {
  const document = store.document(`devices/${id}/state`);
  if (document !== undefined) return json(200, document);
  return refusal(
    404,
    'device_unknown',
    `No device is known as "${id.slice(0, 64)}"; /api/devices lists them all.`,
  );
}

function json(status: number, value: Json, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store', ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}
