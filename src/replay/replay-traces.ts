import type { ObserverFactory } from '../devices/index.ts';
import type { FeedStore } from '../feed/index.ts';
import { type TraceSource, traceName } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { type Clock, type Log, MinHeap, Pace } from '../system/index.ts';
import type { TraceEvent, Unmet } from '../trace/index.ts';
import { Replay } from './replay.ts';
import type { ReplayDevice } from './replay-device.ts';
import type { ReplayLine } from './replay-line.ts';

export interface ReplayTracesOptions {
  readonly store: FeedStore;
  readonly log?: Log;
  /** What the devices speak besides the built-in messages. */
  readonly messages?: DeclaredProtocol | undefined;
  line?(line: ReplayLine): void;
  wantsBytes?(topic: string): boolean;
  /** What looks on at the devices, whose clock is that of the trace. */
  observers?(clock: Clock): readonly ObserverFactory[];
  /** Waited for before more is read: the reader of the lines may be slow. */
  ready?: (() => Promise<void> | undefined) | undefined;
  /** Virtual ms that go by in each real one; absent: as fast as possible. */
  readonly speed?: number;
  /** Aborted: the replay ends where it is. */
  readonly signal?: AbortSignal;
}

/** What a replay came to. */
export interface ReplayResult {
  readonly events: number;
  /** Time from the first start to the last event, in ms. */
  readonly durationMs: number;
  readonly unmet: readonly Unmet[];
}

interface Track {
  readonly device: ReplayDevice;
  readonly offsetMs: number;
  /** Distinguishes it from the others; undefined for a single trace. */
  readonly file: string | undefined;
  readonly pieces: AsyncIterator<readonly TraceEvent[]>;
  readonly order: number;
  events: readonly TraceEvent[];
  at: number;
  /** When its next event is due. */
  dueMs: number;
}

/**
 * Replays traces together, in the order of their times; of one device, one goes on where the other ended. Memory is
 * that of a few pieces of each trace, whatever their length.
 *
 * @throws HeartwireError `trace_unfit`, `trace_invalid`, `trace_unreadable`
 */
export async function replayTraces(
  sources: readonly TraceSource[],
  options: ReplayTracesOptions,
): Promise<ReplayResult> {
  const startMs = Math.min(...sources.map(({ head }) => head.startMs));
  const replay = new Replay({ ...options, startMs });
  const tracks = new MinHeap<Track>(earlier);
  let events = 0;
  const { speed, signal = new AbortController().signal } = options;
  const reached = (monoMs: number): void => replay.clock.goTo(monoMs);
  const pace = speed === undefined ? undefined : new Pace({ speed, signal, reached });
  const ordered = [...sources].sort((a, b) => a.head.startMs - b.head.startMs);
  for (const [order, source] of ordered.entries()) {
    const device = replay.device(source.head, traceName(source.name), source.name);
    const pieces = source.events[Symbol.asyncIterator]();
    const offsetMs = source.head.startMs - startMs;
    const file = sources.length === 1 ? undefined : source.name;
    const track: Track = { device, offsetMs, file, pieces, order, events: [], at: 0, dueMs: offsetMs };
    if (await advance(track)) tracks.push(track);
  }
  for (let track = tracks.first; track !== undefined; track = tracks.first) {
    const event = track.events[track.at];
    if (event === undefined || signal.aborted) break;
    const wait = pace?.until(track.dueMs);
    if (wait !== undefined) {
      await wait;
      if (signal.aborted) break;
    }
    replay.play(track.device, event, track.offsetMs, track.file);
    events += 1;
    track.at += 1;
    const read = track.at < track.events.length;
    if (!read) await options.ready?.();
    if (read) setDue(track);
    else if (!(await advance(track))) {
      tracks.pop();
      continue;
    }
    tracks.replaceFirst(track);
  }
  const durationMs = replay.clock.now().monoMs;
  replay.finish();
  return { events, durationMs, unmet: replay.unmet };
}

/** Goes on to the next piece that has events; false where there is none. */
async function advance(track: Track): Promise<boolean> {
  for (;;) {
    const next = await track.pieces.next();
    if (next.done === true) return false;
    if (next.value.length === 0) continue;
    track.events = next.value;
    track.at = 0;
    setDue(track);
    return true;
  }
}

function setDue(track: Track): void {
  track.dueMs = track.offsetMs + (track.events[track.at]?.atUs ?? 0) / 1_000;
}

const earlier = (a: Track, b: Track): boolean =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
