import { constants, type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeAll } from '../../system/index.ts';
import {
  type FoundPartial,
  RECORD_LENGTH,
  readRecord,
  recordText,
  type UploadCheckpoint,
  type UploadRecord,
  type WholeFile,
} from '../core/partial-upload.ts';

/** What the name of a file in the upload store holds. */
interface UploadName {
  readonly device: string;
  /** Whatever number the field of the message can hold, a negative one too. */
  readonly transfer: number;
}

const NAME = /^([A-Za-z0-9._-]{1,64})\.\d{8}T\d{9}Z-(-?\d{1,16})(?:-\d+)?\.bin$/;

/** The bridge makes the names, never the device. `attempt` counts from 1, for names that are taken. */
export function uploadName({ device, transfer }: UploadName, wallMs: number, attempt: number): string {
  const stamp = new Date(wallMs).toISOString().replace(/[-:.]/g, '');
  return `${device}.${stamp}-${transfer}${attempt === 1 ? '' : `-${attempt}`}.bin`;
}

/** Undefined where the file is not one of an upload store; it is left alone then. */
export function readUploadName(name: string): UploadName | undefined {
  const [, device, transfer] = NAME.exec(name) ?? [];
  return device === undefined ? undefined : { device, transfer: Number(transfer) };
}

/** Behind the name of the file: what there is of its bytes, and how far that is. */
export const PART = '.part';
export const RECORD = '.half';
const PIECE_BYTES = 65_536;
/** A record is written over, so that there is one at any moment. */
const OVERWRITE = constants.O_WRONLY | constants.O_CREAT;

/** A piece of a file that a device sends. */
export interface Piece {
  readonly offset: number;
  readonly last: boolean;
  readonly data: Uint8Array;
  /** Behind the last piece the file must be this. */
  readonly whole?: WholeFile;
  /** How far the file is with this piece; without it no later run goes on from there. */
  readonly checkpoint?: UploadCheckpoint;
}

/**
 * One file on its way: its bytes so far, and beside them a record from which a later run goes on. The record is written
 * behind the bytes that it speaks of, so a run that was killed left no record of bytes that are not there; after a power
 * cut it may have, and so the bytes are compared with the record before anything is added to them.
 */
export class UploadPart {
  readonly path: string;
  readonly #kept: UploadRecord | undefined;
  #bytes: number;
  #crc: number;
  #data: FileHandle | undefined;
  #record: FileHandle | undefined;
  /** It was opened before in this run: what is there is what was written. */
  #begun = false;
  #recorded = false;

  /** `kept` is the record of an earlier run. */
  constructor(path: string, kept?: UploadRecord) {
    this.path = path;
    this.#kept = kept;
    this.#bytes = kept?.bytes ?? 0;
    this.#crc = kept?.crc32 ?? 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** CRC-32 of the bytes. */
  get crc(): number {
    return this.#crc;
  }

  async write({ offset, data, checkpoint }: Piece): Promise<void> {
    this.#data ??= await this.#open();
    await writeOver(this.#data, data, offset);
    this.#bytes += data.length;
    this.#crc = crc32(data, this.#crc);
    if (checkpoint === undefined) return;
    this.#record ??= await open(`${this.path}${RECORD}`, OVERWRITE);
    this.#recorded = true;
    const line = recordText({ ...checkpoint, bytes: this.#bytes, crc32: this.#crc });
    await writeOver(this.#record, new TextEncoder().encode(line), 0);
  }

  /** Lets go of the descriptors until more of the file comes. */
  rest(): Promise<void> {
    return this.#close();
  }

  /** The file is whole: it takes its name. */
  async finish(): Promise<void> {
    // Acknowledged to the device next, so it must survive a power cut.
    await this.#data?.datasync();
    await this.#close();
    await rename(`${this.path}${PART}`, this.path);
    await rm(`${this.path}${RECORD}`, { force: true });
  }

  async discard(): Promise<void> {
    await this.#close();
    for (const each of [PART, RECORD]) await rm(`${this.path}${each}`, { force: true });
  }

  /** Leaves it to a later run, or nothing where that could not go on from it. */
  async leave(): Promise<void> {
    if (this.#kept === undefined && !this.#recorded) return this.discard();
    await this.#close();
  }

  /** @throws Error where the bytes are not those of the record */
  async #open(): Promise<FileHandle> {
    const kept = this.#kept;
    if (this.#begun) return open(`${this.path}${PART}`, 'r+');
    if (kept === undefined) {
      this.#begun = true;
      return open(`${this.path}${PART}`, 'w');
    }
    const handle = await open(`${this.path}${PART}`, 'r+');
    try {
      if ((await crcOf(handle, kept.bytes)) !== kept.crc32)
        throw new Error('what was there of the file is damaged');
      // A chunk that was written and not noted comes again, and may be shorter then.
      await handle.truncate(kept.bytes);
      this.#begun = true;
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #close(): Promise<void> {
    const handles = [this.#data, this.#record];
    this.#data = undefined;
    this.#record = undefined;
    for (const handle of handles) await handle?.close();
  }
}

async function writeOver(handle: FileHandle, data: Uint8Array, offset: number): Promise<void> {
  await writeAll(data.length, async (at, length) => {
    const { bytesWritten } = await handle.write(data, at, length, offset + at);
    return bytesWritten;
  });
}

/** CRC-32 of the first bytes of a file, of which a piece at a time is held; undefined where it has fewer. */
async function crcOf(handle: FileHandle, bytes: number): Promise<number | undefined> {
  const buffer = new Uint8Array(PIECE_BYTES);
  let crc = 0;
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, bytes - at), at);
    if (bytesRead === 0) return undefined;
    crc = crc32(buffer.subarray(0, bytesRead), crc);
    at += bytesRead;
  }
  return crc;
}

/** A checkpoint in the folder, by the name that the file shall have. */
export interface PartialOnDisk extends FoundPartial {
  readonly id: string;
}

/** The checkpoint that lies in the folder under a name; undefined where there is none that could go on, whatever is wrong with it. */
export async function findPartial(
  dir: string,
  id: string,
  wallMs: number,
): Promise<PartialOnDisk | undefined> {
  const name = readUploadName(id);
  if (name === undefined) return undefined;
  const path = join(dir, id);
  try {
    const [part, note] = await Promise.all([lstat(`${path}${PART}`), lstat(`${path}${RECORD}`)]);
    if (!part.isFile() || !note.isFile() || note.size !== RECORD_LENGTH) return undefined;
    const record = readRecord(await textOf(`${path}${RECORD}`));
    // Where the clock was set back meanwhile, it is as young as can be.
    const ageMs = Math.max(0, wallMs - note.mtimeMs);
    return record && { id, ...name, record, fileBytes: part.size, ageMs };
  } catch {
    // Gone, or not to be read: nothing to go on from.
    return undefined;
  }
}

async function textOf(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(RECORD_LENGTH);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
