import type { SessionSettings } from '../../contract/index.ts';
import type { ErrorCode } from '../../errors.ts';
import type { LinkProtocol } from './link-protocol.ts';

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
  { connectTimeoutMs }: Pick<SessionSettings, 'connectTimeoutMs'>,
  nowMs: number,
  resolves: boolean,
): Connecting {
  return {
    name: 'connecting',
    giveUpAt: nowMs + (resolves ? LOOK_UP_LIMIT_MS : connectTimeoutMs),
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
