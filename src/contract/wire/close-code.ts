/** Why the server closes a connection. 4000-4499: the client reconnects; 4500-4999: something must be fixed first. */
export const CLOSE_CODES = {
  unsupported_data: {
    code: 1003,
    meaning: 'The client sent binary data.',
    client: 'Sends text.',
  },
  invalid_utf8: {
    code: 1007,
    meaning: 'The client sent bytes that are not UTF-8.',
    client: 'Does not reconnect until it is fixed.',
  },
  message_too_large: {
    code: 1009,
    meaning: 'The client sent a message that is larger than allowed.',
    client: 'Sends several messages.',
  },
  internal_error: {
    code: 1011,
    meaning: 'The bridge has a defect that showed on this connection.',
    client: 'Reconnects; report the line of the log of the bridge.',
  },
  draining: {
    code: 4000,
    meaning: 'The bridge is stopping.',
    client: 'Reconnects.',
  },
  auth_timeout: {
    code: 4001,
    meaning: 'No token came within `server.auth_timeout` (10 s).',
    client: 'Reconnects, and sends a token.',
  },
  token_expired: {
    code: 4002,
    meaning: 'The token has expired.',
    client: 'Reconnects with a new token.',
  },
  slow_consumer: {
    code: 4008,
    meaning: 'The client read nothing from the connection for 30 s.',
    client: 'Reconnects, and reads.',
  },
  ping_timeout: {
    code: 4012,
    meaning: 'No answer came to a ping.',
    client: 'Reconnects.',
  },
  rate_limited: {
    code: 4013,
    meaning: 'Far more messages came than allowed.',
    client: 'Reconnects, and sends less.',
  },
  unauthorized: {
    code: 4500,
    meaning: 'The token is not accepted, or no longer accepted.',
    client: 'Gets another token first.',
  },
  kicked: {
    code: 4503,
    meaning: 'An administrator closed the connection.',
    client: 'Does not reconnect.',
  },
  connection_limit: {
    code: 4504,
    meaning: 'The bridge has as many connections as it may.',
    client: 'Closes some of its connections first.',
  },
  taken_over: {
    code: 4505,
    meaning: 'Another connection resumed this session, or took the client id with the same token.',
    client: 'Does not reconnect.',
  },
  forbidden: {
    code: 4507,
    meaning: 'The connection is not allowed.',
    client: 'Does not reconnect without other rights.',
  },
  too_many_errors: {
    code: 4509,
    meaning: 'Too many messages were wrong.',
    client: 'Does not reconnect until it is fixed.',
  },
} as const;

export type CloseReason = keyof typeof CLOSE_CODES;

/** Closes of RFC 6455 that blame the client: a new connection would end in the same way. */
export const CLIENT_FAULTS: readonly number[] = [1002, 1003, 1007, 1008, 1009, 1010];

/** Whether a client reconnects after a close code of this feed. */
export function mayReconnect(code: number): boolean {
  return !CLIENT_FAULTS.includes(code) && (code < 4500 || code > 4999);
}
