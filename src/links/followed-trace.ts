import { Readable } from 'node:stream';
import { HeartwireError } from '../errors.ts';
import { openRegular } from '../system/index.ts';
import { TRACE_END } from '../trace/index.ts';
import { parseTrace, type TracePieces, type TraceSource, unpacked, unreadable } from './trace-file.ts';

/** A trace that holds no more for now is looked at again after so long, in ms. */
const LOOK_EVERY_MS = 100;
const PIECE = 64 * 1024;

/**
 * Opens a trace that is still written, gzipped or not: its events, and those that come, until its `#end` or until the
 * signal is aborted.
 *
 * @throws HeartwireError as `openTrace`
 */
export function followTrace(
  path: string,
  name: string,
  warn: (text: string) => void,
  signal: AbortSignal,
): Promise<TraceSource> {
  const pieces = untilEnd(unpacked(Readable.from(growing(path, name, signal))));
  // A reader that leaves early knows that it did.
  return parseTrace(name, pieces, (text) => {
    if (!signal.aborted) warn(text);
  });
}

/** The bytes of a file, and those that are appended to it. */
async function* growing(path: string, name: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    await using file = await openRegular(path);
    for (let at = 0; !signal.aborted; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
      at += bytesRead;
      if (bytesRead > 0) {
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      if ((await file.stat()).size < at) throw new Error('it became shorter while it was followed');
      await pause(signal);
    }
  } catch (cause) {
    throw cause instanceof HeartwireError ? cause : unreadable(name, cause);
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, LOOK_EVERY_MS);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/** The pieces of a text up to the one that ends as a trace does. */
async function* untilEnd(pieces: TracePieces): AsyncGenerator<Uint8Array, unknown> {
  const mark = Buffer.from(`\n${TRACE_END}`);
  let tail = Buffer.alloc(0);
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return next.value;
      tail = Buffer.concat([tail, next.value.subarray(-mark.length)]).subarray(-mark.length);
      yield next.value;
      if (tail.equals(mark)) return false;
    }
  } finally {
    await iterator.return?.();
  }
}
