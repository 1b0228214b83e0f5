import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { HANDSHAKE_MS, Handshakes } from '../access/handshakes.ts';
import { type Clock, systemClock } from './clock.ts';
import type { TlsSource } from './tls-source.ts';

/** What a peer may take of the server's time and memory before it has said what it wants. */
const LIMITS = { keepAliveTimeout: 5_000, maxHeaderSize: 16 * 1024 } as const;

/** How long a peer may take over what it has to say. */
export interface Patience {
  /** Over the headers of a request, from its first byte or, for the first one, from the connection. */
  readonly headersMs: number;
  /** Over the whole of a request. */
  readonly requestMs: number;
  /** How often it is looked who takes too long. */
  readonly lookMs: number;
  /** Between two bytes of an answer that it takes. */
  readonly idleMs: number;
  /** Over a TLS handshake as a whole; 10 s where it is left out. */
  readonly handshakeMs?: number;
}

const PATIENCE: Patience = { headersMs: 10_000, requestMs: 15_000, lookMs: 2_000, idleMs: 60_000 };

/**
 * A server that does not listen yet; over TLS where there is a pair.
 * @throws HeartwireError as `TlsSource.load`
 */
export async function makeHttpServer(
  listener: RequestListener,
  tls: TlsSource | undefined,
  patience: Patience = PATIENCE,
  clock: Clock = systemClock,
): Promise<Server> {
  const { headersMs, requestMs, lookMs, idleMs, handshakeMs = HANDSHAKE_MS } = patience;
  const timeouts = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: lookMs,
  };
  const limits = { ...LIMITS, ...timeouts };
  if (tls === undefined) return patient(createServer(limits, listener), idleMs);
  const pair = await tls.load();
  const server = createSecureServer({ ...limits, ...pair }, listener);
  new Handshakes(clock, handshakeMs).watch(server);
  tls.serve(server);
  return patient(server, idleMs);
}

/** An answer that nobody reads holds its memory for so long. */
function patient(server: Server, idleMs: number): Server {
  server.timeout = idleMs;
  return server;
}
