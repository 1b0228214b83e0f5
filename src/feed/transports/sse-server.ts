import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../access/caller.ts';
import { type Grant, refusedTopics } from '../../access/grant.ts';
import { type Answer, refusal } from '../../access/http-answer.ts';
import { forbidden } from '../../access/request-access.ts';
import { plainAddress } from '../../system/addresses.ts';
import { tooManyPatterns } from '../core/subscriptions.ts';
import type { SubscriberRegistry, Transport } from '../hub/subscriber-registry.ts';
import { sseFrame } from './sse-frame.ts';
import { readStreamRequest } from './sse-request.ts';
import { SseSocket } from './sse-socket.ts';

/** A browser whose stream ended comes back after so long, drawn anew for each, so that not all come back at once. */
const LEAST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 5_000;
const KEEP_ALIVE_AFTER_MS = 10_000;

const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Some proxies hold a stream back until it is long.
  'X-Accel-Buffering': 'no',
  Connection: 'close',
} as const;

/** The feed as server-sent events: the same messages, for who only wants to listen. */
export class SseServer {
  readonly #subscriberRegistry: SubscriberRegistry;
  readonly #transport: Transport;
  readonly #random: () => number;

  constructor(subscriberRegistry: SubscriberRegistry, random: () => number = Math.random) {
    this.#subscriberRegistry = subscriberRegistry;
    this.#transport = subscriberRegistry.transport('sse', sseFrame);
    this.#random = random;
  }

  /** Answers an admitted `GET /api/feed` with a stream, or returns the answer where there is to be none. */
  open(
    request: IncomingMessage,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    caller: Caller,
    grant: Grant,
  ): Answer | undefined {
    const asked = readStreamRequest(request.url ?? '', request.headers);
    if (!('subscribe' in asked)) return asked;
    const { clock, limits } = this.#subscriberRegistry;
    // Before the rights, against which each pattern would be held.
    if (asked.topics.length > limits.maxPatterns) {
      return refusal(400, 'bad_request', tooManyPatterns(limits.maxPatterns).message);
    }
    const refused = refusedTopics(grant, asked.topics);
    if (refused !== undefined) return forbidden(refused);
    const { socket } = response;
    if (socket === null) {
      return refusal(400, 'bad_request', 'A stream wants a connection of its own; this one is still in use.');
    }
    const address = plainAddress(caller.remoteAddress);
    const retryAfterS = this.#subscriberRegistry.retryAfterS(address);
    const browser = request.headers.accept?.includes('text/event-stream') === true;
    if (retryAfterS !== undefined && !browser) {
      const message = 'More connections come than can be taken in now; come back later.';
      return refusal(503, 'too_busy', message, { 'Retry-After': String(retryAfterS) });
    }
    // The end of the connection is the end of the body, so that the very bytes that others get can be written to it.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { ...headers, ...STREAM_HEADERS });
    response.flushHeaders();
    socket.setTimeout(0);
    socket.setNoDelay(true);
    // Nobody answers here; where nothing is under way, the operating system asks.
    socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
    const retryMs = LEAST_RETRY_MS + this.#random() * (MOST_RETRY_MS - LEAST_RETRY_MS);
    if (retryAfterS !== undefined) {
      // A browser that is refused by its status never comes back; one whose stream ends does.
      response.end(`retry: ${retryAfterS * 1_000}\n\n`);
      return undefined;
    }
    socket.write(`retry: ${Math.round(retryMs)}\n\n`);
    const transportSocket = new SseSocket(socket, clock, limits.closeTimeoutMs);
    const verdict = { ok: true, grant } as const;
    const connection = this.#subscriberRegistry.admit(this.#transport, {
      transportSocket,
      socket,
      address,
      verdict,
    });
    let why = 'closed';
    // Somebody who went away in order may be written to once more before his end is seen.
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') why = 'lost';
    });
    socket.once('close', () => this.#subscriberRegistry.leave(connection, why));
    this.#subscriberRegistry.receive(connection, asked.subscribe);
    return undefined;
  }
}
