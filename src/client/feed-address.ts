import { ClientError } from './client-error.ts';

/**
 * The address of a bridge's feed: `ws(s)://` and `http(s)://` are both understood, and `/ws` is filled in where the
 * path does not end in it. In a page, relative addresses count from the page, and none at all means its own bridge.
 *
 * @throws ClientError `bad_address`
 */
export function feedAddress(text: string | undefined): string {
  // Only pages have a location.
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  let url: URL;
  try {
    url = new URL(text ?? './', location?.href);
  } catch {
    throw badAddress(text);
  }
  if (!/^(?:ws|http)s?:$/.test(url.protocol)) throw badAddress(text);
  const secure = url.protocol === 'wss:' || url.protocol === 'https:';
  const path = url.pathname.replace(/\/+$/, '');
  return `${secure ? 'wss' : 'ws'}://${url.host}${/\/ws(?:\/[^/]+)?$/.test(path) ? path : `${path}/ws`}`;
}

function badAddress(text: string | undefined): ClientError {
  const seen = text === undefined ? 'No address was given' : `"${text}" is no address of a bridge`;
  return new ClientError('bad_address', `${seen}; write it as http://127.0.0.1:8080.`);
}
