/** What carries the bytes of a device. A new transport is a word here, a file in `links/`, and its line in `links/transports.ts`. */
export const TRANSPORTS = ['tcp', 'serial', 'replay'] as const;

export type Transport = (typeof TRANSPORTS)[number];
