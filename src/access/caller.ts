import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type AddressBlock, addressInBlock } from '../contract/address-match.ts';

/** Who asks, and by what name he asks for us, as far as it decides whether he is let in. */
export interface Caller {
  /** The `Host` of the request; a trusted proxy may have been asked for another. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The address at which he came in; a socket that was asked for it remembers it for ever. */
  localAddress(): string | undefined;
  /** Where he is: the other end of the connection or, behind trusted proxies, the last hop that is none of them. */
  readonly remoteAddress: string | undefined;
  /** What the browser spoke; undefined where a proxy that nobody named might speak something else with it. */
  readonly scheme?: 'http' | 'https';
  /** The request came through a proxy: one of `server.trusted_proxies`, or one that nobody named. */
  readonly proxy?: 'trusted' | 'unnamed';
}

/** Who sent a request; what a proxy says of it is believed from `trusted` addresses only. */
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

/** The address of the hop nearest to us that is no proxy of ours; what stands left of it anybody may have written. */
function lastUntrusted(hops: readonly string[], trusted: readonly AddressBlock[]): string | undefined {
  let nearest: string | undefined;
  for (const hop of [...hops].reverse()) {
    const address = withoutPort(hop);
    // Who wrote this knew no better; the proxy that told us so is as far as we can see.
    if (isIP(address) === 0) break;
    nearest = address;
    if (!isTrusted(address, trusted)) break;
  }
  return nearest;
}

/** Whether an address is one of our proxies. */
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
