import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { TlsSource } from './tls-source.ts';

/** What a peer may take of the server's time and memory before it has said what it wants. */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 2_000,
} as const;
const HANDSHAKE_MS = 10_000;

/**
 * A server that does not listen yet; over TLS where there is a pair.
 * @throws HeartwireError as `TlsSource.load`
 */
export async function makeHttpServer(listener: RequestListener, tls: TlsSource | undefined): Promise<Server> {
  if (tls === undefined) return createServer(LIMITS, listener);
  const pair = await tls.load();
  const server = createSecureServer({ ...LIMITS, ...pair, handshakeTimeout: HANDSHAKE_MS }, listener);
  // By default a failed handshake is handed on as a failed request, and an answer to it crashes the process (Node 20).
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  tls.serve(server);
  return server;
}
