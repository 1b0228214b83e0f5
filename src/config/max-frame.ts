import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { longestOf } from './message-files.ts';
import type { LineKind } from './model.ts';
import { type DefaultsShape, LONGEST_DECLARED_FRAME } from './shape.ts';

const STREAM_MAX_FRAME = 1024 * 1024;

/** Upper bound of a payload in bytes: as given, else by the line and what is spoken on it. */
export function maxFrameOf(
  given: { readonly max_frame?: number | undefined },
  defaults: DefaultsShape,
  line: LineKind,
  messages: DeclaredProtocol | undefined,
): number {
  const own = given.max_frame ?? defaults.max_frame;
  if (own !== undefined || line === 'stream') return own ?? STREAM_MAX_FRAME;
  return Math.max(LONGEST_DECLARED_FRAME, messages === undefined ? 0 : longestOf(messages));
}
