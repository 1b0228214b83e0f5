/** What a whole file must be, as far as its chunks say. */
export interface WholeFile {
  /** In bytes. */
  readonly size?: number;
  readonly crc32?: number;
}

/** How far a file is of which the first chunks are there. */
export interface UploadCheckpoint {
  /** Chunks of the whole file. */
  readonly total: number;
  /** The chunk that is missing next. */
  readonly next: number;
  /** Of the chunk before it. */
  readonly lastSum: number;
  /** What that one said of the whole file. */
  readonly whole?: WholeFile;
}

/** A partial that a file can go on from. */
export interface PartialUpload extends UploadCheckpoint {
  readonly transfer: number;
  readonly bytes: number;
}

/** What is written down beside the bytes of a partial. */
export interface UploadRecord extends UploadCheckpoint {
  readonly bytes: number;
  /** Of all these bytes. */
  readonly crc32: number;
}

/** A partial as it was found on the disk, with a record that can be read. */
export interface FoundPartial {
  readonly device: string;
  readonly transfer: number;
  readonly record: UploadRecord;
  /** Bytes that are really there: at least those of the record, and those of a chunk that was not noted any more. */
  readonly fileBytes: number;
  /** Since its last chunk, in ms. */
  readonly ageMs: number;
}

interface PartialLimits {
  readonly maxFileBytes: number;
  /** Of all partials together, as the disk counts. */
  readonly budgetBytes: number;
  /** What a partial of so many bytes takes of the disk, with its record. */
  readonly diskBytes: (bytes: number) => number;
  readonly maxAgeMs: number;
  readonly maxPartials: number;
  readonly maxPerDevice: number;
}

/** Room for every number that a record holds; the next record takes the place of this one without a rest of it. */
const TEXT_LENGTH = 240;
const SUM_DIGITS = 8;
/** Characters of a record, each a byte. */
export const RECORD_LENGTH = TEXT_LENGTH + 1 + SUM_DIGITS + 1;

/** A record as one line, always of the same length, with a sum that shows where it was written by partial. */
export function recordText({ total, next, bytes, crc32, lastSum, whole = {} }: UploadRecord): string {
  const { size, crc32: file_crc } = whole;
  const json = { version: 1, total, next, bytes, crc32, last_sum: lastSum, size, file_crc };
  const text = JSON.stringify(json).padEnd(TEXT_LENGTH);
  return `${text} ${sumText(text)}\n`;
}

/** What a record says; undefined where it is none, or says what cannot be. */
export function readRecord(line: string): UploadRecord | undefined {
  const text = line.slice(0, TEXT_LENGTH);
  if (line.length !== RECORD_LENGTH || line.slice(TEXT_LENGTH) !== ` ${sumText(text)}\n`) return undefined;
  const said = parse(text);
  const { version, total, next, bytes, crc32, last_sum: lastSum, size, file_crc: fileCrc } = said;
  if (version !== 1 || !isCount(total) || !isCount(next) || !isCount(bytes)) return undefined;
  if (!isCount(crc32) || !isCount(lastSum) || next < 1 || next >= total) return undefined;
  if ((size !== undefined && !isCount(size)) || (fileCrc !== undefined && !isCount(fileCrc)))
    return undefined;
  const whole: WholeFile = {
    ...(size === undefined ? {} : { size }),
    ...(fileCrc === undefined ? {} : { crc32: fileCrc }),
  };
  return { total, next, bytes, crc32, lastSum, whole };
}

/**
 * The partials that are worth going on from: not too old, all there, and within bounds, the youngest first. The bytes
 * themselves are looked at when they go on.
 */
export function choosePartials<Found extends FoundPartial>(
  found: readonly Found[],
  { maxFileBytes, budgetBytes, diskBytes, maxAgeMs, maxPartials, maxPerDevice }: PartialLimits,
): Found[] {
  const chosen: Found[] = [];
  const transfers = new Map<string, Set<number>>();
  let held = 0;
  for (const partial of found.toSorted((a, b) => a.ageMs - b.ageMs)) {
    const { device, transfer, record, fileBytes, ageMs } = partial;
    const others = transfers.get(device) ?? new Set<number>();
    if (chosen.length >= maxPartials || others.size >= maxPerDevice || others.has(transfer)) continue;
    if (ageMs > maxAgeMs || fileBytes < record.bytes || record.bytes > maxFileBytes) continue;
    if ((record.whole?.size ?? record.bytes) < record.bytes || held + diskBytes(record.bytes) > budgetBytes)
      continue;
    held += diskBytes(record.bytes);
    chosen.push(partial);
    transfers.set(device, others.add(transfer));
  }
  return chosen;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    // The caller checks each member.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // No JSON: it says nothing.
    return {};
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const sumText = (text: string): string =>
  chunkSum(new TextEncoder().encode(text)).toString(16).padStart(SUM_DIGITS, '0');

/** FNV-1a, 32 bits: tells chunks, and other short texts, apart. */
export function chunkSum(data: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of data) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum >>> 0;
}
