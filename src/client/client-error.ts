/** The codes that the client itself gives; all others are those of the bridge's answers. */
export const CLIENT_ERROR_CODES = {
  closed: 'The client was closed; nothing is sent any more.',
  command_outcome_unknown: 'The connection was lost, and whether the command was carried out cannot be told.',
  connection_lost: 'The connection was lost before the answer came.',
  no_websocket: 'This JavaScript has no WebSocket of its own, and none was given.',
  not_connected: 'There was no connection in time; nothing was sent.',
  token_failed: 'The token could not be had from where it was to come from.',
  token_missing: 'The bridge wants a token, and the client was given none.',
} as const;

export type ClientErrorCode = keyof typeof CLIENT_ERROR_CODES;

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

/** An error of the client's own, in the words of its code and, where given, more of them. */
export function ownError(code: ClientErrorCode, more?: string, cause?: unknown): ClientError {
  const text = CLIENT_ERROR_CODES[code];
  const retry = code === 'not_connected' || code === 'connection_lost';
  return new ClientError(code, more === undefined ? text : `${text} ${more}`, retry, cause);
}
