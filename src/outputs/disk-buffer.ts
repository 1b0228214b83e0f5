import { type FileHandle, mkdir, open, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { blocksOf, writeAll } from '../system/index.ts';
import { formatRecord, type PointRecord, parseSegment } from './core/segment.ts';

export interface DiskBufferOptions {
  readonly dir: string;
  /** What all segments take of the disk at most, in whole blocks; beyond it the oldest go. */
  readonly maxBytes: number;
}

/** What one request takes at most. */
export interface BatchLimits {
  readonly points: number;
  readonly bytes: number;
}

interface Segment {
  readonly number: number;
  bytes: number;
  points: number;
}

/** One is read in one turn of the event loop, in about 1 ms. */
const LARGEST_SEGMENT = 1024 * 1024;
/** So many segments fit at least: what goes to make room is a small part. */
const LEAST_SEGMENTS = 16;
const NAME = /^(\d{12})\.points$/;
const POSITION = 'position';
const sum = (bytes: Uint8Array, before?: number): number => crc32(bytes, before);
const nameOf = (number: number): string => `${String(number).padStart(12, '0')}.points`;

/** How large a record may be, so that the budget holds. */
export const largestRecord = (maxBytes: number): number =>
  Math.max(64 * 1024, Math.floor(maxBytes / LEAST_SEGMENTS / 2));

/**
 * Points on a disk, in order: appended behind, read in front. It survives the end of its process. The caller makes one
 * call of `append` at a time, and one of `first` and `advance` at a time.
 */
export class DiskBuffer {
  readonly #options: DiskBufferOptions;
  readonly #segmentBytes: number;
  /** The oldest first; the last one may be open for writing. */
  #segments: Segment[] = [];
  #writing: FileHandle | undefined;
  /** What is read of the first segment, from `#at` on. */
  #reading:
    | { readonly segment: Segment; readonly records: readonly PointRecord[]; readonly damaged: boolean }
    | undefined;
  #at = 0;
  /** Records of the last batch. */
  #taken = 0;
  #next = 1;
  #opened = false;
  #lost = 0;
  #setAside = 0;
  #chain: Promise<unknown> = Promise.resolve();

  constructor(options: DiskBufferOptions) {
    this.#options = options;
    const share = Math.floor(options.maxBytes / LEAST_SEGMENTS);
    this.#segmentBytes = Math.min(LARGEST_SEGMENT, Math.max(64 * 1024, share));
  }

  /** Points that wait. */
  get points(): number {
    return this.#segments.reduce((total, { points }) => total + points, 0);
  }

  get bytes(): number {
    return this.#segments.reduce((total, { bytes }) => total + blocksOf(bytes), 0);
  }

  /** Points that were dropped to keep the budget, or that the disk damaged. */
  get lost(): number {
    return this.#lost;
  }

  /** Damaged segments; the newest one is kept as a file, for a person. */
  get setAside(): number {
    return this.#setAside;
  }

  /** Finds what an earlier run left; where that fails, the next `append` tries it. @throws errors of the file system */
  open(): Promise<void> {
    return this.#inTurn(() => this.#open());
  }

  async #open(): Promise<void> {
    if (this.#opened) return;
    this.#segments = [];
    await mkdir(this.#options.dir, { recursive: true });
    const names = (await readdir(this.#options.dir)).filter((name) => NAME.test(name)).sort();
    const position = await this.#readPosition();
    // A number is never given again: the position would be taken for one in another segment.
    this.#next = Math.max(this.#next, (position?.number ?? 0) + 1);
    for (const name of names) {
      const number = Number(NAME.exec(name)?.[1]);
      this.#next = Math.max(this.#next, number + 1);
      const bytes = await readFile(this.#path(name));
      const { records, lost, damaged } = parseSegment(bytes, sum);
      const done = position?.number === number ? position.records : 0;
      const points = records.slice(done).reduce((total, record) => total + record.points, 0);
      // What is damaged is counted when it is come to: its file is set aside then.
      if (points + lost === 0 && !damaged) await unlink(this.#path(name));
      else this.#segments.push({ number, bytes: bytes.length, points: points + lost });
    }
    this.#opened = true;
    const [first] = this.#segments;
    if (first !== undefined && first.number === position?.number) await this.#read(position.records);
    await this.#makeRoom(0);
  }

  /**
   * Resolves once the disk has it; `counted` is called in the moment in which `points` has it.
   * @throws errors of the file system: then nothing of it is there
   */
  append(record: PointRecord, counted: () => void = () => undefined): Promise<void> {
    return this.#inTurn(async () => {
      await this.#open();
      const bytes = formatRecord(record, sum);
      await this.#makeRoom(bytes.length);
      const { file, segment } = await this.#writable(bytes.length);
      try {
        await writeAll(bytes.length, async (at, length) => {
          const { bytesWritten } = await file.write(bytes, at, length, segment.bytes + at);
          return bytesWritten;
        });
        await file.datasync();
      } catch (error) {
        await file.truncate(segment.bytes).catch(() => undefined);
        await this.#seal();
        throw error;
      }
      segment.bytes += bytes.length;
      segment.points += record.points;
      counted();
    });
  }

  /** The oldest records as one, within the limits; undefined: there is none. @throws errors of the file system */
  first({ points, bytes }: BatchLimits): Promise<PointRecord | undefined> {
    return this.#inTurn(async () => {
      while (this.#reading === undefined || this.#at >= this.#reading.records.length) {
        if (this.#reading !== undefined) await this.#finish(this.#reading);
        else if (this.#segments.length === 0) return undefined;
        else await this.#read(0);
      }
      const { records } = this.#reading;
      const batch: PointRecord[] = [];
      let total = 0;
      let size = 0;
      for (const record of records.slice(this.#at)) {
        total += record.points;
        size += record.payload.length;
        if (batch.length > 0 && (total > points || size > bytes)) break;
        batch.push(record);
      }
      this.#taken = batch.length;
      return {
        points: batch.reduce((all, record) => all + record.points, 0),
        payload: batch.map(({ payload }) => payload).join(''),
      };
    });
  }

  /** What `first` gave is done with; `counted` is called in the moment in which `points` has it no more. */
  advance(counted: () => void = () => undefined): Promise<void> {
    return this.#inTurn(async () => {
      const reading = this.#reading;
      if (reading === undefined) return counted();
      const next = this.#at + this.#taken;
      const done = reading.records.slice(this.#at, next);
      this.#taken = 0;
      if (next >= reading.records.length) return this.#finish(reading, counted);
      await this.#writePosition({ number: reading.segment.number, records: next });
      this.#at = next;
      reading.segment.points -= done.reduce((total, { points }) => total + points, 0);
      counted();
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#seal());
  }

  /** One at a time, and each has its own outcome. */
  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const run = this.#chain.then(step);
    this.#chain = run.catch(() => undefined);
    return run;
  }

  #path(name: string): string {
    return join(this.#options.dir, name);
  }

  async #writable(bytes: number): Promise<{ readonly file: FileHandle; readonly segment: Segment }> {
    const last = this.#segments.at(-1);
    if (this.#writing !== undefined && last !== undefined && last.bytes + bytes <= this.#segmentBytes)
      return { file: this.#writing, segment: last };
    await this.#seal();
    const number = this.#next++;
    const file = await open(this.#path(nameOf(number)), 'wx', 0o600);
    const segment: Segment = { number, bytes: 0, points: 0 };
    this.#segments.push(segment);
    this.#writing = file;
    return { file, segment };
  }

  async #seal(): Promise<void> {
    const file = this.#writing;
    this.#writing = undefined;
    await file?.close();
    const last = this.#segments.at(-1);
    if (last?.bytes !== 0) return;
    this.#segments.pop();
    await unlink(this.#path(nameOf(last.number)));
  }

  /** Reads the first segment; what is written from now on goes into another one. */
  async #read(done: number): Promise<void> {
    if (this.#segments.length === 1) await this.#seal();
    const [segment] = this.#segments;
    if (segment === undefined) return;
    const { records, lost, damaged } = await this.#contentOf(segment);
    const points = records.slice(done).reduce((total, record) => total + record.points, 0);
    // What was counted when it was found or written, and is not there any more, is lost too.
    this.#lost += damaged ? Math.max(lost, segment.points - points) : 0;
    segment.points = points;
    this.#reading = { segment, records, damaged };
    this.#at = done;
  }

  async #contentOf({ number, points }: Segment): Promise<ReturnType<typeof parseSegment>> {
    try {
      return parseSegment(await readFile(this.#path(nameOf(number))), sum);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EIO' && code !== 'ENOENT') throw error;
      // The disk does not give it back later either, and what is behind it must not wait.
      return { records: [], lost: points, damaged: true };
    }
  }

  async #finish(
    { segment, damaged }: { readonly segment: Segment; readonly damaged: boolean },
    counted: () => void = () => undefined,
  ): Promise<void> {
    const path = this.#path(nameOf(segment.number));
    if (damaged) await rename(path, this.#path('damaged')).catch(() => undefined);
    else await unlink(path).catch(() => undefined);
    if (damaged) this.#setAside += 1;
    this.#reading = undefined;
    this.#at = 0;
    this.#segments = this.#segments.filter((each) => each !== segment);
    counted();
  }

  /** Drops the oldest segments but the one whose batch may be under way. */
  async #makeRoom(bytes: number): Promise<void> {
    while (this.bytes + blocksOf(bytes) > this.#options.maxBytes) {
      const open = this.#writing === undefined ? undefined : this.#segments.at(-1);
      const oldest = this.#segments.find((each) => each !== this.#reading?.segment && each !== open);
      if (oldest === undefined) return;
      this.#segments = this.#segments.filter((each) => each !== oldest);
      this.#lost += oldest.points;
      await unlink(this.#path(nameOf(oldest.number))).catch(() => undefined);
    }
  }

  async #readPosition(): Promise<{ readonly number: number; readonly records: number } | undefined> {
    try {
      const text = await readFile(this.#path(POSITION), 'utf8');
      const [, number, records] = /^(\d{1,12}) (\d{1,9})\n$/.exec(text) ?? [];
      return number === undefined ? undefined : { number: Number(number), records: Number(records) };
    } catch {
      // None was written yet. What was sent is sent again, and the database holds it once.
      return undefined;
    }
  }

  async #writePosition({
    number,
    records,
  }: {
    readonly number: number;
    readonly records: number;
  }): Promise<void> {
    const fresh = this.#path(`${POSITION}.new`);
    // A full disk must not hold up what is sent: what it costs is a batch that is sent twice after a crash.
    await writeFile(fresh, `${number} ${records}\n`, { mode: 0o600 })
      .then(() => rename(fresh, this.#path(POSITION)))
      .catch(() => undefined);
  }
}
