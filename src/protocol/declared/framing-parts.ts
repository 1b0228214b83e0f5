import { HeartwireError } from '../../errors.ts';
import type { FramingKind } from '../framing/declaration.ts';
import type { MessageDeclaration, ProtocolDeclaration, Sender } from './declaration.ts';

/** The framing that a message names, where there are several. */
export function kindOf({ framing }: ProtocolDeclaration, message: MessageDeclaration): string | undefined {
  if (framing.type !== 'several') return undefined;
  return message.framing ?? framing.kinds[0]?.name;
}

/** Where there are several framings, the protocol of one: its messages, with their id and error code. */
export function partOf(declaration: ProtocolDeclaration, kind: FramingKind): ProtocolDeclaration {
  // Sessions and answers name messages of all kinds, and are those of the whole.
  const {
    id: _,
    error: __,
    session: _s,
    hello: _h,
    registration: _r,
    answers: _a,
    sequence: _q,
    inFlight: _f,
    ...rest
  } = declaration;
  return {
    ...rest,
    framing: kind.framing,
    ...(kind.id === undefined ? {} : { id: kind.id, selector: undefined }),
    ...(kind.error === undefined ? {} : { error: kind.error }),
    messages: declaration.messages
      .filter((message) => kindOf(declaration, message) === kind.name)
      .map(({ framing: ___, ...message }) => message),
  };
}

/** What looks at payloads of one framing. */
interface Part {
  check(bytes: Uint8Array, start: number, end: number, from?: Sender): number;
}

/** The messages of the framing in whose frame a payload came; where that is not known, those that it is one of. */
export function partFor<T extends Part>(
  parts: ReadonlyMap<string, T>,
  kind: string | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
  from: Sender | undefined,
): T {
  const all = [...parts.values()];
  const named = kind === undefined ? undefined : parts.get(kind);
  const found = named ?? all.find((part) => part.check(bytes, start, end, from) >= 0) ?? all[0];
  if (found === undefined) throw new HeartwireError('bad_declaration', 'There is no framing');
  return found;
}
