import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { AddressBlock } from '../contract/index.ts';
import { isLoopback, plainAddress } from '../system/index.ts';
import type { Caller } from './caller.ts';
import { type Answer, refusal } from './http-answer.ts';

/** The names under which the server may be addressed, and the web pages that may use it. */
export interface Admission {
  /** The configured listening host; a wildcard (`0.0.0.0`, `::`) names nothing. */
  readonly host: string;
  /** Further host names, without port. */
  readonly hosts: readonly string[];
  /** Further origins, as `scheme://host[:port]`. */
  readonly origins: readonly string[];
  /** Proxies whose headers about the client and the requested host are believed. */
  readonly trustedProxies?: readonly AddressBlock[];
}

const WILDCARDS = new Set(['0.0.0.0', '::']);

/**
 * Any web page can make its own name resolve to the address of this server (DNS rebinding) and is then same-origin with
 * it, so a request is admitted only under a known name: loopback, the configured host, the configured names, or the
 * address at which the connection arrived (`localAddress`), which no foreign page can have as its name.
 */
export function hostAdmitted(
  header: string | undefined,
  admission: Admission,
  localAddress: () => string | undefined,
): boolean {
  const name = header === undefined ? undefined : hostName(`http://${header}`);
  if (name === undefined) return false;
  if (isLoopbackName(name)) return true;
  const configured = [admission.host, ...admission.hosts].some(
    (each) => !WILDCARDS.has(plainName(each)) && normalName(each) === name,
  );
  return configured || name === plainName(localAddress() ?? '');
}

/**
 * Same origin as the (already admitted) `Host` header, or a configured one; `null` and unreadable origins are neither.
 * `scheme` is what the browser spoke with this server; undefined where that is not known.
 */
export function originAdmitted(
  origin: string,
  hostHeader: string | undefined,
  admission: Admission,
  scheme?: 'http' | 'https',
): boolean {
  return originConfigured(origin, admission) || sameOrigin(origin, hostHeader, scheme);
}

/** One of the origins in the configuration, whatever way it is spelled. */
export function originConfigured(origin: string, admission: Admission): boolean {
  const seen = normalOrigin(origin);
  return seen !== undefined && admission.origins.some((each) => normalOrigin(each) === seen);
}

/** The answer to a request whose Host or Origin is not allowed; undefined where both are. */
export function refusedByName(caller: Caller, admission: Admission): Answer | undefined {
  const { host, origin, remoteAddress } = caller;
  if (caller.proxy === 'unnamed' && isLoopback(remoteAddress)) {
    // Every client behind it would count as a program on this machine.
    const address = plainAddress(remoteAddress);
    return refusal(
      403,
      'proxy_not_trusted',
      `This request came through a proxy at ${address}; add ${address} to server.trusted_proxies in devices.yaml.`,
      { Connection: 'close' },
    );
  }
  if (!hostAdmitted(host, admission, caller.localAddress)) {
    const name = host === undefined ? 'no name' : `"${host.slice(0, 100)}"`;
    return refusal(
      403,
      'host_not_allowed',
      `This bridge does not answer to ${name}; add the host name to server.hosts in devices.yaml.`,
      { Connection: 'close' },
    );
  }
  if (origin === undefined || originAdmitted(origin, host, admission, caller.scheme)) return undefined;
  return refusal(
    403,
    'origin_not_allowed',
    `Pages of ${origin.slice(0, 100)} may not use this bridge; add the origin to server.origins in devices.yaml.`,
  );
}

/** Headers that decide on admission: of two lines, a proxy might read the one and this server the other. */
const ONCE = ['host', 'origin', 'authorization'];

/** The answer to a request that repeats such a header; undefined where it does not. */
export function repeatedHeader({ rawHeaders }: IncomingMessage): Answer | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!ONCE.includes(name)) continue;
    if (seen.has(name)) {
      const message = `The request has more than one \`${name}\` header; send exactly one.`;
      return refusal(400, 'bad_request', message, { Connection: 'close' });
    }
    seen.add(name);
  }
  return undefined;
}

function sameOrigin(origin: string, hostHeader: string | undefined, scheme?: 'http' | 'https'): boolean {
  const url = parse(origin);
  if (url === undefined || hostHeader === undefined || !['http:', 'https:'].includes(url.protocol))
    return false;
  if (scheme !== undefined && url.protocol !== `${scheme}:`) return false;
  // A TLS proxy that is not configured may stand before this server, so the scheme is the page's; it decides which port is the default one.
  return parse(`${url.protocol}//${hostHeader}`)?.host === url.host;
}

function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}

function hostName(url: string): string | undefined {
  const parsed = parse(url);
  if (parsed === undefined) return undefined;
  // A Host header that smuggles a path or a user in is none.
  if (parsed.username !== '' || parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '')
    return undefined;
  return plainName(parsed.hostname);
}

function normalName(name: string): string {
  return hostName(`http://${isIP(name) === 6 ? `[${name}]` : name}`) ?? name.toLowerCase();
}

function normalOrigin(origin: string): string | undefined {
  const url = parse(origin);
  return url === undefined || url.host === '' ? undefined : `${url.protocol}//${url.host}`;
}

/** Without brackets, without a trailing dot, without the IPv4-in-IPv6 prefix. */
function plainName(name: string): string {
  return plainAddress(
    name
      .toLowerCase()
      .replace(/^\[(.*)\]$/, '$1')
      .replace(/\.$/, ''),
  );
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
