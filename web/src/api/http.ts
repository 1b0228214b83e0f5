import { sessionToken } from './feed.ts';
import { isObject, textOf } from './json.ts';

/** An answer of the bridge that is no success. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * Reads a path of the bridge's API, with the token of this tab.
 *
 * @throws HttpError with the bridge's own code and sentence
 */
export async function getJson(path: string, query: Query = {}, signal?: AbortSignal): Promise<unknown> {
  return (await request(path, query, signal)).json();
}

/** The same, as it stands. */
export async function getText(path: string, query: Query = {}, signal?: AbortSignal): Promise<string> {
  return (await request(path, query, signal)).text();
}

async function request(path: string, query: Query, signal: AbortSignal | undefined): Promise<Response> {
  const url = new URL(path.replace(/^\//, './'), document.baseURI);
  url.hash = '';
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(key, String(value));
  const token = sessionToken();
  const response = await fetch(url, {
    ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => undefined);
  const said = isObject(body) ? body : {};
  throw new HttpError(
    response.status,
    textOf(said.code) || `http_${response.status}`,
    textOf(said.message) || response.statusText,
  );
}
