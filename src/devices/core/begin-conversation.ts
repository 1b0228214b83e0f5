import type { Instant } from '../../instant.ts';
import { BareConversation } from './bare-conversation.ts';
import type { Conversation } from './conversation.ts';
import { HeartbeatConversation } from './heartbeat-conversation.ts';
import type { SessionContext } from './session-ports.ts';

/** The conversation over a new link, of the kind that the device understands. */
export function beginConversation(context: SessionContext, host: string, now: Instant): Conversation {
  const { bare } = context.settings;
  context.files?.linkLost();
  return bare === undefined
    ? new HeartbeatConversation(context, host, now)
    : new BareConversation(context, bare, host, now);
}
