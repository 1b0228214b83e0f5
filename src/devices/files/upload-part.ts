import { constants, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { writeAll } from '../../system/files.ts';
import type { WholeFile } from '../core/file-receiver.ts';
import { recordText, type UploadCheckpoint, type UploadRecord } from '../core/partial-upload.ts';

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
  readonly half?: UploadCheckpoint;
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

  async write({ offset, data, half }: Piece): Promise<void> {
    this.#data ??= await this.#open();
    await writeOver(this.#data, data, offset);
    this.#bytes += data.length;
    this.#crc = crc32(data, this.#crc);
    if (half === undefined) return;
    this.#record ??= await open(`${this.path}${RECORD}`, OVERWRITE);
    this.#recorded = true;
    const line = recordText({ ...half, bytes: this.#bytes, crc32: this.#crc });
    await writeOver(this.#record, new TextEncoder().encode(line), 0);
  }

  /** Lets go of the descriptors until more of the file comes. */
  rest(): Promise<void> {
    return this.#close();
  }

  /** The file is whole: it takes its name. */
  async finish(): Promise<void> {
    // The device is told that it arrived: then it is to be there after a power cut too.
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
