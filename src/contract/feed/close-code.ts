/** Why the server closes a connection. 4000-4499: reconnect; 4500-4999: do not, something must be fixed first. */
export const CLOSE_CODES = {
  unsupported_data: 1003,
  invalid_utf8: 1007,
  message_too_large: 1009,
  internal_error: 1011,
  draining: 4000,
  auth_timeout: 4001,
  token_expired: 4002,
  slow_consumer: 4008,
  ping_timeout: 4012,
  rate_limited: 4013,
  unauthorized: 4500,
  kicked: 4503,
  connection_limit: 4504,
  taken_over: 4505,
  forbidden: 4507,
  too_many_errors: 4509,
} as const;

export type CloseReason = keyof typeof CLOSE_CODES;

/** Closes of RFC 6455 that say that the client itself is wrong; the same would happen again. */
const CLIENT_FAULTS: readonly number[] = [1002, 1003, 1007, 1008, 1009, 1010];

/** Whether a client should come back after a close code of this feed. */
export function mayReconnect(code: number): boolean {
  return !CLIENT_FAULTS.includes(code) && (code < 4500 || code > 4999);
}
