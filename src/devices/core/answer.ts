import type { Instant } from '../../instant.ts';
import type { BuiltinMessage, Message } from '../../protocol/message.ts';

/** Formats an instant of the wall clock as local `YYYY-MM-DD HH:MM:SS`; handed in, because pure code knows no time zone. */
export type LocalTime = (wallMs: number) => string;

/** The reply to a request that both roles answer; undefined for everything else. A reply is never answered. */
export function answerTo(message: BuiltinMessage, now: Instant, localTime: LocalTime): Message | undefined {
  if (message.kind !== 'request') return undefined;
  switch (message.name) {
    case 'heartbeat':
      return { name: 'heartbeat', kind: 'reply', error: 0 };
    case 'datetime':
      return { name: 'datetime', kind: 'reply', error: 0, fields: { datetime: localTime(now.wallMs) } };
    case 'register':
      return undefined;
  }
}

/** The answer to a register request, error 0 or -1. */
export function registerReply(error: 0 | -1): Message {
  return { name: 'register', kind: 'reply', error };
}
