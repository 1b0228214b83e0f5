import { isIP } from 'node:net';
import type { AddressBlock } from '../contract/address-match.ts';

/** By which names we may be addressed, and from which web pages. */
export interface Admission {
  /** The configured listening host; a wildcard (`0.0.0.0`, `::`) names nothing. */
  readonly host: string;
  /** Further host names, without port. */
  readonly hosts: readonly string[];
  /** Further origins, as `scheme://host[:port]`. */
  readonly origins: readonly string[];
  /** Proxies whose word on who asks, and for what name, is believed. */
  readonly trustedProxies?: readonly AddressBlock[];
}

const WILDCARDS = new Set(['0.0.0.0', '::']);

/**
 * A web page of anybody's can make its own name resolve to our address (DNS rebinding) and is then same-origin with
 * us, so a request counts only under a name that is ours: loopback, the configured host, the configured names, or the
 * very address at which the connection arrived (`localAddress`), which no foreign page can have as its name.
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
    (each) => !WILDCARDS.has(plainAddress(each)) && normalName(each) === name,
  );
  return configured || name === plainAddress(localAddress() ?? '');
}

/**
 * Same origin as the (already admitted) `Host` header, or a configured one; `null` and unreadable origins are neither.
 * `scheme` is what the browser is known to have spoken with us; undefined where that is not known.
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

function sameOrigin(origin: string, hostHeader: string | undefined, scheme?: 'http' | 'https'): boolean {
  const url = parse(origin);
  if (url === undefined || hostHeader === undefined || !['http:', 'https:'].includes(url.protocol))
    return false;
  if (scheme !== undefined && url.protocol !== `${scheme}:`) return false;
  // A TLS proxy that nobody named may stand before us, so the scheme is the page's; it decides which port is the default one.
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
  return plainAddress(parsed.hostname);
}

function normalName(name: string): string {
  return hostName(`http://${isIP(name) === 6 ? `[${name}]` : name}`) ?? name.toLowerCase();
}

function normalOrigin(origin: string): string | undefined {
  const url = parse(origin);
  return url === undefined || url.host === '' ? undefined : `${url.protocol}//${url.host}`;
}

/** Without brackets, without a trailing dot, without the IPv4-in-IPv6 prefix. */
function plainAddress(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .replace(/^::ffff:(?=\d+\.)/, '');
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
