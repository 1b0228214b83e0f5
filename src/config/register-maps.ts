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

/** The address of a device of a register map that is alone on its line and says none. */
export function addressAlone(
  given: DeviceShape,
  messages: DeclaredProtocol | undefined,
): { readonly address?: number | string | undefined } {
  return messages?.declaration.polls === undefined ? {} : { address: given.address ?? LONE_ADDRESS };
}

/** The messages of a register map as they go to devices that dial in, each with its line for itself. */
export function addressedAlone(messages: DeclaredProtocol | undefined): DeclaredProtocol | undefined {
  return messages?.declaration.polls === undefined ? messages : messages.at(LONE_ADDRESS);
}
