import type { SessionSettings } from '../../config/index.ts';
import type { DeviceStatus } from '../../contract/wire/index.ts';
import type { ErrorCode } from '../../errors.ts';
import type { LinkProtocol } from './link-protocol.ts';
import type { Effect } from './session-events.ts';

/** Where a session is with its link; instants are monotonic ms. */
export type SessionPhase =
  | { readonly name: 'stopped' }
  | { readonly name: 'listening' }
  /** `resolving`: nothing is dialled yet, the host's name is looked up. */
  | { readonly name: 'connecting'; readonly giveUpAt: number; readonly resolving: boolean }
  | { readonly name: 'waiting'; readonly until: number }
  | { readonly name: 'connected'; readonly linkProtocol: LinkProtocol };

type Connecting = Extract<SessionPhase, { name: 'connecting' }>;

/** A look-up ends by itself long before; one that does not is no reason to wait for ever. */
const LOOK_UP_LIMIT_MS = 30_000;

/** A link is opened. What the look-up of its name takes, where it `resolves` one first, is not counted as connecting. */
export function connecting(
  { connectTimeoutMs, bus }: Pick<SessionSettings, 'connectTimeoutMs' | 'bus'>,
  nowMs: number,
  resolves: boolean,
): Connecting {
  return {
    name: 'connecting',
    // The bus opens its link, and tries again by itself.
    giveUpAt:
      bus !== undefined ? Number.POSITIVE_INFINITY : nowMs + (resolves ? LOOK_UP_LIMIT_MS : connectTimeoutMs),
    resolving: resolves,
  };
}

/** Why a link that is not open yet is given up. */
export function givenUp(
  { resolving }: Connecting,
  { connectTimeoutMs }: Pick<SessionSettings, 'connectTimeoutMs'>,
): { readonly reason: ErrorCode; readonly detail: string } {
  return resolving
    ? { reason: 'name_not_resolved', detail: `its name was not looked up within ${LOOK_UP_LIMIT_MS} ms` }
    : { reason: 'connect_timeout', detail: `no answer within ${connectTimeoutMs} ms` };
}

/** When the phase is to be looked at again, monotonic ms; infinite: not by itself. */
export function phaseDeadline(phase: SessionPhase): number {
  switch (phase.name) {
    case 'stopped':
    case 'listening':
      return Number.POSITIVE_INFINITY;
    case 'connecting':
      return phase.giveUpAt;
    case 'waiting':
      return phase.until;
    case 'connected':
      return phase.linkProtocol.nextDeadline();
  }
}

/** The answer to a request for a device that cannot be asked now. */
export function notOnline(requestId: number, status: DeviceStatus): Effect {
  // Its last valid frame came over an earlier link, and its silence is not long enough yet.
  const detail =
    status === 'online'
      ? 'nothing has come over its new link yet; nothing was sent'
      : `the status of the device is ${status}; nothing was sent`;
  return { type: 'settleRequest', requestId, outcome: { ok: false, code: 'device_not_online', detail } };
}
