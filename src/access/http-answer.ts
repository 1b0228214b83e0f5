import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Json } from '../contract/wire/index.ts';
import type { ErrorCode } from '../errors.ts';

/** An answer without its connection. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Sent instead of the body, one after the other: those of a long answer. */
  readonly pieces?: readonly Uint8Array[];
  /** Sent instead of the body: so many bytes of the file at this path. */
  readonly file?: { readonly path: string; readonly bytes: number };
  /** Sent instead of all this, once it is made; never rejects. */
  readonly later?: () => Promise<Answer>;
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

export const JSON_TYPE = 'application/json; charset=utf-8';

/** A document, for this one request only: it is not stored. */
export function jsonAnswer(
  status: number,
  value: Json,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store', ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}

/** An error as every route reports it: `{code, message}`. */
export function refusal(
  status: number,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return jsonAnswer(status, { code, message }, headers);
}

const PARSE_FAILURES: ReadonlyMap<string, readonly [status: number, message: string]> = new Map([
  ['HPE_HEADER_OVERFLOW', [431, 'The headers of the request are larger than 16 KiB.']],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'The request did not arrive in time.']],
]);

/** Answers on a bare socket, and closes it. */
export function writeAnswer(socket: Duplex, answer: Answer): void {
  // The peer may be gone before it has read the refusal, which does no harm.
  socket.on('error', () => socket.destroy());
  const body = Buffer.from(answer.body);
  const headers = {
    ...SECURITY_HEADERS,
    ...answer.headers,
    'Content-Length': String(body.byteLength),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines.join('')}\r\n`;
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]), () => socket.destroy());
}

/** Answers what the HTTP parser could not take; a connection that is gone already is only closed. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = PARSE_FAILURES.get(error.code ?? '') ?? [400, 'This is no HTTP request.'];
  writeAnswer(socket, refusal(status, 'bad_request', message));
}
