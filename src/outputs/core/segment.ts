/** Some points as they go in one request, and how many they are. */
export interface PointRecord {
  readonly points: number;
  readonly payload: string;
}

/** What a segment holds; `lost` counts the points of records that are damaged or not whole. */
export interface SegmentContent {
  readonly records: readonly PointRecord[];
  readonly lost: number;
  readonly damaged: boolean;
}

type Sum = (bytes: Uint8Array, before?: number) => number;

/*
 * A segment is a file of records. A record is a line `#points 431 30120 9f8e7d6c` with its points, its bytes and its
 * CRC-32, followed by the lines of its points; so a person can read it, and send it without Heartwire.
 */

const MARK = '#points ';
const HEADER = /^#points (\d{1,9}) (\d{1,9}) ([0-9a-f]{8})$/;
const LONGEST_HEADER = 64;
const LINE_END = 0x0a;

export function formatRecord({ points, payload }: PointRecord, sum: Sum): Uint8Array {
  const bytes = encoder.encode(payload);
  const counts = `${points} ${bytes.length}`;
  const checksum = sumOf(counts, bytes, sum);
  const header = encoder.encode(`${MARK}${counts} ${checksum}\n`);
  const record = new Uint8Array(header.length + bytes.length);
  record.set(header);
  record.set(bytes, header.length);
  return record;
}

/** Reads what a disk kept: a record that is damaged or cut off is counted, and the next whole one is found. */
export function parseSegment(bytes: Uint8Array, sum: Sum): SegmentContent {
  const records: PointRecord[] = [];
  let lost = 0;
  let damaged = false;
  let at = 0;
  while (at < bytes.length) {
    const found = recordAt(bytes, at, sum);
    if (found.record !== undefined) records.push(found.record);
    else {
      damaged = true;
      lost += found.lost;
    }
    at = found.next;
  }
  return { records, lost, damaged };
}

interface Found {
  readonly record?: PointRecord;
  readonly lost: number;
  readonly next: number;
}

function recordAt(bytes: Uint8Array, at: number, sum: Sum): Found {
  const end = bytes.subarray(at, at + LONGEST_HEADER).indexOf(LINE_END);
  const header = end < 0 ? undefined : HEADER.exec(decoder.decode(bytes.subarray(at, at + end)));
  if (header == null) {
    const next = nextRecord(bytes, at + 1);
    return { lost: linesIn(bytes.subarray(at, next)), next };
  }
  const [, points = '', length = '', checksum] = header;
  const from = at + end + 1;
  const to = from + Number(length);
  const payload = bytes.subarray(from, to);
  const isWhole = to <= bytes.length && sumOf(`${points} ${length}`, payload, sum) === checksum;
  if (isWhole)
    return { record: { points: Number(points), payload: decoder.decode(payload) }, lost: 0, next: to };
  // The length may be what is damaged.
  const next = nextRecord(bytes, from);
  return {
    lost: next === to || next === bytes.length ? Number(points) : linesIn(bytes.subarray(from, next)),
    next,
  };
}

/** Where the next header begins; at the end where there is none. */
function nextRecord(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; ) {
    const isLineStart = at === 0 || bytes[at - 1] === LINE_END;
    if (isLineStart && decoder.decode(bytes.subarray(at, at + MARK.length)) === MARK) return at;
    const end = bytes.indexOf(LINE_END, at);
    if (end < 0) return bytes.length;
    at = end + 1;
  }
  return bytes.length;
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === LINE_END) lines += 1;
  return lines;
}

const sumOf = (counts: string, payload: Uint8Array, sum: Sum): string =>
  sum(payload, sum(encoder.encode(counts)))
    .toString(16)
    .padStart(8, '0');

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
