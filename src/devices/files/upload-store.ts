import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HeartwireError } from '../../errors.ts';
import { blocksOf, type Clock, DiskBudget, type DiskUse, type Timer } from '../../system/index.ts';
import type { ReceiverLimits } from '../core/file-receiver.ts';
import { choosePartials, type PartialUpload, RECORD_LENGTH, type WholeFile } from '../core/partial-upload.ts';
import {
  findPartial,
  PART,
  type PartialOnDisk,
  type Piece,
  RECORD,
  readUploadName,
  UploadPart,
  uploadName,
} from './upload-part.ts';

/** Files of one device that may be on their way at once, and how long a pause may be, over a restart too. */
export const RECEIVING = {
  maxTransfers: 4,
  patienceMs: 10 * 60_000,
} as const satisfies Partial<ReceiverLimits>;
/** What an earlier run left is not gone on from where it is older, or where there is more of it. */
const KEPT = { maxAgeMs: 24 * 60 * 60_000, maxPartials: 256, maxPerDevice: RECEIVING.maxTransfers };

/** Files on their way that are open at once, each with its record; a process has a limit on what it may have open. */
const MOST_OPEN = 64;
/** A file on its way, and its record. */
const PART_FILES = 2;
/** Every part of a file has a record beside it, of one block. */
const RECORD_BYTES = blocksOf(RECORD_LENGTH);

export interface UploadStoreSettings {
  readonly dir: string;
  /** The largest file. */
  readonly maxFileBytes: number;
  /** What all files take of the disk in whole blocks, and how many there are, those on their way included. */
  readonly budgetBytes: number;
  readonly maxFiles: number;
  /** What one device may take of both; 1 where it is left out. */
  readonly deviceShare?: number | undefined;
}

/** A file that arrived whole. */
export interface StoredFile {
  /** Its name on the disk, and in `GET /api/files/<id>`. */
  readonly id: string;
  readonly bytes: number;
  /** Ms since the epoch. */
  readonly at: number;
}

export interface ArrivedFile extends StoredFile {
  /** CRC-32 of the whole file, eight hex digits. */
  readonly crc32: string;
}

/** A file on its way, with what is counted for it. */
interface Slot {
  readonly device: string;
  readonly key: string;
  readonly part: UploadPart;
  use: DiskUse;
}

/**
 * Files of devices on the disk, written piece by piece, within a budget of blocks and of files. Where room is needed,
 * the device that takes the most gives it: its oldest whole file, or else the part of a file that waits the longest for
 * its next piece. What is not whole when it ends, however it ends, waits for the next run, and there for its device.
 */
export class UploadStore {
  readonly #settings: UploadStoreSettings;
  readonly #clock: Clock;
  /** The one that was written to last comes last. */
  readonly #parts = new Map<string, Slot>();
  readonly #budget: DiskBudget<string>;
  /** Those with descriptors; the one that was written to last comes last. */
  readonly #open = new Set<Slot>();
  /** What an earlier run left, by device, until that is here. */
  readonly #leftPartials = new Map<string, PartialUpload[]>();
  /** The oldest first. */
  readonly #files = new Map<string, StoredFile>();
  /** What is done one after the other, for one transfer of one device. */
  readonly #queues = new Map<string, Promise<unknown>>();
  #patience: Timer | undefined;
  #closed = false;

  constructor(settings: UploadStoreSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#budget = new DiskBudget(settings);
  }

  /**
   * Makes the folder, counts what is there, and removes what an earlier run did not finish and no device can go on with.
   *
   * @throws HeartwireError `file_not_written` where the folder cannot be used
   */
  async start(): Promise<void> {
    const { dir } = this.#settings;
    try {
      await this.#read(dir);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new HeartwireError(
        'file_not_written',
        `The folder for files of devices cannot be used: ${detail}`,
        {
          seen: dir,
          fix: 'Check `files.dir`, the permissions of the folder and the room on the disk.',
          cause,
        },
      );
    }
  }

  async #read(dir: string): Promise<void> {
    await mkdir(dir, { recursive: true });
    const found: StoredFile[] = [];
    const partials = new Set<string>();
    for (const name of await readdir(dir)) {
      const ending = [PART, RECORD].find((each) => name.endsWith(each));
      const id = ending === undefined ? name : name.slice(0, -ending.length);
      if (readUploadName(id) === undefined) continue;
      if (ending !== undefined) {
        partials.add(id);
        continue;
      }
      const { size, mtimeMs } = await stat(join(dir, name));
      found.push({ id: name, bytes: size, at: Math.round(mtimeMs) });
    }
    for (const file of found.sort((a, b) => a.at - b.at)) this.#keep(file);
    await this.#keepPartials(partials);
    // The budget may be smaller than that of an earlier run.
    await this.#remove(this.#budget.makeRoom('', { bytes: 0, files: 0 }));
  }

  /** What an earlier run has stored of the files of a device; from now on they are the device's to go on with. */
  takePartials(device: string): readonly PartialUpload[] {
    const partials = this.#leftPartials.get(device) ?? [];
    this.#leftPartials.delete(device);
    return partials;
  }

  get files(): readonly StoredFile[] {
    return [...this.#files.values()];
  }

  /** What all of them take of the disk, those on their way included. */
  get use(): DiskUse {
    return this.#budget.use;
  }

  /** Where a file lies; undefined for a name that is not in the store. */
  find(id: string): (StoredFile & { readonly path: string }) | undefined {
    const file = this.#files.get(id);
    return file && { ...file, path: join(this.#settings.dir, id) };
  }

  /**
   * Writes one piece; resolves once it is written, with the file where that was the last one. Offset 0 starts the file again.
   * Rejects where the disk or the budget does not take it; what was there is gone then.
   */
  store(device: string, transfer: number, piece: Piece): Promise<ArrivedFile | undefined> {
    return this.#inTurn(`${device}/${transfer}`, async (key) => {
      if (this.#closed) throw new Error('no more files are taken');
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

  /** Gives up the unfinished files of a device: the rest of them will not come. */
  async forget(device: string): Promise<void> {
    this.#leftPartials.delete(device);
    const prefix = `${device}/`;
    // What is still to be written has no part yet, and shall leave none.
    const keys = new Set(
      [...this.#parts.keys(), ...this.#queues.keys()].filter((key) => key.startsWith(prefix)),
    );
    await Promise.all([...keys].map((key) => this.#inTurn(key, () => this.#discard(key))));
  }

  /** Waits for what is being written, and leaves what is not whole to the next run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#patience?.cancel();
    this.#closed = true;
    await Promise.allSettled(this.#queues.values());
    for (const { part } of this.#parts.values()) await part.leave();
    this.#parts.clear();
  }

  async #keepPartials(ids: ReadonlySet<string>): Promise<void> {
    const { dir, maxFileBytes, budgetBytes, maxFiles, deviceShare = 1 } = this.#settings;
    const { monoMs, wallMs } = this.#clock.now();
    const found: PartialOnDisk[] = [];
    for (const id of ids) {
      const partial = this.#files.has(id) ? undefined : await findPartial(dir, id, wallMs);
      if (partial !== undefined) found.push(partial);
    }
    const maxPerDevice = Math.min(KEPT.maxPerDevice, Math.floor((maxFiles * deviceShare) / PART_FILES));
    const maxPartials = Math.min(KEPT.maxPartials, Math.floor(maxFiles / PART_FILES));
    const kept = choosePartials(found, {
      ...KEPT,
      maxFileBytes,
      budgetBytes,
      maxPartials,
      maxPerDevice,
      diskBytes: (bytes) => blocksOf(bytes) + RECORD_BYTES,
    });
    const keptIds = new Set(kept.map(({ id }) => id));
    for (const id of ids) {
      if (!keptIds.has(id)) await new UploadPart(join(dir, id)).discard();
    }
    for (const { id, device, transfer, record } of kept) {
      const key = `${device}/${transfer}`;
      const use = { bytes: blocksOf(record.bytes) + RECORD_BYTES, files: PART_FILES };
      this.#budget.hold(device, use);
      this.#parts.set(key, { device, key, part: new UploadPart(join(dir, id), record), use });
      const { crc32: _, ...partial } = record;
      this.#leftPartials.set(device, [...(this.#leftPartials.get(device) ?? []), { transfer, ...partial }]);
    }
    if (kept.length === 0) return;
    this.#patience = this.#clock.setTimer(monoMs + RECEIVING.patienceMs, () => {
      // What cannot be removed now is looked at again by the next run.
      for (const device of this.#leftPartials.keys()) this.forget(device).catch(() => undefined);
    });
  }

  async #write(
    key: string,
    device: string,
    transfer: number,
    piece: Piece,
  ): Promise<ArrivedFile | undefined> {
    const { offset, last, data, whole } = piece;
    if (offset === 0) await this.#discard(key);
    const slot = this.#parts.get(key) ?? this.#begin(key, device, transfer);
    const { part } = slot;
    if (part.bytes !== offset) throw new Error(`a piece for byte ${offset} came at byte ${part.bytes}`);
    await this.#grow(slot, data.length);
    await part.write(piece);
    if (last) {
      checkWhole(part, whole);
      return this.#finish(slot);
    }
    this.#closeIdle(slot);
    return undefined;
  }

  #begin(key: string, device: string, transfer: number): Slot {
    const { wallMs } = this.#clock.now();
    for (let attempt = 1; ; attempt++) {
      const id = uploadName({ device, transfer }, wallMs, attempt);
      if (this.#files.has(id)) continue;
      const part = new UploadPart(join(this.#settings.dir, id));
      const slot = { device, key, part, use: { bytes: 0, files: 0 } };
      this.#parts.set(key, slot);
      return slot;
    }
  }

  async #finish(slot: Slot): Promise<ArrivedFile> {
    const { device, key, part, use } = slot;
    await part.finish();
    this.#open.delete(slot);
    this.#parts.delete(key);
    this.#budget.release(device, use);
    const id = part.path.slice(this.#settings.dir.length).replace(/^[\\/]/, '');
    const file = { id, bytes: part.bytes, at: this.#clock.now().wallMs };
    this.#keep(file);
    return { ...file, crc32: hex(part.crc) };
  }

  #keep(file: StoredFile): void {
    this.#files.set(file.id, file);
    const { device = '' } = readUploadName(file.id) ?? {};
    this.#budget.add(device, file.id, { bytes: blocksOf(file.bytes), files: 1 });
  }

  async #discard(key: string): Promise<void> {
    const slot = this.#parts.get(key);
    if (slot === undefined) return;
    this.#parts.delete(key);
    this.#open.delete(slot);
    try {
      await slot.part.discard();
    } finally {
      this.#budget.release(slot.device, slot.use);
    }
  }

  /** Counts the next piece before anything is waited for, so that pieces of others do not count on the same room. */
  async #grow(slot: Slot, bytes: number): Promise<void> {
    const { device, part, use } = slot;
    const grown = { bytes: blocksOf(part.bytes + bytes) + RECORD_BYTES, files: PART_FILES };
    const added = { bytes: grown.bytes - use.bytes, files: grown.files - use.files };
    if (added.bytes > 0 || added.files > 0) {
      await this.#dropParts(device, added);
      const refused = this.#budget.refuses(device, added);
      if (refused !== undefined) throw new Error(this.#noRoom(refused, device));
      const removed = this.#budget.makeRoom(device, added);
      this.#budget.hold(device, added);
      slot.use = grown;
      await this.#remove(removed);
    }
    // The one that was written to last.
    this.#parts.delete(slot.key);
    this.#parts.set(slot.key, slot);
  }

  #noRoom(refused: 'device' | 'all', device: string): string {
    const { budgetBytes, maxFiles, deviceShare = 1 } = this.#settings;
    const of = refused === 'device' ? deviceShare : 1;
    const what = refused === 'device' ? `what ${device} sends` : 'what all devices send now';
    const limits = `${Math.floor(budgetBytes * of)} bytes of disk and ${Math.floor(maxFiles * of)} files`;
    return `the budget for files is spent: ${what} is beyond ${limits}; raise files.budget_mb or files.max_files`;
  }

  /** Parts that are not whole give room only to devices that hold less, and only while nothing is written to them. */
  async #dropParts(device: string, added: DiskUse): Promise<void> {
    while (this.#budget.refuses(device, added) === 'all') {
      const larger = this.#budget.largerHolders(device, added);
      const idle = [...this.#parts.values()].filter(({ key }) => !this.#queues.has(key));
      const victim = larger.flatMap((name) => idle.find((slot) => slot.device === name) ?? [])[0];
      if (victim === undefined) return;
      await this.#inTurn(victim.key, (key) => this.#discard(key));
    }
  }

  async #remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const file = this.#files.get(id);
      this.#files.delete(id);
      try {
        await rm(join(this.#settings.dir, id), { force: true });
      } catch (error) {
        // It is still there, and counts.
        if (file !== undefined) this.#keep(file);
        throw error;
      }
    }
  }

  /** A device that pauses within a file keeps no descriptors for it where many others are on their way. */
  #closeIdle(latest: Slot): void {
    this.#open.delete(latest);
    this.#open.add(latest);
    if (this.#open.size <= MOST_OPEN) return;
    for (const slot of this.#open) {
      if (this.#queues.has(slot.key)) continue;
      this.#open.delete(slot);
      // A handle that cannot be closed is of no use to the next piece either, and that one is answered.
      this.#inTurn(slot.key, () => slot.part.rest()).catch(() => undefined);
      return;
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

function checkWhole({ bytes, crc }: UploadPart, { size, crc32: wanted }: WholeFile = {}): void {
  if (size !== undefined && size !== bytes) {
    throw new Error(`the file has ${bytes} bytes, and its chunks say ${size}`);
  }
  if (wanted !== undefined && wanted !== crc) {
    throw new Error(`the CRC-32 of the file is ${hex(crc)}, and its chunks say ${hex(wanted)}`);
  }
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');
