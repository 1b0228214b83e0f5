import type { CodeText } from '../../errors.ts';

/** Codes of the `error` messages that the feed itself sends; commands add the codes of the bridge. */
export const FEED_ERROR_CODES = {
  bad_field: {
    meaning: 'A key of the message is missing, unknown, of the wrong type or out of bounds.',
    fix: 'Correct the key that the message names.',
  },
  bad_json: {
    meaning: 'The message is not a JSON object.',
    fix: 'Send one JSON object per WebSocket message, as text.',
  },
  bad_topic: {
    meaning: 'A topic or a pattern is not well formed.',
    fix: 'Use levels with `/` between them, `+` for one level, `#` at the end for the rest; at most 8 levels.',
  },
  client_id_in_use: {
    meaning: 'Another connection has this client id.',
    fix: 'Connect to `/ws` and use the id that `welcome` gives, or close the other connection.',
  },
  client_unknown: { meaning: 'No client has this id.', fix: 'Look at the ids that `get_clients` lists.' },
  command_failed: {
    meaning: 'The bridge could not carry out the command, for a reason without a code of its own.',
    fix: 'Read the message, and the log of the bridge.',
  },
  command_timeout: {
    meaning: 'A command was not finished within its `timeout_ms`.',
    fix: 'Check that the device is online, or allow more time.',
  },
  connection_limit: {
    meaning: 'The bridge has as many connections as it may, and accepts no more.',
    fix: 'Close some of them and connect again.',
  },
  forbidden: {
    meaning: 'The token of this client does not allow that.',
    fix: 'Use a token with the role and the topics that the message names.',
  },
  not_subscribed: {
    meaning: 'The pattern to unsubscribe, or the topic to resync, is not covered by a subscription.',
    fix: 'Subscribe first; unsubscribe a pattern exactly as it was subscribed.',
  },
  not_supported: {
    meaning: 'The bridge knows this request and does not offer it.',
    fix: 'Leave that key or that message out.',
  },
  rate_limited: {
    meaning: 'More messages came than the `limits` of `welcome` allow; this one was not carried out.',
    fix: 'Send it again later, and more slowly; a client that continues is disconnected.',
  },
  resume_too_late: {
    meaning: 'A `resume` came on a connection that had already sent another request.',
    fix: 'Send `resume` first, right after `welcome`.',
  },
  session_unknown: {
    meaning:
      'There is no such session any more: it was lost more than 120 s ago, or the bridge has restarted since.',
    fix: 'Go on without it: subscribe with `since`.',
  },
  too_many_commands: {
    meaning: 'The connection has as many unanswered commands as it may.',
    fix: 'Wait for an answer, then send it again.',
  },
  too_many_patterns: {
    meaning: 'The connection has as many patterns as it may.',
    fix: 'Use wildcards, or unsubscribe what is not needed.',
  },
  unauthorized: {
    meaning: 'A token is needed first, or the given one is not accepted.',
    fix: 'Send `auth` with a valid token, before anything else.',
  },
  unknown_type: {
    meaning: 'There is no message with this `type`.',
    fix: 'Use one of the types that the message lists.',
  },
} as const satisfies Readonly<Record<string, CodeText>>;

export type FeedErrorCode = keyof typeof FEED_ERROR_CODES;
