import type { LinkEnd } from './link.ts';
import { connectEnd, systemCode } from './tcp-end.ts';

/** Why a datagram could not be sent to a peer, or why none can be received from it; `length` of the datagram in bytes. */
export function datagramEnd(error: unknown, address: string, length = 0): LinkEnd {
  const code = systemCode(error);
  switch (code) {
    case 'ECONNREFUSED':
      return {
        code: 'connect_refused',
        detail: `The host of ${address} says that nothing receives datagrams at this port. Start the device's program, or correct the port.`,
      };
    case 'EMSGSIZE':
      return {
        code: 'datagram_too_long',
        detail: `A frame of ${length} bytes for ${address} fits in no datagram (EMSGSIZE). Send shorter ones, or use TCP.`,
      };
    case 'EACCES':
      return {
        code: 'connect_failed',
        detail: `The system does not allow datagrams to ${address} (EACCES): a firewall, or a broadcast address, which no device has.`,
      };
    default:
      return connectEnd(error, address);
  }
}
