import type { DeclaredProtocol } from '../protocol/index.ts';
import type { DeviceShape, ListenerShape } from './shape.ts';

/** The address of a device that is alone on its line and whose configuration names none. */
const LONE_ADDRESS = 1;

/**
 * A device or listener with what its messages ask of themselves, as a register map does: it neither registers nor beats,
 * and its registers are read.
 */
export function withPolls<T extends DeviceShape | ListenerShape>(
  given: T,
  messages: DeclaredProtocol | undefined,
): T {
  const polls = messages?.declaration.polls;
  if (polls === undefined) return given;
  const asked = polls.map(({ message, everyMs }) => ({ message, every: everyMs }));
  return { ...given, session: given.session ?? 'none', poll: [...(given.poll ?? []), ...asked] };
}

/** The messages of a register map as they go to a device that has its line for itself. */
export function addressedAlone(
  given: object | undefined,
  messages: DeclaredProtocol | undefined,
): DeclaredProtocol | undefined {
  const { polls, address } = messages?.declaration ?? {};
  if (polls === undefined || address?.value !== undefined) return messages;
  const own = given !== undefined && 'address' in given ? given.address : undefined;
  return messages?.at(Number(own ?? LONE_ADDRESS));
}
