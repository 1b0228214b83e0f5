import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The subprotocol that is answered; the one that carries a token never is. */
const FEED_PROTOCOL = 'heartwire.v1';
/** A browser cannot send headers with a WebSocket, so its token comes as a subprotocol: base64url of the token. */
const TOKEN_PROTOCOL = 'heartwire.token.';

/** Names under which people put tokens into an address. */
const QUERY_NAMES =
  /^(?:access[_-]?token|auth(?:orization|[_-]?token)?|token|bearer|jwt|api[_-]?key|id[_-]?token)$/i;
const TOKEN_LIKE = /^(?:hw_[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)$/;

/** The token of `Authorization: Bearer`; other schemes belong to others, such as a proxy. */
export function bearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +([^\s,]+) *$/i.exec(authorization ?? '')?.[1];
}

/** The token among the subprotocols of a WebSocket handshake. */
export function protocolToken(headers: IncomingHttpHeaders): string | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
  const encoded = offered.find((each) => each.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length);
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString('utf8');
}

/** Of the subprotocols that a client offers, the one that is answered. */
export function chosenProtocol(offered: ReadonlySet<string>): string | false {
  if (offered.has(FEED_PROTOCOL)) return FEED_PROTOCOL;
  return [...offered].find((each) => !each.startsWith(TOKEN_PROTOCOL)) ?? false;
}

/** Whether the query of a request target holds a token, by its name or by how it looks. */
export function tokenInAddress(target: string): boolean {
  const query = /\?([^#]*)/.exec(target)?.[1] ?? '';
  return query.split('&').some((pair) => {
    const [name = '', value = ''] = pair.split(/=(.*)/s).map(decoded);
    return QUERY_NAMES.test(name) || TOKEN_LIKE.test(value);
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign; the reader of the query reports it.
    return text;
  }
}

/** Shows that a text is a token, in a log or a commit where it does not belong. */
const PREFIX = 'hw_';

/** A new token of 256 random bits. */
export function makeToken(): string {
  return `${PREFIX}${randomBytes(32).toString('base64url')}`;
}

/** SHA-256, 64 hex digits: a token is random, so that nothing slower is needed to keep it from being guessed. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
