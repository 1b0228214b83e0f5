/** Where the page is: path and query behind the `#`, so that a proxy may put it below any path, and a file may hold it. */
export interface Route {
  /** `/`, `/devices/psu-1`; without a slash at its end. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** `#/devices/psu-1?from=-1h`; what it cannot read is the overview. */
export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, '');
  const cut = text.indexOf('?');
  const path = (cut < 0 ? text : text.slice(0, cut)).replace(/\/+$/, '');
  return {
    path: path.startsWith('/') ? path : '/',
    query: new URLSearchParams(cut < 0 ? '' : text.slice(cut + 1)),
  };
}

export type QueryValue = string | number | boolean | undefined;

/** The address of a place; what is undefined, empty or false is left out. */
export function hashOf(
  path: string,
  query: Readonly<Record<string, QueryValue>> | URLSearchParams = {},
): string {
  const pairs = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const text = new URLSearchParams(
    pairs.flatMap(([key, value]) => (isSaid(value) ? [[key, String(value === true ? 1 : value)]] : [])),
  ).toString();
  return `#${path}${text === '' ? '' : `?${text}`}`;
}

const isSaid = (value: QueryValue): boolean => value !== undefined && value !== '' && value !== false;

/** The parts of a path that a pattern names: `/devices/:id`; undefined where it does not fit. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? '';
    if (part.startsWith(':')) parameters[part.slice(1)] = decoded(actual);
    else if (part !== actual) return undefined;
  }
  return parameters;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const devicePath = (id: string): string => `/devices/${encodeURIComponent(id)}`;
