import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * The descriptor of a socket to which bytes may be written past Node: plain TCP on Linux and macOS. Undefined for TLS,
 * pipes, Windows, and sockets that are closed.
 */
export function descriptorOf(socket: Socket): number | undefined {
  if (socket instanceof TLSSocket || !('_handle' in socket)) return undefined;
  const handle = socket._handle;
  if (typeof handle !== 'object' || handle === null || handle.constructor.name !== 'TCP') return undefined;
  return 'fd' in handle && typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
