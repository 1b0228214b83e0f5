export { formatHostPort, type Parsed, urlHost } from './address.ts';
export { followTrace } from './followed-trace.ts';
export type { Link, LinkEnd, Listener, ListenerHandlers, SendOutcome } from './link.ts';
export { listeningHost, lookupOf, NameResolver, type NameResolverOptions } from './names/name-resolver.ts';
export { PlayedLink } from './played-link.ts';
export { otherReaders } from './port-holders.ts';
export { listPorts, type PortIdentity } from './port-list.ts';
export { resolvePort } from './port-resolve.ts';
export { PtyPair } from './pty.ts';
export { lineGapMs } from './serial.ts';
export {
  DEFAULT_SERIAL_SETTINGS,
  HIGHEST_BAUD,
  parseBaud,
  type SerialAddress,
  type SerialSettings,
} from './serial-address.ts';
export { busyEnd, missingEnd, permissionEnd } from './serial-end.ts';
export { ServerPort } from './server-port.ts';
export type { ExposeAddress } from './sharing/exposure.ts';
export { type LinkUse, PortSharing, placeLabel } from './sharing/port-sharing.ts';
export {
  CUT_GZIP,
  isCutShort,
  isPacked,
  openTrace,
  type TraceSource,
  traceName,
  unreadable,
} from './trace-file.ts';
export {
  acceptedTransport,
  addressLabel,
  dial,
  isListenAddress,
  type LinkAddress,
  type ListenAddress,
  listen,
  parseLinkAddress,
  parseListenAddress,
} from './transports.ts';
export type { UdpAddress } from './udp.ts';
