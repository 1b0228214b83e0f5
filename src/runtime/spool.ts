import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { WholeFile } from '../device/file-receiver.ts';
import { HeartwireError } from '../errors.ts';
import type { Clock } from './clock.ts';
import { writeAll } from './write-all.ts';

export interface SpoolSettings {
  readonly dir: string;
  /** The largest file, and all of them together; the oldest go first. */
  readonly maxFileBytes: number;
  readonly budgetBytes: number;
}

/** A file that arrived whole. */
export interface SpooledFile {
  /** Its name on the disk, and in `GET /api/files/<id>`. */
  readonly id: string;
  readonly bytes: number;
  /** Ms since the epoch. */
  readonly at: number;
}

export interface ArrivedFile extends SpooledFile {
  /** CRC-32 of the whole file, eight hex digits. */
  readonly crc32: string;
}

/** A piece of a file that a device sends. */
export interface Piece {
  readonly offset: number;
  readonly last: boolean;
  readonly data: Uint8Array;
  /** Behind the last piece the file must be this. */
  readonly whole?: WholeFile;
}

interface Part {
  readonly path: string;
  readonly handle: FileHandle;
  bytes: number;
  crc: number;
}

const PART = '.part';
/** What we write: device, time, transfer. Other files in the folder are left alone. */
const OURS = /^[A-Za-z0-9._-]{1,64}\.\d{8}T\d{9}Z-\d{1,20}(?:-\d+)?\.bin$/;

/** Files of devices on the disk, written piece by piece, within a budget. Names are ours, never the device's. */
export class Spool {
  readonly #settings: SpoolSettings;
  readonly #clock: Clock;
  readonly #parts = new Map<string, Part>();
  /** The oldest first. */
  readonly #files = new Map<string, SpooledFile>();
  /** What is done one after the other, for one transfer of one device. */
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(settings: SpoolSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * Makes the folder, counts what is there, and removes what an earlier run did not finish.
   *
   * @throws HeartwireError `file_not_written` where the folder cannot be used
   */
  async start(): Promise<void> {
    const { dir } = this.#settings;
    try {
      await this.#open(dir);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new HeartwireError(
        'file_not_written',
        `The folder for files of devices cannot be used: ${detail}`,
        {
          seen: dir,
          mend: 'Check `files.dir`, the permissions of the folder and the room on the disk.',
          cause,
        },
      );
    }
  }

  async #open(dir: string): Promise<void> {
    await mkdir(dir, { recursive: true });
    const found: SpooledFile[] = [];
    for (const name of await readdir(dir)) {
      if (name.endsWith(PART) && OURS.test(name.slice(0, -PART.length)))
        await rm(join(dir, name), { force: true });
      if (!OURS.test(name)) continue;
      const { size, mtimeMs } = await stat(join(dir, name));
      found.push({ id: name, bytes: size, at: Math.round(mtimeMs) });
    }
    for (const file of found.sort((a, b) => a.at - b.at)) this.#files.set(file.id, file);
  }

  get files(): readonly SpooledFile[] {
    return [...this.#files.values()];
  }

  /** Where a file lies; undefined for every name that is not one of ours. */
  find(id: string): (SpooledFile & { readonly path: string }) | undefined {
    const file = this.#files.get(id);
    return file && { ...file, path: join(this.#settings.dir, id) };
  }

  /**
   * Writes one piece; resolves once it is written, with the file where that was the last one. Offset 0 begins anew.
   * Rejects where the disk or the budget does not take it; what was there is gone then.
   */
  store(device: string, transfer: number, piece: Piece): Promise<ArrivedFile | undefined> {
    return this.#inTurn(`${device}/${transfer}`, async (key) => {
      try {
        return await this.#write(key, device, transfer, piece);
      } catch (error) {
        await this.#discard(key);
        throw error;
      }
    });
  }

  /** Gives up what is there of a file. */
  drop(device: string, transfer: number): Promise<void> {
    return this.#inTurn(`${device}/${transfer}`, (key) => this.#discard(key));
  }

  /** Gives up all that is there of the files of a device: nobody will send the rest. */
  async forget(device: string): Promise<void> {
    const prefix = `${device}/`;
    const keys = [...this.#parts.keys()].filter((key) => key.startsWith(prefix));
    await Promise.all(keys.map((key) => this.#inTurn(key, () => this.#discard(key))));
  }

  /** Waits for what is being written, and removes what is not whole. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#queues.values());
    for (const key of [...this.#parts.keys()]) await this.#discard(key);
  }

  async #write(
    key: string,
    device: string,
    transfer: number,
    { offset, last, data, whole }: Piece,
  ): Promise<ArrivedFile | undefined> {
    if (offset === 0) await this.#discard(key);
    const part = this.#parts.get(key) ?? (await this.#begin(key, device, transfer));
    if (part.bytes !== offset) throw new Error(`a piece for byte ${offset} came at byte ${part.bytes}`);
    await this.#makeRoom(data.length);
    await writeAll(data.length, async (at, length) => {
      const { bytesWritten } = await part.handle.write(data, at, length, offset + at);
      return bytesWritten;
    });
    part.bytes += data.length;
    part.crc = crc32(data, part.crc);
    if (!last) return undefined;
    checkWhole(part, whole);
    return this.#finish(key, part);
  }

  async #begin(key: string, device: string, transfer: number): Promise<Part> {
    const stamp = new Date(this.#clock.now().wallMs).toISOString().replace(/[-:.]/g, '');
    for (let attempt = 1; ; attempt++) {
      const id = `${device}.${stamp}-${transfer}${attempt === 1 ? '' : `-${attempt}`}.bin`;
      const path = join(this.#settings.dir, id);
      if (this.#files.has(id)) continue;
      const part = { path, handle: await open(`${path}${PART}`, 'w'), bytes: 0, crc: 0 };
      this.#parts.set(key, part);
      return part;
    }
  }

  async #finish(key: string, part: Part): Promise<ArrivedFile> {
    // The device is told that it arrived: then it is to be there after a power cut too.
    await part.handle.datasync();
    await part.handle.close();
    this.#parts.delete(key);
    await rename(`${part.path}${PART}`, part.path);
    const id = part.path.slice(this.#settings.dir.length).replace(/^[\\/]/, '');
    const file = { id, bytes: part.bytes, at: this.#clock.now().wallMs };
    this.#files.set(id, file);
    return { ...file, crc32: hex(part.crc) };
  }

  async #discard(key: string): Promise<void> {
    const part = this.#parts.get(key);
    if (part === undefined) return;
    this.#parts.delete(key);
    await part.handle.close();
    await rm(`${part.path}${PART}`, { force: true });
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { budgetBytes, dir } = this.#settings;
    let held = bytes;
    for (const part of this.#parts.values()) held += part.bytes;
    // Files that are whole do not go for one that cannot be.
    if (held > budgetBytes) throw new Error(`the budget of ${budgetBytes} bytes for files is spent`);
    for (const file of this.#files.values()) held += file.bytes;
    for (const oldest of [...this.#files.values()]) {
      if (held <= budgetBytes) return;
      this.#files.delete(oldest.id);
      held -= oldest.bytes;
      await rm(join(dir, oldest.id), { force: true });
    }
  }

  #inTurn<T>(key: string, work: (key: string) => Promise<T>): Promise<T> {
    const before = this.#queues.get(key) ?? Promise.resolve();
    const mine = before.then(
      () => work(key),
      () => work(key),
    );
    this.#queues.set(key, mine);
    const settled = () => {
      if (this.#queues.get(key) === mine) this.#queues.delete(key);
    };
    mine.then(settled, settled);
    return mine;
  }
}

function checkWhole({ bytes, crc }: Part, { size, crc32: wanted }: WholeFile = {}): void {
  if (size !== undefined && size !== bytes) {
    throw new Error(`the file has ${bytes} bytes, and its chunks say ${size}`);
  }
  if (wanted !== undefined && wanted !== crc) {
    throw new Error(`the CRC-32 of the file is ${hex(crc)}, and its chunks say ${hex(wanted)}`);
  }
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');
