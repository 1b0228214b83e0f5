import type { Instant } from '../../instant.ts';
import { HeartbeatProtocol } from './heartbeat-protocol.ts';
import type { LinkProtocol } from './link-protocol.ts';
import { PolledProtocol } from './polled-protocol.ts';
import type { SessionContext } from './session-ports.ts';

/** The conversation over a new link, of the kind that the device understands. */
export function beginLinkProtocol(context: SessionContext, host: string, now: Instant): LinkProtocol {
  const { bare } = context.settings;
  context.files?.linkLost();
  return bare === undefined
    ? new HeartbeatProtocol(context, host, now)
    : new PolledProtocol(context, bare, host, now);
}
