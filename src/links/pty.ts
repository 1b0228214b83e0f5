import { closeSync, write, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ReadStream } from 'node:tty';
import { HeartwireError } from '../errors.ts';

const LEAST_RETRY_MS = 1;
const MOST_RETRY_MS = 50;

interface NativePty {
  open(
    columns: number,
    rows: number,
  ): { readonly master: number; readonly slave: number; readonly pty: string };
}

/**
 * A pseudo-terminal of the kernel's own: `path` is opened like a serial port, this object is the other end of the
 * line. node-pty's public `open` reads from the slave too and so steals bytes from the program that opens the port, and it
 * leaves the slave's descriptor open: hence its native part alone.
 */
export class Pty implements AsyncDisposable {
  /** As in `/dev/pts/3`. */
  readonly path: string;
  readonly stream: ReadStream;
  readonly #master: number;
  readonly #slave: number;
  readonly #closed: Promise<void>;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing = false;
  #retryMs = LEAST_RETRY_MS;
  #gone = false;

  /** @throws HeartwireError `pty_unavailable` where the system, or this installation, has none. */
  constructor() {
    const { master, slave, pty } = openNative();
    this.path = pty;
    this.#master = master;
    this.#slave = slave;
    this.stream = new ReadStream(master);
    // Losing the other side ends a pty with EIO.
    this.stream.on('error', () => undefined);
    this.#closed = new Promise((resolve) => this.stream.on('close', () => resolve()));
  }

  onData(listener: (chunk: Buffer) => void): void {
    this.stream.on('data', listener);
  }

  /** Not through the stream: that writes with blocking calls, and the reader may be in this process. */
  write(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writeOn();
  }

  /** Bytes that no program has read, nor the kernel has room for. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Writes before it returns, though the loop stands still. */
  writeNow(bytes: Uint8Array): void {
    const written = writeSync(this.#master, bytes);
    if (written !== bytes.length) throw new Error(`The pty took ${written} of ${bytes.length} bytes.`);
  }

  /** Pulls the plug: the port at `path` is gone. */
  hangUp(): void {
    if (this.#gone) return;
    this.#gone = true;
    // A write that is under way would go to whatever gets the number of this descriptor next.
    if (!this.#writing) this.#close();
  }

  #close(): void {
    this.stream.destroy();
    closeSync(this.#slave);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await this.#closed;
  }

  #writeOn(): void {
    const next = this.#waiting[0];
    if (this.#writing || this.#gone || next === undefined) return;
    this.#writing = true;
    write(this.#master, next, (error, written) => {
      this.#writing = false;
      if (this.#gone) {
        this.#close();
        return;
      }
      if (error !== null) {
        if (error.code !== 'EAGAIN') throw error;
        // The buffer of the kernel is full until a program reads, if ever.
        setTimeout(() => this.#writeOn(), this.#retryMs);
        this.#retryMs = Math.min(MOST_RETRY_MS, this.#retryMs * 2);
        return;
      }
      this.#retryMs = LEAST_RETRY_MS;
      this.#waitingBytes -= written;
      if (written === next.length) this.#waiting.shift();
      else this.#waiting[0] = next.subarray(written);
      this.#writeOn();
    });
  }
}

/** Two ptys joined like a null modem: what is written to one port is read from the other. */
export class PtyPair implements AsyncDisposable {
  readonly paths: readonly [string, string];
  readonly #ends: readonly [Pty, Pty];

  /** @throws HeartwireError `pty_unavailable` */
  constructor() {
    const [left, right] = [new Pty(), new Pty()];
    left.onData((chunk) => right.write(chunk));
    right.onData((chunk) => left.write(chunk));
    this.#ends = [left, right];
    this.paths = [left.path, right.path];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#ends.map((end) => end[Symbol.asyncDispose]()));
  }
}

function openNative(): ReturnType<NativePty['open']> {
  const require = createRequire(import.meta.url);
  try {
    // Untyped: an inner module of the package.
    const { requireBinary } = require('@lydell/node-pty/requireBinary.js') as {
      requireBinary(file: string): NativePty;
    };
    return requireBinary('pty.node').open(80, 24);
  } catch (cause) {
    throw new HeartwireError('pty_unavailable', 'There are no pseudo-terminals here.', {
      fix: 'They exist on Linux and macOS, with the optional package @lydell/node-pty.',
      cause,
    });
  }
}
