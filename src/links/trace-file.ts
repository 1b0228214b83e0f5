import { basename } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { HeartwireError } from '../errors.ts';
import { openRegular } from '../system/index.ts';
import { type TraceEvent, type TraceHead, TraceParser } from '../trace/index.ts';

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

/** Bytes of a trace; an iterator that returns `true` says that they were cut short. */
export type TracePieces = AsyncIterable<Uint8Array, unknown>;

/** The same for bytes that come from elsewhere. */
export async function parseTrace(
  name: string,
  pieces: TracePieces,
  warn: (text: string) => void,
): Promise<TraceSource> {
  const parsed = parsePieces(name, pieces, warn);
  const first = await parsed.next();
  if (first.done === true) throw new HeartwireError('trace_invalid', `${name}: The trace is empty.`);
  const { head, events } = first.value;
  async function* all(): AsyncGenerator<readonly TraceEvent[]> {
    try {
      yield events;
      for await (const piece of parsed) yield piece.events;
    } finally {
      // Also where the first piece was all that was wanted: the file is closed.
      await parsed.return(undefined);
    }
  }
  return { name, head, events: all() };
}

interface Piece {
  readonly head: TraceHead;
  readonly events: readonly TraceEvent[];
}

async function* parsePieces(
  name: string,
  pieces: TracePieces,
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
  // Not for-await: the value that the iterator returns says whether the bytes were cut short.
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    let next = await iterator.next();
    for (; next.done !== true; next = await iterator.next()) {
      try {
        parser.push(next.value);
      } catch (error) {
        // The events before the line that is wrong come first.
        if (head !== undefined && events.length > 0) yield { head, events };
        throw error;
      }
      if (head !== undefined && events.length > 0) yield { head, events };
      events = [];
    }
    parser.finish(next.value === true);
    if (head !== undefined) yield { head, events };
  } finally {
    await iterator.return?.();
  }
}

async function* readPieces(path: string, name: string): AsyncGenerator<Uint8Array, boolean> {
  try {
    return yield* unpacked((await openRegular(path)).createReadStream());
  } catch (cause) {
    throw cause instanceof HeartwireError ? cause : unreadable(name, cause);
  }
}

/** Why a trace cannot be read, from an error of the file system or of gzip. */
export function unreadable(name: string, cause: unknown): HeartwireError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new HeartwireError('trace_unreadable', `${name}: The trace could not be read: ${detail}.`, {
    seen: name,
    fix: 'Check the path, its permissions, and that a .gz is whole.',
    cause,
  });
}

/** Whether bytes are gzip, by how they begin. */
export const isPacked = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** A recording that a crash cut short is read as far as it goes. */
export const CUT_GZIP = { finishFlush: constants.Z_SYNC_FLUSH } as const;

/** Whether a gzip file was cut short: its last four bytes say how much it holds. */
export function isCutShort(packedEnd: Uint8Array, bytes: number): boolean {
  const said = packedEnd.subarray(-4).reduceRight((sum, byte) => sum * 256 + byte, 0);
  return said !== bytes % 2 ** 32;
}

/** The bytes of a trace, gzipped or not; returns whether they were cut short. Destroys the stream. */
export async function* unpacked(source: Readable): AsyncGenerator<Buffer, boolean> {
  // One piece after the other, and nowhere back: it may be a pipe.
  try {
    const pieces: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
    let head = Buffer.alloc(0);
    while (head.length < 2) {
      const next = await pieces.next();
      if (next.done === true) break;
      head = Buffer.concat([head, next.value]);
    }
    const whole = new FilePieces(head, pieces);
    if (!isPacked(head)) {
      yield* whole.all();
      return false;
    }
    let bytes = 0;
    for await (const piece of pipeline(whole.all(), createGunzip(CUT_GZIP), () => undefined)) {
      bytes += piece.length;
      yield piece;
    }
    return isCutShort(whole.end, bytes);
  } finally {
    source.destroy();
  }
}

/** The pieces of a file from its beginning; remembers its last four bytes. */
class FilePieces {
  end = Buffer.alloc(0);
  readonly #head: Buffer;
  readonly #rest: AsyncIterator<Buffer>;

  constructor(head: Buffer, rest: AsyncIterator<Buffer>) {
    this.#head = head;
    this.#rest = rest;
  }

  async *all(): AsyncGenerator<Buffer> {
    for (let piece = this.#head; piece.length > 0; ) {
      this.end = Buffer.concat([this.end, piece.subarray(-4)]).subarray(-4);
      yield piece;
      const next = await this.#rest.next();
      if (next.done === true) return;
      piece = next.value;
    }
  }
}
