import type { SessionSettings } from '../contract/settings.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { durationMs } from './duration.ts';
import { maxFrameOf } from './max-frame.ts';
import { checkMessagesFit, goesBesideRegister } from './message-files.ts';
import type { ListenerConfig } from './model.ts';
import type { Finding, Path } from './problem.ts';
import type { DefaultsShape, DeviceShape, ListenerShape } from './shape.ts';

/** What is read from a peer that dials in, and how. */
export function dialInLife(
  given: DeviceShape | ListenerShape,
  defaults: DefaultsShape,
  session: SessionSettings,
  messages: DeclaredProtocol | undefined,
  path: Path,
  add: (finding: Finding) => void,
): Pick<ListenerConfig, 'line' | 'gapMs' | 'maxFrame' | 'messages'> {
  const bare = session.bare !== undefined;
  const line = (bare ? given.line : undefined) ?? 'stream';
  // What stands at the top of the file is for those who can speak it; of the others that is said once, there.
  const spoken =
    messages !== undefined && (bare || given.messages !== undefined || goesBesideRegister(messages))
      ? messages
      : undefined;
  checkMessagesFit(session, spoken, path, add);
  return {
    ...(line === 'stream' ? {} : { line }),
    ...(given.gap === undefined || line === 'stream' ? {} : { gapMs: durationMs(given.gap) }),
    maxFrame: maxFrameOf(given, defaults, line, spoken),
    ...(spoken === undefined ? {} : { messages: spoken }),
  };
}
