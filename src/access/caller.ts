import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type AddressBlock, addressInBlock } from '../contract/index.ts';

/** The sender of a request and the name it asks for, as far as admission depends on them. */
export interface Caller {
  /** The `Host` of the request; a trusted proxy may have been asked for another. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The local address of the connection; read lazily, because a socket keeps it for ever once it was read. */
  localAddress(): string | undefined;
  /** The other end of the connection or, behind trusted proxies, the last hop that is none of them. */
  readonly remoteAddress: string | undefined;
  /** What the browser spoke; undefined where an unknown proxy may speak something else with it. */
  readonly scheme?: 'http' | 'https';
  /** The request came through a proxy: one of `server.trusted_proxies`, or an unknown one. */
  readonly proxy?: 'trusted' | 'unnamed';
}

/** The caller of a request; the headers of a proxy are believed from `trusted` addresses only. */
export function callerOf(request: IncomingMessage, trusted: readonly AddressBlock[] = []): Caller {
  const { remoteAddress } = request.socket;
  const localAddress = (): string | undefined => request.socket.localAddress;
  const { host, origin } = request.headers;
  const plain = { host, origin, localAddress, remoteAddress };
  const hops = listed(request.headers['x-forwarded-for']);
  if (remoteAddress === undefined || !isTrusted(remoteAddress, trusted)) {
    const scheme = request.socket instanceof TLSSocket ? ({ scheme: 'https' } as const) : {};
    return { ...plain, ...scheme, ...(isForwarded(request) ? { proxy: 'unnamed' as const } : {}) };
  }
  const scheme = listed(request.headers['x-forwarded-proto']).at(-1)?.toLowerCase();
  return {
    ...plain,
    host: listed(request.headers['x-forwarded-host']).at(-1) ?? host,
    remoteAddress: lastUntrusted(hops, trusted) ?? remoteAddress,
    ...(scheme === 'http' || scheme === 'https' ? { scheme } : {}),
    proxy: 'trusted',
  };
}

/** What proxies add, each in its own way; browsers and programs do not. */
const PROXY_HEADERS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-real-ip',
] as const;

function isForwarded({ headers }: IncomingMessage): boolean {
  return PROXY_HEADERS.some((name) => headers[name] !== undefined);
}

/** The address of the nearest hop that is no trusted proxy; any sender may have written what stands left of it. */
function lastUntrusted(hops: readonly string[], trusted: readonly AddressBlock[]): string | undefined {
  let nearest: string | undefined;
  for (const hop of [...hops].reverse()) {
    const address = withoutPort(hop);
    // No address: the proxy that wrote it is the last one that is known.
    if (isIP(address) === 0) break;
    nearest = address;
    if (!isTrusted(address, trusted)) break;
  }
  return nearest;
}

/** Whether an address is a trusted proxy. */
export function isTrusted(address: string, trusted: readonly AddressBlock[]): boolean {
  return trusted.some((block) => addressInBlock(address, block));
}

function listed(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

/** `10.0.0.7:51234` and `[fd00::7]:51234` are written by some proxies. */
function withoutPort(hop: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1];
  return bracketed ?? hop.replace(/^([\d.]+):\d+$/, '$1');
}
