import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, createGzip, type Gzip } from 'node:zlib';
import type { RecorderSettings } from './recorder.ts';
import { writeAll } from './write-all.ts';

/** `psu-1.20260101T000000000Z.trace`, or `...Z-2.trace.gz`. */
const OURS = /\.\d{8}T\d{9}Z(?:-\d+)?\.trace(?:\.gz)?$/;

/** What a recorder needs of a file. */
export interface WritableFile {
  write(bytes: Buffer, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
  close(): Promise<void>;
}

/** Makes a file that must not be there yet. */
export type CreateFile = (path: string) => Promise<WritableFile>;

const createFile: CreateFile = (path) => open(path, 'wx');

interface Finished {
  readonly path: string;
  readonly bytes: number;
  readonly at: number;
}

/** The files of a recorder, and what they take of the disk. */
export class RecordingStore {
  readonly #settings: RecorderSettings;
  readonly #create: CreateFile;
  readonly #open = new Set<RecordingFile>();
  /** The oldest first. */
  #finished: Finished[] = [];
  #finishedBytes = 0;

  constructor(settings: RecorderSettings, create: CreateFile = createFile) {
    this.#settings = settings;
    this.#create = create;
  }

  get bytes(): number {
    let bytes = this.#finishedBytes;
    for (const file of this.#open) bytes += file.bytes;
    return bytes;
  }

  get files(): number {
    return this.#finished.length + this.#open.size;
  }

  /** Counts what earlier runs have left in the folder. */
  async start(): Promise<void> {
    const { dir } = this.#settings;
    for (const name of await readdir(dir)) {
      if (!OURS.test(name)) continue;
      const path = join(dir, name);
      const { size, mtimeMs } = await stat(path);
      this.#keep({ path, bytes: size, at: mtimeMs });
    }
    this.#finished.sort((a, b) => a.at - b.at);
  }

  async create(device: string, wallMs: number): Promise<RecordingFile> {
    const stamp = new Date(wallMs).toISOString().replace(/[-:.]/g, '');
    const { dir, gzip } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      const name = `${device}.${stamp}${attempt === 1 ? '' : `-${attempt}`}.trace${gzip ? '.gz' : ''}`;
      const path = join(dir, name);
      try {
        const handle = await this.#create(path);
        const file = new RecordingFile(handle, gzip, (bytes) => {
          this.#open.delete(file);
          this.#keep({ path, bytes, at: wallMs });
        });
        this.#open.add(file);
        return file;
      } catch (error) {
        const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
        if (!taken || attempt >= 1_000) throw error;
      }
    }
  }

  /** Removes the oldest finished traces where there are too many; false where that is not enough. */
  async keepBudget(): Promise<boolean> {
    while (this.bytes > this.#settings.budgetBytes) {
      const oldest = this.#finished.shift();
      if (oldest === undefined) return false;
      this.#finishedBytes -= oldest.bytes;
      await rm(oldest.path, { force: true });
    }
    return true;
  }

  #keep(finished: Finished): void {
    this.#finished.push(finished);
    this.#finishedBytes += finished.bytes;
  }
}

/** One trace while it is written. */
export class RecordingFile {
  readonly #handle: WritableFile;
  readonly #closed: (bytes: number) => void;
  readonly #gzip: Gzip | undefined;
  #packed: Buffer[] = [];
  /** Bytes on the disk. */
  bytes = 0;

  constructor(handle: WritableFile, gzip: boolean, closed: (bytes: number) => void) {
    this.#handle = handle;
    this.#closed = closed;
    if (!gzip) return;
    this.#gzip = createGzip();
    this.#gzip.on('data', (packed: Buffer) => void this.#packed.push(packed));
  }

  async append(bytes: Buffer): Promise<void> {
    const gzip = this.#gzip;
    if (gzip === undefined) return this.#write(bytes);
    gzip.write(bytes);
    // What is flushed can be read even if nothing follows.
    await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    await this.#writePacked();
  }

  async close(): Promise<void> {
    const gzip = this.#gzip;
    if (gzip !== undefined) {
      await new Promise<void>((resolve, reject) => gzip.once('end', resolve).once('error', reject).end());
      await this.#writePacked();
    }
    await this.#handle.close();
    this.#closed(this.bytes);
  }

  /** The disk failed: the file is let go as it is. */
  abandon(): void {
    this.#gzip?.destroy();
    // A handle of a disk that failed may fail to close as well; the failure was told already.
    this.#handle.close().catch(() => undefined);
  }

  async #writePacked(): Promise<void> {
    const packed = Buffer.concat(this.#packed);
    this.#packed = [];
    await this.#write(packed);
  }

  #write(bytes: Buffer): Promise<void> {
    return writeAll(bytes.length, async (at, length) => {
      const { bytesWritten } = await this.#handle.write(bytes, at, length);
      this.bytes += bytesWritten;
      return bytesWritten;
    });
  }
}
