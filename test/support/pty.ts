import { closeSync, write, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ReadStream } from 'node:tty';
import type { RawPeer } from './link-contract.ts';

/** A pseudo-terminal: `path` is opened as a serial port, the other end is the device on the line. */
export interface Pty extends RawPeer {
  /** As in `/dev/pts/3`. */
  readonly path: string;
  /** Writes before it returns, though the loop stands still. */
  writeNow(bytes: Uint8Array): void;
  /** Bytes as they come, for devices that answer. */
  onData(listener: (chunk: Buffer) => void): void;
  /** Unplugs, if that was not done before, and frees everything. */
  dispose(): Promise<void>;
}

interface NativePty {
  open(
    columns: number,
    rows: number,
  ): { readonly master: number; readonly slave: number; readonly pty: string };
}

/** Whether this system has ptys, with the reason printed where it has none: hand it to `describe.runIf`. */
export function hasPtys(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  if (process.platform === 'linux' || process.platform === 'darwin') return true;
  console.warn(`Skipping tests on ptys: ${process.platform} has none.`);
  return env.HEARTWIRE_TEST_ALL === '1';
}

/**
 * Makes a pty of the kernel's own. node-pty's public `open` reads from the slave too and so steals bytes from whoever
 * opens the port, and it leaves the slave's descriptor open: hence its native part alone.
 */
export function openPty(): Pty {
  const require = createRequire(import.meta.url);
  const { requireBinary } = require('@lydell/node-pty/requireBinary.js') as {
    requireBinary(file: string): NativePty; // Untyped: an inner module of the package.
  };
  const { master, slave, pty: path } = requireBinary('pty.node').open(80, 24);
  const stream = new ReadStream(master);
  const chunks: Buffer[] = [];
  const waiting: Uint8Array[] = [];
  let writing = false;
  let gone = false;
  // Losing the other side ends a pty with EIO.
  stream.on('error', () => undefined);
  stream.on('data', (chunk) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => stream.on('close', () => resolve()));

  // Not through the stream: it writes to a pty with blocking calls, and its reader may live in this very process.
  const writeOn = (): void => {
    const next = waiting[0];
    if (writing || gone || next === undefined) return;
    writing = true;
    write(master, next, (error, written) => {
      writing = false;
      if (gone) return;
      if (error !== null) {
        if (error.code === 'EAGAIN') setTimeout(writeOn, 1);
        else throw error;
        return;
      }
      if (written === next.length) waiting.shift();
      else waiting[0] = next.subarray(written);
      writeOn();
    });
  };

  const hangUp = (): void => {
    if (gone) return;
    gone = true;
    stream.destroy();
    closeSync(slave);
  };

  return {
    path,
    write: (bytes) => {
      waiting.push(bytes);
      writeOn();
    },
    writeNow: (bytes) => {
      const written = writeSync(master, bytes);
      if (written !== bytes.length) throw new Error(`The pty took ${written} of ${bytes.length} bytes.`);
    },
    received: () => Buffer.concat(chunks),
    onData: (listener) => void stream.on('data', listener),
    stall: () => void stream.pause(),
    resume: () => void stream.resume(),
    hangUp,
    dispose: async () => {
      hangUp();
      await closed;
    },
  };
}
