/** Where the feed is to be had as server-sent events. */
export const STREAM_PATH = '/api/feed';

/** The scripts of the page, which `scripts/bundle-client.mjs` makes; open to all, because they hold no data. */
export const SCRIPT_PATHS: readonly string[] = ['/heartwire-client.js', '/heartwire-client-secret.js'];

/** What the build of the page made beside it: names with a hash of their content, and the files that are linked by name. */
const PAGE_FILE = /^\/(?:assets\/[\w.-]+|icon\.svg|manifest\.webmanifest)$/;

/** The page and its scripts hold no data; a process supervisor asks without a token whether the process lives and is ready. */
const OPEN_PATHS: ReadonlySet<string> = new Set([
  '/',
  '/inspect',
  ...SCRIPT_PATHS,
  '/healthz',
  '/readyz',
  '/asyncapi.json',
]);

/** Whether a path needs no token. The feed asks for its own. */
export function isOpenPath(path: string): boolean {
  return OPEN_PATHS.has(path) || PAGE_FILE.test(path) || isFeedPath(path);
}

/** `/ws`, or `/ws/<client_id>`. */
export function isFeedPath(path: string): boolean {
  return path === '/ws' || /^\/ws\/[^/]*$/.test(path);
}

/** The decoded path of a request target, without its query; absent where it cannot be decoded. */
export function pathOf(target: string): string | undefined {
  const path = (/^https?:\/\/[^/]*/.test(target) ? target.replace(/^https?:\/\/[^/]*/, '') : target).split(
    /[?#]/,
    1,
  )[0];
  try {
    return decodeURIComponent(path === undefined || path === '' ? '/' : path);
  } catch {
    // A stray percent sign; the caller says so.
    return undefined;
  }
}

/** The topics that a path shows; a list of devices is all of them, or it is refused. */
export function topicsOf(path: string): readonly string[] {
  const device = /^\/api\/devices\/([^/]+)(?:\/protocol)?$/.exec(path)?.[1];
  if (device !== undefined) return [`devices/${device}/state`];
  if (path === '/api/devices') return ['devices/+/state'];
  if (path === '/api/outputs') return ['bridge/status'];
  if (path === '/api/files') return ['devices/+/messages'];
  // Each incident is judged by its device where it is answered.
  if (path === '/api/incidents' || path.startsWith('/api/incidents/')) return [];
  // Device, time and transfer, as the upload store names them.
  const sender = /^\/api\/files\/([^/]+)\.\d{8}T\d{9}Z-[^/]*$/.exec(path)?.[1];
  if (sender !== undefined) return [`devices/${sender}/messages`];
  // Its routes judge the rights: the device stands in the query.
  if (path.startsWith('/api/history/')) return [];
  if (path.startsWith('/api/') && path !== STREAM_PATH) return ['#'];
  return [];
}
