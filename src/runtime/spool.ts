import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseHalves, type FileHalf } from '../device/file-half.ts';
import type { ReceiverLimits, WholeFile } from '../device/file-receiver.ts';
import { HeartwireError } from '../errors.ts';
import type { Clock, Timer } from './clock.ts';
import { findHalf, type HalfOnDisk } from './find-half.ts';
import { readSpoolName, spoolName } from './spool-name.ts';
import { PART, type Piece, RECORD, SpoolPart } from './spool-part.ts';

/** Files of one device that may be on their way at once, and how long a pause may be, over a restart too. */
export const RECEIVING = {
  maxTransfers: 4,
  patienceMs: 10 * 60_000,
} as const satisfies Partial<ReceiverLimits>;
/** What an earlier run left is not gone on from where it is older, or where there is more of it. */
const KEPT = { maxAgeMs: 24 * 60 * 60_000, maxHalves: 256, maxPerDevice: RECEIVING.maxTransfers };

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

/**
 * Files of devices on the disk, written piece by piece, within a budget. What is not whole when it ends, however it
 * ends, waits for the next run, and there for its device.
 */
export class Spool {
  readonly #settings: SpoolSettings;
  readonly #clock: Clock;
  readonly #parts = new Map<string, SpoolPart>();
  /** What an earlier run left, by device, until that is here. */
  readonly #unclaimed = new Map<string, FileHalf[]>();
  /** The oldest first. */
  readonly #files = new Map<string, SpooledFile>();
  /** What is done one after the other, for one transfer of one device. */
  readonly #queues = new Map<string, Promise<unknown>>();
  #patience: Timer | undefined;
  #closed = false;

  constructor(settings: SpoolSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * Makes the folder, counts what is there, and removes what an earlier run did not finish and nobody can go on with.
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
    const halves = new Set<string>();
    for (const name of await readdir(dir)) {
      const ending = [PART, RECORD].find((each) => name.endsWith(each));
      const id = ending === undefined ? name : name.slice(0, -ending.length);
      if (readSpoolName(id) === undefined) continue;
      if (ending !== undefined) {
        halves.add(id);
        continue;
      }
      const { size, mtimeMs } = await stat(join(dir, name));
      found.push({ id: name, bytes: size, at: Math.round(mtimeMs) });
    }
    for (const file of found.sort((a, b) => a.at - b.at)) this.#files.set(file.id, file);
    await this.#keepHalves(halves);
  }

  /** What an earlier run has stored of the files of a device; from now on they are the device's to go on with. */
  claim(device: string): readonly FileHalf[] {
    const halves = this.#unclaimed.get(device) ?? [];
    this.#unclaimed.delete(device);
    return halves;
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

  /** Gives up all that is there of the files of a device: nobody will send the rest. */
  async forget(device: string): Promise<void> {
    this.#unclaimed.delete(device);
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
    for (const part of this.#parts.values()) await part.leave();
    this.#parts.clear();
  }

  async #keepHalves(ids: ReadonlySet<string>): Promise<void> {
    const { dir, maxFileBytes, budgetBytes } = this.#settings;
    const { monoMs, wallMs } = this.#clock.now();
    const found: HalfOnDisk[] = [];
    for (const id of ids) {
      const half = this.#files.has(id) ? undefined : await findHalf(dir, id, wallMs);
      if (half !== undefined) found.push(half);
    }
    const kept = chooseHalves(found, { maxFileBytes, budgetBytes, ...KEPT });
    const keptIds = new Set(kept.map(({ id }) => id));
    for (const id of ids) {
      if (!keptIds.has(id)) await new SpoolPart(join(dir, id)).discard();
    }
    for (const { id, device, transfer, record } of kept) {
      this.#parts.set(`${device}/${transfer}`, new SpoolPart(join(dir, id), record));
      const { crc32: _, ...half } = record;
      this.#unclaimed.set(device, [...(this.#unclaimed.get(device) ?? []), { transfer, ...half }]);
    }
    if (kept.length === 0) return;
    this.#patience = this.#clock.setTimer(monoMs + RECEIVING.patienceMs, () => {
      // What cannot be removed now is looked at again by the next run.
      for (const device of this.#unclaimed.keys()) this.forget(device).catch(() => undefined);
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
    const part = this.#parts.get(key) ?? this.#begin(key, device, transfer);
    if (part.bytes !== offset) throw new Error(`a piece for byte ${offset} came at byte ${part.bytes}`);
    await this.#makeRoom(data.length);
    await part.write(piece);
    if (!last) return undefined;
    checkWhole(part, whole);
    return this.#finish(key, part);
  }

  #begin(key: string, device: string, transfer: number): SpoolPart {
    const { wallMs } = this.#clock.now();
    for (let attempt = 1; ; attempt++) {
      const id = spoolName({ device, transfer }, wallMs, attempt);
      if (this.#files.has(id)) continue;
      const part = new SpoolPart(join(this.#settings.dir, id));
      this.#parts.set(key, part);
      return part;
    }
  }

  async #finish(key: string, part: SpoolPart): Promise<ArrivedFile> {
    await part.finish();
    this.#parts.delete(key);
    const id = part.path.slice(this.#settings.dir.length).replace(/^[\\/]/, '');
    const file = { id, bytes: part.bytes, at: this.#clock.now().wallMs };
    this.#files.set(id, file);
    return { ...file, crc32: hex(part.crc) };
  }

  async #discard(key: string): Promise<void> {
    const part = this.#parts.get(key);
    if (part === undefined) return;
    this.#parts.delete(key);
    await part.discard();
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

function checkWhole({ bytes, crc }: SpoolPart, { size, crc32: wanted }: WholeFile = {}): void {
  if (size !== undefined && size !== bytes) {
    throw new Error(`the file has ${bytes} bytes, and its chunks say ${size}`);
  }
  if (wanted !== undefined && wanted !== crc) {
    throw new Error(`the CRC-32 of the file is ${hex(crc)}, and its chunks say ${hex(wanted)}`);
  }
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');
