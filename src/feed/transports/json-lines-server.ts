import { createServer, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { type AdmissionLimits, ConnectionLimiter } from '../../access/index.ts';
import { parseClientMessage } from '../../contract/feed/index.ts';
import { CLOSE_CODES } from '../../contract/wire/index.ts';
import type { HeartwireError } from '../../errors.ts';
import { formatHostPort, ServerPort } from '../../links/index.ts';
import { type Live, plainAddress, type TlsSource } from '../../system/index.ts';
import type { TextPart } from '../core/encoder.ts';
import { type Connection, endSocket } from '../hub/connection.ts';
import type { SubscriberRegistry } from '../hub/subscriber-registry.ts';
import type { Transport } from '../hub/transport.ts';
import { JsonLinesSocket } from './json-lines-socket.ts';
import { frameAround, textLength } from './text-parts.ts';

const LF = 0x0a;

/** One JSON text, given in parts, as a line. */
export function jsonLine(parts: readonly TextPart[]): Uint8Array {
  const length = textLength(parts);
  const line = frameAround(parts, 0, length + 1);
  line[length] = LF;
  return line;
}

// Half open: a client that has sent its last message may still read.
const SOCKETS = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 };

export interface JsonLinesServerOptions {
  readonly subscriberRegistry: SubscriberRegistry;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Served over TLS with its pair; the bridge disposes of it. */
  readonly tls?: TlsSource;
  /** Limits that change while it runs. */
  readonly live?: Live<AdmissionLimits>;
  /** How long a TLS handshake may take; 10 s where it is left out. */
  readonly handshakeMs?: number;
  /** Accepting a connection failed; the server goes on. */
  failed?(error: HeartwireError): void;
}

/**
 * The feed for programs without WebSocket: the same messages, one JSON object a line, over TCP or TLS. A web page can
 * make its browser send a request here, and so a connection that does not begin with an object is cut off at its first
 * byte.
 *
 * A bare program writes one object without a newline, and takes what it reads then for the answer: it gets one object for
 * each of its own, and nothing else, until it subscribes.
 */
export class JsonLinesServer {
  readonly #options: JsonLinesServerOptions;
  readonly #transport: Transport;
  /** A TLS handshake costs more than all that follows, so the rate of an address is checked before it. */
  readonly #connections: ConnectionLimiter;
  readonly #port: ServerPort;

  constructor(options: JsonLinesServerOptions) {
    this.#options = options;
    const { subscriberRegistry } = options;
    this.#transport = subscriberRegistry.transport('json_lines', jsonLine);
    this.#connections = new ConnectionLimiter(subscriberRegistry.limits, subscriberRegistry.clock);
    options.live?.watch((limits) => this.#connections.follow(limits));
    const { clock } = subscriberRegistry;
    this.#port = new ServerPort({
      ...options,
      server: 'The server for JSON lines',
      keys: 'server.tcp',
      clock,
    });
  }

  /**
   * Resolves with `host:port`, or `tls://host:port`.
   * @throws HeartwireError `address_in_use`, `address_unavailable`, `listen_failed`, `tls_*`
   */
  async start(): Promise<string> {
    const { host, tls } = this.#options;
    const server = await this.#port.make(
      () => createServer(SOCKETS),
      (pair) => createSecureServer({ ...SOCKETS, ...pair }),
    );
    if (tls === undefined) server.on('connection', (socket: Socket) => this.#admit(socket));
    else {
      server.on('secureConnection', (socket: Socket) => this.#admit(socket));
      server.on('connection', (socket: Socket) => this.#connections.accepts(socket, true));
    }
    const at = formatHostPort(host, await this.#port.listen(server));
    return tls === undefined ? at : `tls://${at}`;
  }

  /** Stops listening; the registry closes the connections, before. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#port.close();
  }

  #admit(socket: Socket): void {
    // Without an address the peer is gone already.
    if (socket.remoteAddress === undefined) return void socket.destroy();
    const { subscriberRegistry } = this.#options;
    const { clock } = subscriberRegistry;
    const { maxMessageBytes, closeTimeoutMs } = subscriberRegistry.limits;
    const address = plainAddress(socket.remoteAddress);
    let why = 'closed';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      why = error.code === 'EPIPE' ? 'closed' : 'lost';
    });
    const retryAfterS = subscriberRegistry.retryAfterS(address);
    if (retryAfterS !== undefined) {
      this.#refuse(socket, retryAfterS);
      return;
    }
    const transportSocket = new JsonLinesSocket({ socket, clock, maxMessageBytes, closeTimeoutMs });
    const connection = subscriberRegistry.admit(this.#transport, {
      transportSocket,
      socket,
      address,
      quiet: true,
    });
    socket.on('close', () => subscriberRegistry.leave(connection, why));
    if (connection.session === undefined) return;
    const cutOff = (): void => {
      why = 'refused';
      subscriberRegistry.log('refused', address, undefined, 'its first message is not a JSON object');
      socket.destroy();
    };
    let first = true;
    transportSocket.start({
      text: (text, lines) => {
        if (first && isNoObject(text)) return cutOff();
        first = false;
        if (connection.quiet && (lines || asksForStream(text))) this.#begin(connection);
        subscriberRegistry.receive(connection, text);
      },
      newline: () => this.#begin(connection),
      tooLarge: () => connection.close('message_too_large', clock.now()),
      notUtf8: () => connection.close('invalid_utf8', clock.now()),
      foreign: cutOff,
      peerEnded: () => this.#peerEnded(connection, transportSocket),
    });
  }

  /**
   * Ends a quiet connection when its last answer is written. Nothing else is ever written to it, and so nothing would
   * show that its peer is gone.
   */
  #peerEnded(connection: Connection, transportSocket: JsonLinesSocket): void {
    if (!connection.quiet || connection.closing) return;
    connection.onceAnswered(() => transportSocket.close(), this.#options.subscriberRegistry.clock.now());
  }

  /** It reads a stream: it is welcomed, and also gets what it did not ask for. */
  #begin(connection: Connection): void {
    if (!connection.quiet || connection.closing) return;
    connection.session?.startJsonPings();
    this.#options.subscriberRegistry.begin(connection);
  }

  /** There is no room now. */
  #refuse(socket: Socket, retryAfterS: number): void {
    const { clock, limits } = this.#options.subscriberRegistry;
    const { encoder } = this.#transport.audience;
    const now = clock.now();
    const message = 'More connections come than can be taken in now; come back later.';
    const closing = { code: CLOSE_CODES.draining.code, reason: 'too_busy', reconnect: true } as const;
    socket.write(encoder.message('error', 'm1', { code: 'too_busy', message, retry: true }, now));
    socket.write(encoder.message('closing', 'm2', { ...closing, retry_after_ms: retryAfterS * 1_000 }, now));
    socket.resume();
    endSocket(socket, clock, limits.closeTimeoutMs);
  }
}

/** A request with more than one answer. */
function asksForStream(text: string): boolean {
  const parsed = parseClientMessage(text);
  return parsed.ok && (parsed.message.type === 'subscribe' || parsed.message.type === 'resume');
}

function isNoObject(text: string): boolean {
  const parsed = parseClientMessage(text);
  return !parsed.ok && parsed.error.code === 'bad_json';
}
