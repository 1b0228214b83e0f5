import type { SingleFraming } from '../protocol/index.ts';
import { type Cut, type FoundChecksum, type Frame, total } from './cut.ts';
import { isTextByte, nextStarts, type Received } from './received.ts';

const CR = 0x0d;
const LF = 0x0a;
const BEL = 0x07;
/** A share of bytes that are text, from which on lines are looked for: some are damaged, some are of another kind. */
const LEAST_TEXT = 0.6;
/** That text has lines shows itself; one more line shows no more of it. */
const LINE_BITS = 24;
const BITS_PER_LINE = 5;
/** What shells send when they are ready. */
const PROMPTS: ReadonlySet<number> = new Set([0x3e, 0x24, 0x23, 0x3a]);

interface Line {
  readonly start: number;
  /** Where its end begins, and what is behind it. */
  readonly mark: number;
  readonly end: number;
}

/** Lines of text, and lines that begin with a mark of their own. */
export function cutsByLines(received: Received): readonly Cut[] {
  const { bytes } = received;
  const text = bytes.reduce((sum, byte) => sum + (isTextByte(byte) ? 1 : 0), 0);
  if (bytes.length === 0) return [];
  const prompt = promptOf(received);
  const { lines, ends } = linesOf(bytes, prompt);
  const cuts: Cut[] = [];
  if (text >= bytes.length * LEAST_TEXT && lines.length > 1)
    cuts.push(lineCut(received, lines, ends, prompt));
  for (const mark of beginnings(bytes, lines)) cuts.push(sentenceCut(received, mark));
  const block = cutByBlocks(received);
  return block === undefined ? cuts : [...cuts, block];
}

/** Lines as every usual end divides them, and the ends that were found, those that end most lines first. */
function linesOf(
  bytes: Uint8Array,
  prompt: number | undefined,
): { readonly lines: readonly Line[]; readonly ends: readonly string[] } {
  const lines: Line[] = [];
  const counts = new Map<string, number>();
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== CR && byte !== LF && byte !== BEL) continue;
    const width = byte === CR && bytes[at + 1] === LF ? 2 : 1;
    const name = width === 2 ? '\r\n' : byte === CR ? '\r' : byte === LF ? '\n' : '\x07';
    counts.set(name, (counts.get(name) ?? 0) + 1);
    while (prompt !== undefined && bytes[start] === prompt && start < at) start++;
    if (at > start) lines.push({ start, mark: at, end: at + width });
    at += width - 1;
    start = at + 1;
  }
  return { lines, ends: [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name) };
}

/** A byte that stands alone behind the last line of more than one burst. */
function promptOf({ bytes, starts }: Received): number | undefined {
  const last = [...starts.slice(1), bytes.length].map((end) => ({
    byte: bytes[end - 1] ?? 0,
    before: bytes[end - 2],
  }));
  const prompts = last.filter(({ byte, before }) => PROMPTS.has(byte) && (before === CR || before === LF));
  const [first] = prompts;
  const agree = prompts.filter(({ byte }) => byte === first?.byte).length;
  return agree > 1 && agree * 2 > last.length ? first?.byte : undefined;
}

function lineCut(
  received: Received,
  lines: readonly Line[],
  ends: readonly string[],
  prompt: number | undefined,
): Cut {
  const { bytes } = received;
  const frames = lines.map(({ start, mark, end }) => ({ start, end, content: bytes.subarray(start, mark) }));
  const shown = ends.map((end) => JSON.stringify(end).slice(1, -1));
  const make = (found?: FoundChecksum): SingleFraming => ({
    type: 'delimiter',
    delimiter: ends.length === 1 ? bytesOf(ends[0] ?? '') : ends.map(bytesOf),
    ...(prompt === undefined ? {} : { prompt: Uint8Array.of(prompt) }),
    ...textChecksum(found, false),
  });
  return {
    framing: make(),
    frames,
    // The ends of empty lines belong to lines as well, and so do prompts.
    explained: total(frames) + emptyEnds(bytes, lines, prompt),
    proof: LINE_BITS,
    evidence: [
      `${frames.length} lines of text end with ${shown.join(' or ')}`,
      ...(prompt === undefined ? [] : [`${String.fromCharCode(prompt)} stands alone behind them: a prompt`]),
    ],
    cost: 1 + ends.length / 4,
    place: { encoding: 'hex', from: [0], trailers: false },
    seal: make,
  };
}

function emptyEnds(bytes: Uint8Array, lines: readonly Line[], prompt: number | undefined): number {
  let count = 0;
  let at = 0;
  const until = (end: number): void => {
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === CR || byte === LF || byte === BEL || (prompt !== undefined && byte === prompt)) count++;
    }
  };
  for (const { start, end } of lines) {
    until(start);
    at = end;
  }
  until(bytes.length);
  return count;
}

/** Bytes that are no letters and begin more than one line: `$`, `:`, `!`. */
function beginnings(bytes: Uint8Array, lines: readonly Line[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const { start } of lines) {
    const byte = bytes[start] ?? 0;
    const word =
      (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
    if (byte > 0x20 && byte < 0x7f && !word && byte !== 0x2b && byte !== 0x2d && byte !== 0x22)
      counts.set(byte, (counts.get(byte) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([byte]) => byte);
}

/** From the mark to the end of its line, wherever it stands. */
function sentenceCut(received: Received, open: number): Cut {
  const { bytes } = received;
  const frames: Frame[] = [];
  const ends = new Set<string>();
  let confirmed = 0;
  const starts = nextStarts(received);
  for (let start = bytes.indexOf(open); start >= 0; ) {
    let mark = start + 1;
    while (mark < bytes.length && bytes[mark] !== CR && bytes[mark] !== LF && bytes[mark] !== open) {
      if (!isTextByte(bytes[mark] ?? 0)) break;
      mark++;
    }
    const ended = bytes[mark] === CR || bytes[mark] === LF;
    const width = bytes[mark] === CR && bytes[mark + 1] === LF ? 2 : 1;
    if (ended && mark > start + 1) {
      const end = mark + width;
      ends.add(width === 2 ? '\r\n' : bytes[mark] === CR ? '\r' : '\n');
      frames.push({ start, end, content: bytes.subarray(start, mark) });
      if (end === bytes.length || starts[end] === end || bytes[end] === open) confirmed++;
    }
    start = bytes.indexOf(open, ended ? mark : Math.max(mark, start + 1));
  }
  const delimiters = [...ends];
  const make = (found?: FoundChecksum): SingleFraming => ({
    type: 'delimiter',
    start: Uint8Array.of(open),
    delimiter: delimiters.length === 1 ? bytesOf(delimiters[0] ?? '') : delimiters.map(bytesOf),
    ...textChecksum(found, true),
  });
  const shown = delimiters.map((end) => JSON.stringify(end).slice(1, -1));
  return {
    framing: make(),
    frames,
    explained: total(frames),
    proof: confirmed * BITS_PER_LINE,
    evidence: [
      `${frames.length} lines begin with ${String.fromCharCode(open)} and end with ${shown.join(' or ')}`,
    ],
    cost: 1.1,
    place: { encoding: 'hex', from: [1, 0], trailers: false },
    seal: make,
  };
}

/** Several lines between two marks, and digits of a checksum behind the second: a telegram of a meter. */
function cutByBlocks(received: Received): Cut | undefined {
  const { bytes, starts } = received;
  const open = bytes[starts[0] ?? 0] ?? 0;
  const frames: Frame[] = [];
  let close: number | undefined;
  let digits = 0;
  let confirmed = 0;
  const next = nextStarts(received);
  for (let start = bytes.indexOf(open); start >= 0; ) {
    const found = blockEnd(bytes, start, close);
    if (found === undefined) break;
    if (frames.length > 0 && found.digits !== digits) return undefined;
    close = found.close;
    digits = found.digits;
    const end = found.at + 1 + found.digits + 2;
    frames.push({ start, end, content: bytes.subarray(start, end - 2) });
    if (end === bytes.length || next[end] === end || bytes[end] === open) confirmed++;
    start = bytes.indexOf(open, end);
  }
  if (close === undefined || frames.length < 2) return undefined;
  const delimiter = close;
  const make = (sum?: FoundChecksum): SingleFraming => ({
    type: 'delimiter',
    start: Uint8Array.of(open),
    delimiter: Uint8Array.of(delimiter),
    ...(sum === undefined
      ? {}
      : {
          checksum: {
            algorithm: sum.algorithm,
            encoding: 'hex',
            place: 'behind',
            includes: [...(sum.from === 0 ? ['start'] : []), 'delimiter'],
            ...(sum.bits > 8 ? { order: sum.order } : {}),
          },
          trailer: Uint8Array.of(CR, LF),
        }),
  });
  return {
    framing: make(),
    frames,
    explained: total(frames),
    proof: confirmed * BITS_PER_LINE,
    evidence: [
      `${frames.length} blocks of lines begin with ${String.fromCharCode(open)} and end with ${String.fromCharCode(delimiter)} and ${digits} hexadecimal digits`,
    ],
    cost: 2,
    place: { encoding: 'hex', from: [0, 1], trailers: false },
    seal: make,
  };
}

/** Where a line of one mark and 2, 4 or 8 hexadecimal digits ends a block. */
function blockEnd(
  bytes: Uint8Array,
  start: number,
  close: number | undefined,
): { readonly at: number; readonly close: number; readonly digits: number } | undefined {
  for (let at = bytes.indexOf(LF, start); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const mark = bytes[at + 1] ?? 0;
    if (mark <= 0x20 || isDigit(mark) || (close !== undefined && mark !== close)) continue;
    let digits = 0;
    while (digits < 9 && isDigit(bytes[at + 2 + digits] ?? 0)) digits++;
    const ends = bytes[at + 2 + digits] === CR && bytes[at + 3 + digits] === LF;
    if (ends && (digits === 2 || digits === 4 || digits === 8)) return { at: at + 1, close: mark, digits };
  }
  return undefined;
}

const isDigit = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);

function textChecksum(found: FoundChecksum | undefined, begins: boolean) {
  if (found === undefined) return {};
  const { algorithm, bits, order, separator, from } = found;
  return {
    checksum: {
      algorithm,
      encoding: 'hex' as const,
      ...(bits > 8 ? { order } : {}),
      ...(separator.length === 0 ? {} : { separator }),
      ...(begins && from === 0 ? { includes: ['start'] } : {}),
    },
  };
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
