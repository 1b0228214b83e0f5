import type { CloseReason } from '../../contract/feed/close-code.ts';
import type { FeedErrorCode } from '../../contract/feed/feed-error.ts';
import type { Instant } from '../../instant.ts';
import type { Connection } from './connection.ts';

/** Why somebody is not let in. */
export interface Refused {
  readonly code: FeedErrorCode;
  readonly message: string;
  readonly reason: CloseReason;
}

/** Says why somebody is not let in, and closes; there is no session. */
export function reject(connection: Connection, { code, message, reason }: Refused, now: Instant): Connection {
  const retry = reason !== 'unauthorized';
  connection.subscriber.send('error', { code, message, retry }, now);
  connection.close(reason, now);
  return connection;
}

/** The client id that was asked for is somebody else's. */
export function idInUse(id: string): Refused {
  const message = `Another connection goes by the client id "${id}"; who has its session may resume it over /ws.`;
  return { code: 'client_id_in_use', message, reason: 'forbidden' };
}
