import { constants, write } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGzip, type Gzip, constants as zlib } from 'node:zlib';
import { blocksOf, DiskBudget, type DiskUse, type NoRoom, writeAll } from '../system/index.ts';

/** Where and how much is recorded; sizes in bytes, durations in ms. */
export interface RecorderSettings {
  readonly dir: string;
  readonly maxFileBytes: number;
  readonly maxAgeMs: number;
  /** What all traces of the folder take of the disk in whole blocks, and how many there are. */
  readonly budgetBytes: number;
  readonly maxFiles: number;
  /** What one device may take of both; 1 where it is left out. */
  readonly deviceShare?: number | undefined;
  readonly gzip: boolean;
}

/** `psu-1.20260101T000000000Z.trace`, or `...Z-2.trace.gz`. */
const TRACE_NAME = /^(.+)\.\d{8}T\d{9}Z(?:-\d+)?\.trace(?:\.gz)?$/;

/** What a recorder needs of a file. */
export interface WritableFile {
  write(bytes: Buffer, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
  close(): Promise<void>;
}

/** Makes a file that must not be there yet, or opens one that is, to write behind what it holds. */
export type CreateFile = (path: string, mode: 'new' | 'more') => Promise<WritableFile>;

const createFile: CreateFile = async (path, mode) => {
  const handle = await open(path, mode === 'new' ? 'wx' : constants.O_WRONLY | constants.O_APPEND);
  return {
    // A hundred devices write a hundred times a second: the promise of a handle costs as much again as the write.
    write: (bytes, offset, length) =>
      new Promise((resolve, reject) => {
        write(handle.fd, bytes, offset, length, null, (error, bytesWritten) => {
          if (error === null) resolve({ bytesWritten });
          else reject(error);
        });
      }),
    close: () => handle.close(),
  };
};

/** The files of a recorder, and what they take of the disk. */
export class RecordingStore {
  readonly #settings: RecorderSettings;
  readonly #create: CreateFile;
  readonly #removed: (path: string) => void;
  readonly #budget: DiskBudget<string>;
  #counted = false;

  /** `removed` is called with each file that made room for others. */
  constructor(
    settings: RecorderSettings,
    create: CreateFile = createFile,
    removed: (path: string) => void = () => undefined,
  ) {
    this.#settings = settings;
    this.#create = create;
    this.#removed = removed;
    this.#budget = new DiskBudget(settings);
  }

  /** Of all traces, those that are being written included. */
  get use(): DiskUse {
    return this.#budget.use;
  }

  /** Makes the folder where it is missing, and counts, once, what earlier runs have left in it. */
  async open(): Promise<void> {
    const { dir } = this.#settings;
    await mkdir(dir, { recursive: true });
    if (this.#counted) return;
    const found: { device: string; path: string; size: number; mtimeMs: number }[] = [];
    for (const name of await readdir(dir)) {
      const [, device] = TRACE_NAME.exec(name) ?? [];
      if (device === undefined) continue;
      const path = join(dir, name);
      const { size, mtimeMs } = await stat(path);
      found.push({ device, path, size, mtimeMs });
    }
    this.#counted = true;
    for (const { device, path, size } of found.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      this.#budget.add(device, path, { bytes: blocksOf(size), files: 1 });
    }
    await this.#remove(this.#budget.makeRoom('', { bytes: 0, files: 0 }));
  }

  /** Other limits from now on; the oldest files go until these are kept. */
  async limit(limits: Pick<RecorderSettings, 'budgetBytes' | 'maxFiles'>): Promise<void> {
    this.#budget.limit({ ...limits, deviceShare: this.#settings.deviceShare });
    await this.#remove(this.#budget.makeRoom('', { bytes: 0, files: 0 }));
  }

  /** Makes room for so many bytes more, in this file or a new one; returns why there is none. */
  async makeRoom(
    device: string,
    bytes: number,
    file: RecordingFile | undefined,
  ): Promise<NoRoom | undefined> {
    const added = addedTo(bytes, file);
    const refused = this.#budget.refuses(device, added);
    const removed = refused === undefined ? this.#budget.makeRoom(device, added) : [];
    if (removed.length > 0) await this.#remove(removed);
    return refused;
  }

  /** Devices with more in traces that are being written than this one would have, the largest first. */
  largerThan(device: string, bytes: number, file: RecordingFile | undefined): readonly string[] {
    return this.#budget.largerHolders(device, addedTo(bytes, file));
  }

  async create(device: string, wallMs: number): Promise<RecordingFile> {
    const stamp = new Date(wallMs).toISOString().replace(/[-:.]/g, '');
    const { dir, gzip } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      const name = `${device}.${stamp}${attempt === 1 ? '' : `-${attempt}`}.trace${gzip ? '.gz' : ''}`;
      const path = join(dir, name);
      try {
        return this.#written(device, path, await this.#create(path, 'new'));
      } catch (error) {
        const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
        if (!taken || attempt >= 1_000) throw error;
      }
    }
  }

  /** A closed file is gone. */
  forget(device: string, path: string): void {
    this.#budget.remove(device, path);
  }

  #written(device: string, path: string, handle: WritableFile): RecordingFile {
    let held = { bytes: blocksOf(0), files: 1 };
    let over = false;
    this.#budget.hold(device, held);
    return new RecordingFile(path, handle, this.#settings.gzip, {
      reopen: () => this.#create(path, 'more'),
      grew: (bytes) => {
        if (over) return;
        const grown = { bytes: blocksOf(bytes), files: 1 };
        this.#budget.hold(device, { bytes: grown.bytes - held.bytes, files: 0 });
        held = grown;
      },
      closed: () => {
        over = true;
        this.#budget.release(device, held);
        this.#budget.add(device, path, held);
      },
      useless: async () => {
        over = true;
        this.#budget.release(device, held);
        await rm(path, { force: true });
      },
    });
  }

  async #remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      this.#removed(path);
      await rm(path, { force: true });
    }
  }
}

function addedTo(bytes: number, file: RecordingFile | undefined): DiskUse {
  if (file === undefined) return { bytes: blocksOf(bytes), files: 1 };
  return { bytes: blocksOf(file.bytes + bytes) - blocksOf(file.bytes), files: 0 };
}

/** What becomes of a trace on the disk, for its store. */
interface FileFate {
  reopen(): Promise<WritableFile>;
  grew(bytes: number): void;
  /** It stays as it is. */
  closed(): void;
  /** Nothing whole was written into it. */
  useless(): Promise<void>;
}

/** One trace while it is written. */
export class RecordingFile {
  readonly path: string;
  #handle: WritableFile | undefined;
  readonly #fate: FileFate;
  readonly #gzip: Gzip | undefined;
  #packed: Buffer[] = [];
  /** Bytes on the disk. */
  bytes = 0;
  /** All that one call of `append` brought is on the disk. */
  #useful = false;

  constructor(path: string, handle: WritableFile, gzip: boolean, fate: FileFate) {
    this.path = path;
    this.#handle = handle;
    this.#fate = fate;
    if (!gzip) return;
    this.#gzip = createGzip();
    this.#gzip.on('data', (packed: Buffer) => void this.#packed.push(packed));
  }

  async append(bytes: Buffer): Promise<void> {
    const gzip = this.#gzip;
    if (gzip === undefined) {
      await this.#write(bytes);
    } else {
      gzip.write(bytes);
      // What is flushed can be read even if nothing follows.
      await new Promise<void>((resolve) => gzip.flush(zlib.Z_SYNC_FLUSH, resolve));
      await this.#writePacked();
    }
    this.#useful = true;
  }

  async close(): Promise<void> {
    const gzip = this.#gzip;
    if (gzip !== undefined) {
      await new Promise<void>((resolve, reject) => gzip.once('end', resolve).once('error', reject).end());
      await this.#writePacked();
    }
    await this.rest();
    this.#fate.closed();
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  /** Closes the descriptor until more is to be written. */
  async rest(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** The disk failed: the file is closed as it is, and removed where nothing can be read from it. */
  async abandon(): Promise<void> {
    this.#gzip?.destroy();
    // A disk that failed may fail here as well; the failure is known already.
    const closing = this.rest().catch(() => undefined);
    if (this.#useful) this.#fate.closed();
    else await this.#fate.useless().catch(() => undefined);
    await closing;
  }

  async #writePacked(): Promise<void> {
    const packed = Buffer.concat(this.#packed);
    this.#packed = [];
    await this.#write(packed);
  }

  async #write(bytes: Buffer): Promise<void> {
    const handle = this.#handle ?? (await this.#fate.reopen());
    this.#handle = handle;
    await writeAll(bytes.length, async (at, length) => {
      const { bytesWritten } = await handle.write(bytes, at, length);
      this.bytes += bytesWritten;
      this.#fate.grew(this.bytes);
      return bytesWritten;
    });
  }
}
