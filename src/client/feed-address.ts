import { ownError } from './client-error.ts';

/**
 * The address of a bridge's feed: `ws(s)://` and `http(s)://` are both understood, and `/ws` is filled in where the
 * path does not end in it. In a page, relative addresses count from the page, and none at all means its own bridge.
 *
 * @throws ClientError `bad_address`
 */
export function feedAddress(text = './'): string {
  // Only pages have a location.
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  const url = new URL(text, location?.href);
  url.protocol = url.protocol.replace('http', 'ws');
  if (!/^wss?:$/.test(url.protocol)) throw ownError('bad_address', `"${text}" is no bridge's address.`);
  return `${url.origin}${url.pathname.replace(/\/*(\/ws(\/[^/]+)?)?\/*$/, (_, path = '/ws') => path)}`;
}
