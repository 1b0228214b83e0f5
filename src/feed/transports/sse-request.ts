import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, refusal } from '../../access/index.ts';
import { parseClientMessage } from '../../contract/feed/index.ts';
import type { JsonObject } from '../../contract/wire/index.ts';
import { positionOf } from './sse-frame.ts';

/** The topics of a stream, and the `subscribe` that a client would have sent over a WebSocket. */
export interface StreamRequest {
  readonly subscribe: string;
  readonly topics: readonly string[];
}

const KNOWN = ['topics', 'max_hz', 'raw'];

const FLAGS: Readonly<Record<string, boolean>> = { true: true, false: false };

/**
 * Reads the query of `GET /api/feed`. A `+` is a plus, not a space, so that patterns can be typed as they are; `#`
 * must be written `%23`, because browsers do not send what stands behind one.
 */
export function readStreamRequest(target: string, headers: IncomingHttpHeaders): StreamRequest | Answer {
  const site = headers['sec-fetch-site'];
  if (headers.origin === undefined && (site === 'cross-site' || site === 'same-site')) {
    return refusal(403, 'origin_not_allowed', 'A page of another origin may not hold a stream open here.');
  }
  const query = readQuery(target);
  if (query === undefined) return badQuery('The query of the request cannot be decoded.');
  const stray = [...query.keys()].find((key) => !KNOWN.includes(key));
  if (stray !== undefined) {
    return badQuery(`"${stray.slice(0, 64)}" is not known here; known are ${KNOWN.join(', ')}.`);
  }
  const topics = query.get('topics') ?? [];
  if (topics.length === 0) {
    return badQuery('Say what to follow: /api/feed?topics=devices/+/state,bridge/status (write # as %23).');
  }
  const maxHz = query.get('max_hz')?.at(-1);
  const raw = query.get('raw')?.at(-1);
  // A browser that comes back sends the last id that it saw, which is its position with these very patterns.
  const lastId = headers['last-event-id'];
  const since = typeof lastId === 'string' ? positionOf(lastId) : undefined;
  const message: JsonObject = {
    type: 'subscribe',
    topics,
    ...(since === undefined ? {} : { since }),
    ...(maxHz === undefined ? {} : { max_hz: Number(maxHz) }),
    ...(raw === undefined ? {} : { raw: FLAGS[raw] ?? raw }),
  };
  const subscribe = JSON.stringify(message);
  const parsed = parseClientMessage(subscribe);
  return parsed.ok ? { subscribe, topics } : badQuery(parsed.error.message);
}

function badQuery(message: string): Answer {
  return refusal(400, 'bad_request', message);
}

/** Values by key; commas separate several. Undefined where it cannot be decoded. */
function readQuery(target: string): Map<string, string[]> | undefined {
  const query = new Map<string, string[]>();
  const text = /\?([^#]*)/.exec(target)?.[1] ?? '';
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const [key = '', ...rest] = pair.split('=');
    try {
      const values = rest.join('=').split(',').map(decodeURIComponent);
      const name = decodeURIComponent(key);
      query.set(name, [...(query.get(name) ?? []), ...values]);
    } catch {
      // A stray percent sign; the caller says so.
      return undefined;
    }
  }
  return query;
}
