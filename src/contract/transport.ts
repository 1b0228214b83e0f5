/** What carries the bytes of a device. A new transport is a word here, a file in `links/`, and its line in `links/transports.ts`. */
export const TRANSPORTS = ['tcp', 'serial', 'replay', 'udp', 'unix', 'rfc2217'] as const;

export type Transport = (typeof TRANSPORTS)[number];

/** Of these, bytes may be lost or foreign: frames are found again behind them. A lost datagram leaves a gap, too. */
const LOSSY: readonly Transport[] = ['serial', 'udp', 'rfc2217'];

/** How the bytes of a transport are read where nothing else is said. */
export const lineOf = (transport: Transport): 'stream' | 'serial' =>
  LOSSY.includes(transport) ? 'serial' : 'stream';
