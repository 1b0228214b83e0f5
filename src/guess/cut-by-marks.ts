import type { SingleFraming } from '../protocol/index.ts';
import { type Cut, checksumKeys, type FoundChecksum, type Frame, total } from './cut.ts';
import { nextStarts, type Received } from './received.ts';

/** How a mark is sent that belongs to the content. */
interface Escape {
  readonly name: string;
  readonly byte: number;
  /** The content that a byte behind the escape stands for; -1 where none can stand there. */
  readonly meaning: (byte: number) => number;
  /** As `messages.yaml` says it; absent: `slip` says it all. */
  readonly keys?: { readonly byte: number; readonly xor?: number } | undefined;
}

const SLIP: Escape = {
  name: 'SLIP escapes (db dc, db dd)',
  byte: 0xdb,
  meaning: (byte) => (byte === 0xdc ? 0xc0 : byte === 0xdd ? 0xdb : -1),
};
const HDLC: Escape = {
  name: 'HDLC escapes (7d, xor 20)',
  byte: 0x7d,
  // Flags, escapes and control characters are escaped, and nothing else.
  meaning: (byte) => ((byte ^ 0x20) < 0x20 || byte === 0x5d || byte === 0x5e ? byte ^ 0x20 : -1),
  keys: { byte: 0x7d, xor: 0x20 },
};
/** JT/T 808: 7e as 7d 02, 7d as 7d 01. */
const JTT: Escape = {
  name: 'JT/T 808 escapes (7d 01, 7d 02)',
  byte: 0x7d,
  meaning: (byte) => (byte === 0x01 ? 0x7d : byte === 0x02 ? 0x7e : -1),
  keys: { byte: 0x7d, xor: 0x7c },
};

interface Marks {
  readonly open: number | undefined;
  readonly close: number;
  readonly escaping: Escape | undefined;
  /** Bytes behind the closing mark that belong to the frame. */
  readonly behind?: number;
  readonly name: string;
  readonly cost: number;
}

const FLAGGED: readonly Marks[] = [
  { open: 0x7e, close: 0x7e, escaping: HDLC, name: 'flags 7e', cost: 2 },
  { open: 0x7e, close: 0x7e, escaping: JTT, name: 'flags 7e', cost: 2 },
  { open: 0x7e, close: 0x7e, escaping: undefined, name: 'flags 7e', cost: 3 },
  { open: undefined, close: 0xc0, escaping: SLIP, name: 'SLIP: c0 ends each frame', cost: 2 },
  { open: 0x02, close: 0x03, escaping: undefined, name: 'STX and ETX', cost: 2 },
  {
    open: 0x02,
    close: 0x03,
    escaping: undefined,
    behind: 1,
    name: 'STX and ETX, and a byte behind',
    cost: 3,
  },
  {
    open: 0x02,
    close: 0x03,
    escaping: undefined,
    behind: 2,
    name: 'STX and ETX, and two bytes behind',
    cost: 3,
  },
];

/** What a frame shows that ends where a burst does, or where another one begins. */
const BITS_PER_FRAME = 5;

/** Every way to cut the bytes by marks around frames. */
export function cutsByMarks(received: Received): readonly Cut[] {
  const { bytes } = received;
  const cuts: Cut[] = [];
  for (const marks of FLAGGED) {
    // The byte that bursts end with is what matters: content has all of them.
    if (!bytes.includes(marks.close)) continue;
    const cut = marked(received, marks);
    if (cut !== undefined) cuts.push(cut);
  }
  const cobs = cutByCobs(received);
  return cobs === undefined ? cuts : [...cuts, cobs];
}

function marked(received: Received, marks: Marks): Cut | undefined {
  const { bytes } = received;
  const { open, close, escaping, behind = 0 } = marks;
  const frames: Frame[] = [];
  const starts = nextStarts(received);
  let escapes = 0;
  let confirmed = 0;
  let from = 0;
  while (from < bytes.length) {
    const start = open === undefined ? from : bytes.indexOf(open, from);
    if (start < 0) break;
    const inner = open === undefined ? start : start + 1;
    const mark = bytes.indexOf(close, inner);
    if (mark < 0) break;
    const end = mark + 1 + behind;
    if (end > bytes.length) break;
    if (mark === inner) {
      from = open === undefined ? inner + 1 : inner;
      continue;
    }
    const content = unescaped(bytes, inner, mark, escaping);
    // One flag may end a frame and begin the next.
    const shared = open === close && content === undefined;
    if (content === undefined) {
      from = shared ? mark : mark + 1;
      continue;
    }
    escapes += mark - inner - content.length;
    frames.push({
      start,
      end,
      content: behind === 0 ? content : joined(content, bytes.subarray(mark + 1, end)),
    });
    if (end === bytes.length || starts[end] === end || bytes[end] === open) confirmed++;
    from = end;
  }
  if (frames.length < 2) return undefined;
  const evidence = [`${marks.name}, around each of ${frames.length} frames`];
  if (escapes > 0 && escaping !== undefined) evidence.push(`${escapes} bytes are escaped: ${escaping.name}`);
  const make = (found?: FoundChecksum): SingleFraming => framingOf(marks, found);
  return {
    framing: make(),
    frames,
    explained: total(frames),
    proof: confirmed * BITS_PER_FRAME,
    evidence,
    // An escape that is never used is claimed only as what usually goes with the flag.
    cost: marks.cost + (escapes > 0 ? -1 : 0),
    place: { encoding: 'binary', from: [0], trailers: false },
    seal: make,
  };
}

function framingOf(
  { open, close, escaping, behind }: Marks,
  found: FoundChecksum | undefined,
): SingleFraming {
  const checksum =
    found === undefined
      ? {}
      : {
          checksum: {
            ...checksumKeys(found),
            ...(behind === undefined ? {} : { place: 'behind' as const, includes: ['delimiter'] }),
          },
        };
  if (escaping === SLIP) return { type: 'slip', ...checksum };
  return {
    type: 'delimiter',
    ...(open === undefined ? {} : { start: Uint8Array.of(open) }),
    delimiter: Uint8Array.of(close),
    ...(escaping?.keys === undefined ? {} : { escape: escaping.keys }),
    ...checksum,
  };
}

/** The content between two marks; undefined where it breaks the rule of its escapes. */
function unescaped(
  bytes: Uint8Array,
  start: number,
  end: number,
  escaping: Escape | undefined,
): Uint8Array | undefined {
  if (escaping === undefined) return bytes.subarray(start, end);
  const content = new Uint8Array(end - start);
  let to = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const meant = byte === escaping.byte ? (++at < end ? escaping.meaning(bytes[at] ?? 0) : -1) : byte;
    if (meant < 0) return undefined;
    content[to++] = meant;
  }
  return content.subarray(0, to);
}

function joined(front: Uint8Array, back: Uint8Array): Uint8Array {
  const both = new Uint8Array(front.length + back.length);
  both.set(front);
  both.set(back, front.length);
  return both;
}

/** COBS: zeros only between frames, and each code byte leads to the next one. */
function cutByCobs(received: Received): Cut | undefined {
  const { bytes } = received;
  const frames: Frame[] = [];
  const starts = nextStarts(received);
  let confirmed = 0;
  let wrong = 0;
  let from = 0;
  for (;;) {
    const end = bytes.indexOf(0, from);
    if (end < 0) break;
    if (end > from) {
      const content = uncobbed(bytes, from, end);
      if (content === undefined) wrong++;
      else {
        frames.push({ start: from, end: end + 1, content });
        if (end + 1 === bytes.length || starts[end + 1] === end + 1) confirmed++;
      }
    }
    from = end + 1;
  }
  // Its code bytes are a proof of their own: content that is none breaks them soon.
  if (frames.length < 2 || wrong * 4 > frames.length || frames.every(({ content }) => content.length < 3))
    return undefined;
  const make = (found?: FoundChecksum): SingleFraming => ({
    type: 'cobs',
    ...(found === undefined ? {} : { checksum: checksumKeys(found) }),
  });
  return {
    framing: make(),
    frames,
    explained: total(frames),
    proof: confirmed * BITS_PER_FRAME,
    evidence: [
      `00 ends each of ${frames.length} frames, and the code bytes of COBS lead from end to end in them`,
    ],
    cost: 3,
    place: { encoding: 'binary', from: [0], trailers: false },
    seal: make,
  };
}

function uncobbed(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const content = new Uint8Array(end - start);
  let to = 0;
  for (let at = start; at < end; ) {
    const code = bytes[at] ?? 0;
    if (code === 0 || at + code > end) return undefined;
    content.set(bytes.subarray(at + 1, at + code), to);
    to += code - 1;
    at += code;
    if (code < 255 && at < end) content[to++] = 0;
  }
  return content.subarray(0, to);
}
