import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Answer, refusal, SECURITY_HEADERS } from '../server/http/routes.ts';

const PARSE_FAILURES: ReadonlyMap<string, readonly [status: number, message: string]> = new Map([
  ['HPE_HEADER_OVERFLOW', [431, 'The headers of the request are larger than 16 KiB.']],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'The request did not arrive in time.']],
]);

/** Answers on a bare socket, and closes it. */
export function writeAnswer(socket: Duplex, answer: Answer): void {
  // The peer may be gone before it has read the refusal, and that harms nobody.
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
