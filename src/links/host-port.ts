/** `10.0.0.7:9089`, `[fe80::1%eth0]:9089`. */
export const formatHostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** An IPv4 peer of a dual-stack socket is `::ffff:10.0.0.7` to the operating system and `10.0.0.7` to everyone else. */
export const normaliseHost = (host: string): string =>
  host.toLowerCase().startsWith('::ffff:') && host.includes('.') ? host.slice('::ffff:'.length) : host;
