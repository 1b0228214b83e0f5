/** The codes that the client itself gives; all others are those of the bridge's answers. */
export const CLIENT_ERROR_CODES = {
  closed: 'The client is closed.',
  command_outcome_unknown: 'The connection was lost; the command may have been carried out or not.',
  connection_lost: 'The connection was lost before the answer came.',
  no_websocket: 'There is no WebSocket here. Before Node 22, pass that of the package "ws".',
  not_connected: 'There is no connection; nothing was sent.',
  token_failed: 'The token could not be had.',
  token_missing: 'The bridge wants a token.',
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

/** An error of the client's own, in the words of its code. */
export function ownError(code: ClientErrorCode, cause?: unknown): ClientError {
  return new ClientError(code, CLIENT_ERROR_CODES[code], code === 'not_connected', cause);
}
