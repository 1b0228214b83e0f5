/** Codes of the `error` messages that the feed itself sends; commands add those of the bridge. */
export const FEED_ERROR_CODES = [
  'bad_field',
  'bad_json',
  'bad_topic',
  'client_id_in_use',
  'client_unknown',
  'command_failed',
  'command_timeout',
  'connection_limit',
  'forbidden',
  'not_subscribed',
  'not_supported',
  'rate_limited',
  'resume_too_late',
  'session_unknown',
  'too_many_commands',
  'too_many_patterns',
  'unauthorized',
  'unknown_type',
] as const;

export type FeedErrorCode = (typeof FEED_ERROR_CODES)[number];
