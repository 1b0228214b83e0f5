import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { HeartwireError } from '../errors.ts';
import type { TraceEvent, TraceHead } from '../trace/event.ts';
import { TraceParser } from '../trace/parser.ts';

/** A trace that is read as it is asked for. */
export interface TraceSource {
  /** As it was named, for messages. */
  readonly name: string;
  readonly head: TraceHead;
  /** The events, in pieces as they are read. */
  readonly events: AsyncIterable<readonly TraceEvent[]>;
}

/** The name of a trace without folder and endings: what its device is called where the trace does not say. */
export const traceName = (path: string): string => basename(path).replace(/(?:\.trace)?(?:\.gz)?$/, '');

/**
 * Opens a trace, gzipped or not. Reading goes on while events are taken, in memory of a few pieces.
 *
 * @throws HeartwireError `trace_unreadable`, `trace_invalid`, here or from `events`
 */
export function openTrace(path: string, name: string, warn: (text: string) => void): Promise<TraceSource> {
  return parseTrace(name, readPieces(path, name), warn);
}

/** The same for bytes that come from elsewhere. */
export async function parseTrace(
  name: string,
  pieces: AsyncIterable<Uint8Array>,
  warn: (text: string) => void,
): Promise<TraceSource> {
  const parsed = parsePieces(name, pieces, warn);
  const first = await parsed.next();
  if (first.done === true) throw new HeartwireError('trace_invalid', `${name}: The trace is empty.`);
  const { head, events } = first.value;
  async function* all(): AsyncGenerator<readonly TraceEvent[]> {
    yield events;
    for await (const piece of parsed) yield piece.events;
  }
  return { name, head, events: all() };
}

interface Piece {
  readonly head: TraceHead;
  readonly events: readonly TraceEvent[];
}

async function* parsePieces(
  name: string,
  pieces: AsyncIterable<Uint8Array>,
  warn: (text: string) => void,
): AsyncGenerator<Piece> {
  let head: TraceHead | undefined;
  let events: TraceEvent[] = [];
  const parser = new TraceParser(name, {
    head: (of) => {
      head = of;
    },
    event: (event) => void events.push(event),
    warning: warn,
  });
  for await (const piece of pieces) {
    try {
      parser.push(piece);
    } catch (error) {
      // What stands before the line that is wrong is told first.
      if (head !== undefined && events.length > 0) yield { head, events };
      throw error;
    }
    if (head !== undefined && events.length > 0) yield { head, events };
    events = [];
  }
  parser.finish();
  if (head !== undefined) yield { head, events };
}

async function* readPieces(path: string, name: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of unpacked(path)) yield piece;
  } catch (cause) {
    if (cause instanceof HeartwireError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new HeartwireError('trace_unreadable', `${name}: The trace could not be read: ${detail}.`, {
      seen: name,
      mend: 'Check the path, its permissions, and that a .gz is whole.',
      cause,
    });
  }
}

async function* unpacked(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const iterator: AsyncIterator<Buffer> = file[Symbol.asyncIterator]();
  const first = await iterator.next();
  file.destroy();
  const magic: Buffer = first.done === true ? Buffer.alloc(0) : first.value;
  const source = createReadStream(path);
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) {
    yield* source;
    return;
  }
  // A recording that a crash cut short is read as far as it goes.
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  yield* pipeline(source, gunzip, () => undefined);
}
