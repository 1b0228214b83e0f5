import { createWriteStream } from 'node:fs';
import type { CliIo } from './command.ts';
import { outputNotWritten } from './files.ts';

/** Text is handed over in pieces of about so many characters. */
const PIECE = 64 * 1024;

/** Where an output goes piece by piece; a promise is to be awaited before the next piece. */
export interface Sink {
  write(part: string | Uint8Array): Promise<void> | undefined;
  /** Hands over what it has, where a reader waits for the present; also to be awaited. */
  flush(): Promise<void> | undefined;
  /** Its reader is gone. */
  unwanted(): boolean;
  close(): Promise<void>;
}

/** Standard output. */
export function textSink({ out, drained, outClosed }: CliIo): Sink {
  let held = '';
  const flush = (): Promise<void> | undefined => {
    out(held);
    held = '';
    return drained?.();
  };
  return {
    write(part) {
      held += part;
      return held.length < PIECE ? undefined : flush();
    },
    flush,
    unwanted: () => outClosed.aborted,
    async close() {
      out(held);
    },
  };
}

/** Standard output, for what is no text. */
export function byteSink(
  outBytes: NonNullable<CliIo['outBytes']>,
  { drained, outClosed }: Pick<CliIo, 'drained' | 'outClosed'>,
): Sink {
  let held: Uint8Array[] = [];
  let length = 0;
  const flush = (): Promise<void> | undefined => {
    if (length > 0) outBytes(Buffer.concat(held, length));
    held = [];
    length = 0;
    return drained?.();
  };
  return {
    write(part) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part;
      held.push(bytes);
      length += bytes.length;
      return length < PIECE ? undefined : flush();
    },
    flush,
    unwanted: () => outClosed.aborted,
    async close() {
      flush();
    },
  };
}

/** A file, or a pipe with a name. @throws HeartwireError `file_not_written` */
export function fileSink(path: string): Sink {
  const stream = createWriteStream(path);
  let isGone = false;
  const failed = new Promise<void>((resolve, reject) => {
    stream.on('error', (cause: NodeJS.ErrnoException) => {
      // The reader of a pipe has what it wants.
      isGone = cause.code === 'EPIPE';
      if (isGone) resolve();
      else reject(outputNotWritten(path, cause));
    });
  });
  // It is awaited wherever something is written; without that it would end the process.
  failed.catch(() => undefined);
  return {
    write(part) {
      if (isGone || stream.write(part)) return undefined;
      return Promise.race([failed, new Promise<void>((done) => stream.once('drain', done))]);
    },
    flush: () => undefined,
    unwanted: () => isGone,
    async close() {
      if (isGone) return;
      // What is given to `end` is called where the last bytes could not be written too.
      const finished = new Promise<void>((done) => stream.once('finish', done));
      stream.end();
      await Promise.race([failed, finished]);
    },
  };
}
