/** The codes that the client itself gives, as docs/reference/sdk.md explains them; all others are those of the bridge's answers. */
export type ClientErrorCode =
  | 'bad_address'
  | 'closed'
  | 'command_outcome_unknown'
  | 'connection_lost'
  | 'no_websocket'
  | 'not_connected'
  | 'token_failed'
  | 'token_missing'
  | 'unreadable';

/** What went wrong, with a stable code: one of the client's own, or the one that the bridge answered with. */
export class ClientError extends Error {
  readonly code: string;
  /** The same may succeed later. */
  readonly retry: boolean;

  constructor(code: string, message: string, retry = false, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ClientError';
    this.code = code;
    this.retry = retry;
  }
}

/** An error of the client's own; where its code says all, in the words of that. */
export function ownError(
  code: ClientErrorCode,
  text = code.replaceAll('_', ' '),
  cause?: unknown,
): ClientError {
  return new ClientError(code, text, code === 'not_connected', cause);
}
