import { createWriteStream } from 'node:fs';
import type { CliIo } from './command.ts';
import { outputNotWritten } from './files.ts';

/** Text is handed over in pieces of about so many characters. */
const PIECE = 64 * 1024;

/** Where an output goes piece by piece; a promise is to be awaited before the next piece. */
export interface Sink {
  write(part: string | Uint8Array): Promise<void> | undefined;
  /** Its reader is gone. */
  unwanted(): boolean;
  close(): Promise<void>;
}

/** Standard output. */
export function textSink({ out, drained, outClosed }: CliIo): Sink {
  let held = '';
  return {
    write(part) {
      held += part;
      if (held.length < PIECE) return undefined;
      out(held);
      held = '';
      return drained?.();
    },
    unwanted: () => outClosed.aborted,
    async close() {
      out(held);
    },
  };
}

/** @throws HeartwireError `file_not_written` */
export function fileSink(path: string): Sink {
  const stream = createWriteStream(path);
  const failed = new Promise<never>((_, reject) => {
    stream.on('error', (cause) => reject(outputNotWritten(path, cause)));
  });
  // It is awaited wherever something is written; without that it would end the process.
  failed.catch(() => undefined);
  return {
    write(part) {
      if (stream.write(part)) return undefined;
      return Promise.race([failed, new Promise<void>((done) => stream.once('drain', done))]);
    },
    unwanted: () => false,
    async close() {
      // What is given to `end` is called where the last bytes could not be written too.
      const finished = new Promise<void>((done) => stream.once('finish', done));
      stream.end();
      await Promise.race([failed, finished]);
    },
  };
}
