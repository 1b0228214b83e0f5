import { isIPv4, isIPv6 } from 'node:net';

const PORT = /^\d{1,5}$/;

/** `10.0.0.7:9089`, `[fe80::1%eth0]:9089`. */
export const formatHostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** As a browser's address line takes it; a wildcard is reached over loopback. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** Why a text could not be read: what is wrong with it, and what to write instead; whole sentences. */
export interface AddressProblem {
  readonly problem: string;
  readonly fix: string;
}

/** What a text was read as, or why not. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & AddressProblem);

/** Says what is wrong with a text, and what to write instead. */
export function refuse(problem: string, fix: string): { readonly ok: false } & AddressProblem {
  return { ok: false, problem, fix };
}

/** Whether a text is the number of a port, or looks like one. */
export const looksLikePort = (text: string): boolean => PORT.test(text);

/** A host, without brackets, and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The text before and behind the last colon, where the latter looks like a port. */
export function splitEndpoint(text: string): readonly [string, string] | undefined {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon);
  const port = text.slice(colon + 1);
  return colon > 0 && PORT.test(port) && !/[\s/\\]/.test(host) ? [host, port] : undefined;
}

/** Reads `HOST:PORT`; `fix` says how the whole address is written. */
export function parseEndpoint(rest: string, lowestPort: number, fix: string): Parsed<Endpoint> {
  const text = rest.endsWith('/') ? rest.slice(0, -1) : rest;
  if (text === '') return refuse('Host and port are missing.', fix);
  if (text.includes('?')) return refuse('This link takes no options behind a question mark.', fix);
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) {
    const [, host = '', port] = bracketed;
    if (!isIPv6(host)) return refuse(`"${host}" is no IPv6 address.`, fix);
    return withPort(host, port, lowestPort, fix);
  }
  if (PORT.test(text)) return refuse('The host is missing.', fix);
  if (isIPv6(text) || text.indexOf(':') !== text.lastIndexOf(':')) {
    return refuse('An IPv6 address needs brackets, else its end looks like a port.', fix);
  }
  const colon = text.indexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  const port = colon < 0 ? undefined : text.slice(colon + 1);
  if (host === '') return refuse('The host is missing.', fix);
  if (host === '*') return refuse('"*" is no host.', fix);
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return refuse(`"${host}" is no IPv4 address.`, fix);
  if (
    !/^[\p{L}\p{N}_]([\p{L}\p{N}_.-]*[\p{L}\p{N}_.])?$/u.test(host) ||
    host.length > 253 ||
    host.includes('..')
  ) {
    return refuse(`"${host}" is no host name.`, fix);
  }
  return withPort(host, port, lowestPort, fix);
}

function withPort(host: string, text: string | undefined, lowest: number, fix: string): Parsed<Endpoint> {
  if (text === undefined || text === '') return refuse('The port is missing.', fix);
  const port = Number(text);
  if (!PORT.test(text)) return refuse(`"${text}" is no port.`, `Ports are numbers from ${lowest} to 65535.`);
  if (port < lowest || port > 65_535) {
    return refuse(`Port ${text} does not exist.`, `Ports go from ${lowest} to 65535.`);
  }
  return { ok: true, value: { host, port } };
}
