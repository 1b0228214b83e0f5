/** Bytes of one direction, as they were received. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** A silence stands in front of it, or bytes of the other direction, or the link was opened. */
  readonly begins: boolean;
}

/** What is looked at: the bytes of one direction, one behind the other, and where silences stand. */
export interface Received {
  readonly bytes: Uint8Array;
  /** Where bursts begin, ascending; the first is 0. */
  readonly starts: readonly number[];
  /** Bytes that were received and are not looked at. */
  readonly ignored: number;
}

/** So many bytes are looked at. A protocol shows in less, and every search is bounded by it. */
export const MOST_BYTES = 16_384;

/** Joins chunks; what is beyond the bound is left out, from the last burst that fits on. */
export function receive(chunks: readonly Chunk[], most = MOST_BYTES): Received {
  const total = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const joined = new Uint8Array(Math.min(total, most));
  const starts: number[] = [];
  let at = 0;
  for (const { bytes, begins } of chunks) {
    if (at === joined.length) break;
    if (bytes.length === 0) continue;
    if (begins || at === 0) starts.push(at);
    const taken = bytes.subarray(0, joined.length - at);
    joined.set(taken, at);
    at += taken.length;
  }
  return { bytes: joined, starts, ignored: total - joined.length };
}

/** The end of the burst that begins at `starts[index]`. */
export const burstEnd = ({ bytes, starts }: Received, index: number): number =>
  starts[index + 1] ?? bytes.length;

/** For every offset the next burst start that is not in front of it; the length where there is none. */
export function nextStarts({ bytes, starts }: Received): Int32Array {
  const next = new Int32Array(bytes.length + 1).fill(bytes.length);
  let from = 0;
  for (const start of starts) {
    next.fill(start, from, start + 1);
    from = start + 1;
  }
  return next;
}

/** Whether this is a byte of plain text: printable ASCII, a tab, or the end of a line. */
export const isTextByte = (byte: number): boolean =>
  (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
