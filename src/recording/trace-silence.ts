import { framingNeedsSilence, framingOf } from '../devices/wire-codec.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import type { TraceEvent, TraceHead } from '../trace/event.ts';
import { markSilence, Silences } from '../trace/silences.ts';
import type { TraceSource } from './trace-file.ts';
import { silenceMs } from './trace-meta.ts';

/**
 * The silence that ends a frame of a trace, in ms; undefined where frames end in another way.
 *
 * @throws HeartwireError `trace_unfit`
 */
export function decisiveSilenceMs(
  head: TraceHead,
  messages: DeclaredProtocol | undefined,
  file: string,
): number | undefined {
  const framing = framingOf({ builtin: head.meta.session !== 'none', messages });
  return framingNeedsSilence(framing) ? silenceMs(head, file) : undefined;
}

/**
 * A trace whose frames end with silence, and which has no `idle` lines, gets them by its times; every other one is as
 * it was. `warn` is told what was assumed.
 *
 * @throws HeartwireError `trace_unfit`
 */
export function sourceWithSilences(
  source: TraceSource,
  messages: DeclaredProtocol | undefined,
  warn: (text: string) => void,
): TraceSource {
  const gapMs = decisiveSilenceMs(source.head, messages, source.name);
  if (gapMs === undefined) return source;
  return { ...source, events: found(source, gapMs, warn) };
}

async function* found(
  { name, events }: TraceSource,
  gapMs: number,
  warn: (text: string) => void,
): AsyncGenerator<readonly TraceEvent[]> {
  let silences: Silences | undefined;
  let told = false;
  const tell = (before: readonly TraceEvent[], after: readonly TraceEvent[]) => {
    if (told || after.length === before.length) return after;
    told = true;
    warn(
      `${name}: it has no idle lines: a frame ends where nothing follows for ${gapMs} ms, or the other side talks. Write gap=... in its #meta line for another silence.`,
    );
    return after;
  };
  for await (const piece of events) {
    if (piece.length === 0) continue;
    // A trace that has such lines has one behind its first burst.
    silences ??= new Silences(gapMs, markSilence(piece));
    const finder = silences;
    yield tell(
      piece,
      piece.flatMap((event) => finder.take(event)),
    );
  }
  if (silences !== undefined) yield tell([], silences.finish());
}
