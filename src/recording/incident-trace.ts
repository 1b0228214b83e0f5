import { crc32 } from 'node:zlib';
import { LineBuffer } from '../system/index.ts';
import {
  formatEvent,
  formatHead,
  formatSum,
  type LifeWord,
  TRACE_END,
  type TraceFact,
} from '../trace/index.ts';
import { type RingRecord, readSegments, type Segment } from './core/byte-ring.ts';
import type { Opening } from './device-box.ts';

/** Text that is put together before others have a turn. */
const PIECE_BYTES = 64 * 1024;

/** What a trace of an incident is made of. */
export interface IncidentBytes {
  /** The oldest first. */
  readonly segments: readonly Segment[];
  readonly openings: ReadonlyMap<number, Opening>;
  /** What is older than this is left out; monotonic. */
  readonly fromUs: number;
  readonly toUs: number;
  /** Wall clock minus monotonic, in ms. */
  readonly wallMinusMonoMs: number;
}

/** A line of the trace; what belongs to no connection has the number 0. */
interface Line extends Pick<RingRecord, 'kind' | 'us' | 'bytes'> {
  readonly connection: string;
}

const NOTHING = new Uint8Array();

/** When the first line happened, monotonic; the end where there is none. */
export function beginningOf(of: IncidentBytes): number {
  for (const { us } of linesOf(of)) return us;
  return of.toUs;
}

/** When the device said something for the last time before; it may have been silent for longer than is kept. */
export function lastSaid(segments: readonly Segment[], untilUs: number): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const { startUs, lastUs } of segments)
    if (startUs <= untilUs) last = Math.max(last, Math.min(lastUs, untilUs));
  return Number.isFinite(last) ? last : untilUs;
}

/** The text of the trace in pieces; each is used before the next one is made. */
export function* incidentTrace(
  of: IncidentBytes,
  startUs: number,
  meta: Readonly<Record<string, string>>,
): Generator<Buffer> {
  const text = new LineBuffer();
  const startMs = Math.round(startUs / 1_000 + of.wallMinusMonoMs);
  text.text(formatHead({ startMs, meta }, { sums: true }));
  const marks = new Map<string, Buffer>();
  let lastUs = 0;
  for (const { connection, kind, us, bytes } of linesOf(of)) {
    lastUs = Math.max(lastUs, us - startUs);
    if (kind === 'in' || kind === 'out') {
      const words = ` ${connection} ${kind === 'in' ? '<' : '>'} `;
      const mark = marks.get(words) ?? Buffer.from(words);
      marks.set(words, mark);
      text.line(lastUs, mark, bytes);
    } else text.text(formatEvent({ atUs: lastUs, connection, fact: factOf(kind, bytes) }));
    if (text.length >= PIECE_BYTES) yield taken(text, '');
  }
  yield taken(text, TRACE_END);
}

function taken(text: LineBuffer, last: string): Buffer {
  text.text(`${formatSum(text.present(), crc32)}${last}`);
  const piece = Buffer.from(text.take());
  text.written();
  return piece;
}

function factOf(kind: 'note' | LifeWord, bytes: Uint8Array): TraceFact {
  const words = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  return kind === 'note' ? { kind, text: words } : { kind: 'life', word: kind, detail: words };
}

/**
 * The lines of the trace. A connection that began before it is opened in it: with its introduction, without which its
 * device would not be known, right before the first frame that is there from its beginning.
 */
function* linesOf(of: IncidentBytes): Generator<Line> {
  const { openings, fromUs, toUs } = of;
  /** Connections that the trace has opened, and those whose bytes it reads from a frame on. */
  let begun = new Set<number>();
  let inStep = new Set<number>();
  const framed = framedConnections(of);
  let holes = 0;
  let next: number | undefined;
  const name = (connection: number): string => `c${connection}${holes === 0 ? '' : `.${holes + 1}`}`;
  for (const segment of of.segments) {
    if (next !== undefined && segment.number !== next) {
      // What is behind a hole does not join what is before it: to a reader it is another connection.
      holes += 1;
      begun = new Set();
      inStep = new Set();
      yield note(segment.startUs, 'more was said than is kept: what came until here is missing');
    }
    next = segment.number + 1;
    for (const record of readSegments([segment])) {
      const { kind, connection, us, bytes } = record;
      if (us < fromUs || us > toUs) continue;
      if (kind === 'open') {
        begun.add(connection);
        inStep.add(connection);
      } else if (kind === 'in' || kind === 'out' || kind === 'idle' || kind === 'close') {
        if (kind === 'idle' && !inStep.has(connection)) continue;
        if (kind === 'in' && !inStep.has(connection)) {
          if (!record.whole && framed.has(connection)) continue;
          inStep.add(connection);
        }
        if (!begun.has(connection)) {
          begun.add(connection);
          yield* beginning(openings.get(connection), name(connection), us, of.wallMinusMonoMs);
        }
      }
      yield {
        kind,
        us,
        bytes,
        connection: kind === 'note' && !begun.has(connection) ? 'c0' : name(connection),
      };
    }
  }
}

/** Connections of which some bytes begin with a frame: where none do, all of them are as good as any. */
function framedConnections({ segments, fromUs }: IncidentBytes): ReadonlySet<number> {
  const framed = new Set<number>();
  for (const { connection, us, whole } of readSegments(segments))
    if (whole && us >= fromUs) framed.add(connection);
  return framed;
}

function* beginning(
  opening: Opening | undefined,
  connection: string,
  us: number,
  wallMinusMonoMs: number,
): Generator<Line> {
  if (opening === undefined) {
    yield { kind: 'open', us, bytes: NOTHING, connection };
    return;
  }
  const { records } = opening;
  // It is over when what is kept goes on.
  const laterUs = us - (records.at(-1)?.us ?? opening.us);
  yield { kind: 'open', us: opening.us + laterUs, bytes: Buffer.from(opening.address), connection };
  for (const record of records)
    yield { kind: record.kind, us: record.us + laterUs, bytes: record.bytes, connection };
  const since = new Date(Math.round(opening.us / 1_000 + wallMinusMonoMs)).toISOString();
  const text = `this link opened at ${since}; what was said between its beginning and here is not kept`;
  yield { ...note(us, text), connection };
}

const note = (us: number, text: string): Line => ({
  kind: 'note',
  us,
  bytes: Buffer.from(text),
  connection: 'c0',
});
