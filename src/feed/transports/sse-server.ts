import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  type Answer,
  type Caller,
  forbidden,
  type Grant,
  refusal,
  refusedTopics,
} from '../../access/index.ts';
import { type Clock, plainAddress } from '../../system/index.ts';
import { tooManyPatterns } from '../core/subscribe.ts';
import { endSocket, type TransportSocket } from '../hub/connection.ts';
import type { SubscriberRegistry } from '../hub/subscriber-registry.ts';
import type { Transport } from '../hub/transport.ts';
import { HEARTBEAT_COMMENT, sseFrame } from './sse-frame.ts';
import { readStreamRequest } from './sse-request.ts';

/** A stream of server-sent events: nothing is read, so nothing is paused, and pings have no answer. */
class SseSocket implements TransportSocket {
  readonly pingFrame = HEARTBEAT_COMMENT;
  readonly answersPings = false;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #closeTimeoutMs: number;

  constructor(socket: Socket, clock: Clock, closeTimeoutMs: number) {
    this.#socket = socket;
    this.#clock = clock;
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  get open(): boolean {
    return this.#socket.writable;
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    endSocket(this.#socket, this.#clock, this.#closeTimeoutMs);
  }
}

/** A browser whose stream ended comes back after so long, drawn for each, so that not all come back at once. */
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

/** The feed as server-sent events: the same messages, for clients that only read. */
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
    // Before the rights, which are checked for each pattern.
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
    // The end of the connection is the end of the body, so that the bytes of all subscribers can be written as they are.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { ...headers, ...STREAM_HEADERS });
    response.flushHeaders();
    socket.setTimeout(0);
    socket.setNoDelay(true);
    // The client sends nothing; on an idle connection the operating system checks it.
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
    // A client that closed in order may be written to once more before its end is seen.
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') why = 'lost';
    });
    socket.once('close', () => this.#subscriberRegistry.leave(connection, why));
    this.#subscriberRegistry.receive(connection, asked.subscribe);
    return undefined;
  }
}
