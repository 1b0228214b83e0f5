/**
 * What carries the bytes of a device, with what people call it. A new transport is an entry here, a file in `links/`, and
 * its line in `links/transports.ts`.
 */
export const TRANSPORT_NAMES = {
  tcp: 'a TCP link',
  serial: 'a serial link',
  replay: 'a trace',
  udp: 'a UDP link',
  unix: 'a Unix socket',
  rfc2217: 'an RFC 2217 link',
} as const;

export type Transport = keyof typeof TRANSPORT_NAMES;

// The keys of a literal are the names of its type.
export const TRANSPORTS = Object.keys(TRANSPORT_NAMES) as readonly Transport[];

/** Of these, bytes may be lost or foreign: frames are found again behind them. A lost datagram leaves a gap, too. */
const LOSSY: readonly Transport[] = ['serial', 'udp', 'rfc2217'];

/** How the bytes of a transport are read where nothing else is said. */
export const lineOf = (transport: Transport): 'stream' | 'serial' =>
  LOSSY.includes(transport) ? 'serial' : 'stream';
