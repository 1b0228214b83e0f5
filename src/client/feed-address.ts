import { ClientError } from './client-error.ts';

/**
 * The address of a bridge's feed: `ws(s)://` and `http(s)://` are both understood, and `/ws` is filled in where the
 * path does not end in it. In a page, relative addresses count from the page, and none at all means its own bridge.
 *
 * @throws ClientError `bad_address`
 */
export function feedAddress(text = './'): string {
  // Only pages have a location.
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  const url = URL.canParse(text, location?.href) ? new URL(text, location?.href) : undefined;
  const [, secure] = /^(?:ws|http)(s?):$/.exec(url?.protocol ?? '') ?? [];
  if (url === undefined || secure === undefined)
    throw new ClientError('bad_address', `"${text}" is no address such as http://127.0.0.1:8080.`);
  const path = url.pathname.replace(/\/+$/, '');
  return `ws${secure}://${url.host}${/\/ws(?:\/[^/]+)?$/.test(path) ? path : `${path}/ws`}`;
}
