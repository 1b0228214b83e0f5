import type { DeclaredProtocol } from '../protocol/index.ts';
import type { DeviceShape, ListenerShape } from './shape.ts';

/** The address of a device that is alone on its line and whose configuration names none. */
const LONE_ADDRESS = 1;

/**
 * A device or listener with what its messages ask of themselves: the registers of a map, and messages with `poll`. It
 * neither registers nor beats, and `poll` of its own goes first.
 */
export function withPolls<T extends DeviceShape | ListenerShape>(
  given: T,
  messages: DeclaredProtocol | undefined,
): T {
  const polls = messages === undefined ? [] : pollsOf(messages);
  if (polls.length === 0 || given.session === 'standard') return given;
  const own = given.poll ?? [];
  const asked = polls.filter(({ message }) => own.every((each) => each.message !== message));
  return { ...given, session: given.session ?? 'none', poll: [...own, ...asked] };
}

function pollsOf({ declaration }: DeclaredProtocol): readonly { message: string; every: number }[] {
  const { polls, messages } = declaration;
  if (polls !== undefined) return polls.map(({ message, everyMs }) => ({ message, every: everyMs }));
  return messages.flatMap(({ name, pollMs }) =>
    pollMs === undefined ? [] : [{ message: name, every: pollMs }],
  );
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
