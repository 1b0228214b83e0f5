import type { SingleFraming } from '../protocol/index.ts';
import { type Cut, type FoundChecksum, type Frame, total } from './cut.ts';
import { nextStarts, type Received } from './received.ts';
import { growSync, type SyncCandidate, syncCandidates } from './sync-candidates.ts';

/** Lengths that are tried, the simplest first. */
const TYPES = [
  { name: 'u8', width: 1, little: false },
  { name: 'u16be', width: 2, little: false },
  { name: 'u16le', width: 2, little: true },
  { name: 'u32be', width: 4, little: false },
  { name: 'u32le', width: 4, little: true },
] as const;
type LengthType = (typeof TYPES)[number];

/** Where a length may stand, in bytes from the front of a frame. */
const MOST_AT = 15;
const LONGEST_FRAME = 4_096;
/** What a length may leave out, or count twice. */
const LEAST_REST = -4;
const MOST_REST = 48;
/** Places of a sync word that are compared with those behind them, and how many of these. */
const MOST_VOTERS = 96;
const REACH = 4;
/** Behind a silence a frame begins more often than elsewhere. */
const START_VOTES = 4;
const MOST_RESTS = 3;
/** Fixed sizes that are tried for each sync word. */
const MOST_SIZES = 4;
const LEAST_SIZE = 3;

interface Walk {
  readonly frames: readonly Frame[];
  /** What shows the frames, in bits: behind each stands what is rare. */
  readonly proof: number;
  /** Places where a frame would have begun, and is none. */
  readonly failed: number;
  readonly lengths: ReadonlySet<number>;
}

/** Bits by which a place that is no frame speaks against a framing. */
const FAILURE_BITS = 4;

/** Every way to cut the bytes by a length in the frame, or into frames of one size, that explains some of them. */
export function cutsByLength(received: Received): readonly Cut[] {
  const { bytes } = received;
  const starts = nextStarts(received);
  const none: SyncCandidate = { word: new Uint8Array(0), next: starts };
  const cuts: Cut[] = [];
  for (const sync of [...syncCandidates(received), none]) {
    for (let at = sync.word.length; at <= MOST_AT; at++) {
      for (const type of TYPES) {
        for (const rest of restsOf(bytes, sync, starts, at, type)) {
          const totalOf = (start: number): number =>
            start + at + type.width > bytes.length ? -1 : lengthAt(bytes, start + at, type) + rest;
          const walked = walk(bytes, sync, starts, totalOf, at + type.width);
          if (walked.lengths.size > 1 && isPlausible(walked))
            cuts.push(lengthCut(received, sync, at, type, rest, walked));
        }
      }
    }
    for (const size of sizesOf(bytes, sync, starts)) {
      const walked = walk(bytes, sync, starts, () => size, LEAST_SIZE);
      if (isPlausible(walked)) cuts.push(fixedCut(received, sync, size, walked));
    }
  }
  return cuts;
}

/** Frames that are cut out of any bytes begin at few of the places where they could. */
const isPlausible = ({ frames, failed }: Walk): boolean => frames.length > 1 && failed <= frames.length;

/** Goes from frame to frame; what is none is passed over up to the next place where one can begin. */
function walk(
  bytes: Uint8Array,
  { word, next }: SyncCandidate,
  starts: Int32Array,
  totalOf: (start: number) => number,
  least: number,
): Walk {
  const frames: Frame[] = [];
  const lengths = new Set<number>();
  const wordBits = Math.log2(bytes.length / Math.max(1, places(next)));
  const startBits = Math.log2(bytes.length / Math.max(1, places(starts)));
  let proof = 0;
  let failed = 0;
  let at = next[0] ?? bytes.length;
  while (at < bytes.length) {
    const size = totalOf(at);
    const end = at + size;
    const fits = size > least && size <= LONGEST_FRAME && end <= bytes.length;
    const followed = fits && (end === bytes.length || starts[end] === end || next[end] === end);
    // A known word of two bytes is enough where bytes of another kind follow.
    if (!fits || (!followed && word.length < 2)) {
      failed++;
      at = next[at + 1] ?? bytes.length;
      continue;
    }
    frames.push({ start: at, end, content: bytes.subarray(at, end) });
    lengths.add(size);
    if (end === bytes.length || starts[end] === end) proof += startBits;
    else if (followed) proof += wordBits;
    at = next[end] === end || word.length > 0 || starts[end] === end ? (next[end] ?? bytes.length) : end;
  }
  return { frames, proof: proof - failed * FAILURE_BITS, failed, lengths };
}

/** How many places a table of next places has. */
function places(next: Int32Array): number {
  let count = 0;
  for (let at = 0; at < next.length - 1; at++) if (next[at] === at) count++;
  return count;
}

function lengthAt(bytes: Uint8Array, at: number, { width, little }: LengthType): number {
  let value = 0;
  for (let index = 0; index < width; index++)
    value = value * 256 + (bytes[at + (little ? width - 1 - index : index)] ?? 0);
  return value;
}

/** What has to be added to a length here to reach the end of a frame: the numbers on which most places agree. */
function restsOf(
  bytes: Uint8Array,
  sync: SyncCandidate,
  starts: Int32Array,
  at: number,
  type: LengthType,
): readonly number[] {
  const votes = new Map<number, Set<number>>();
  const counts = new Map<number, number>();
  let start = sync.next[0] ?? bytes.length;
  for (let voter = 0; voter < MOST_VOTERS && start < bytes.length; voter++) {
    const value = start + at + type.width > bytes.length ? -1 : lengthAt(bytes, start + at, type);
    if (value >= 0 && value <= LONGEST_FRAME) {
      for (const end of endsFrom(bytes, sync, starts, start)) {
        const rest = end - start - value;
        if (rest < LEAST_REST || rest > MOST_REST) continue;
        const values = votes.get(rest) ?? new Set();
        votes.set(rest, values.add(value));
        counts.set(rest, (counts.get(rest) ?? 0) + (starts[start] === start ? START_VOTES : 1));
      }
    }
    start = sync.next[start + 1] ?? bytes.length;
  }
  return [...votes]
    .filter(([, values]) => values.size > 1)
    .sort(([a, one], [b, other]) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || other.size - one.size)
    .slice(0, MOST_RESTS)
    .map(([rest]) => rest);
}

/** Where a frame that begins here may end: at the next words, at the next burst, at the end of the bytes. */
function endsFrom(
  bytes: Uint8Array,
  { word, next }: SyncCandidate,
  starts: Int32Array,
  start: number,
): ReadonlySet<number> {
  const ends = new Set<number>([starts[start + 1] ?? bytes.length]);
  if (word.length === 0) return ends;
  let end = start;
  for (let step = 0; step < REACH && end < bytes.length; step++) {
    end = next[end + 1] ?? bytes.length;
    ends.add(end);
  }
  return ends;
}

/** Distances from word to word, and lengths of bursts, that come most often. */
function sizesOf(bytes: Uint8Array, sync: SyncCandidate, starts: Int32Array): readonly number[] {
  const counts = new Map<number, number>();
  let start = sync.next[0] ?? bytes.length;
  for (let voter = 0; voter < MOST_VOTERS && start < bytes.length; voter++) {
    for (const end of endsFrom(bytes, sync, starts, start)) {
      const size = end - start;
      if (size >= LEAST_SIZE && size <= LONGEST_FRAME) counts.set(size, (counts.get(size) ?? 0) + 1);
    }
    start = sync.next[start + 1] ?? bytes.length;
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .sort(([a, one], [b, other]) => other - one || a - b)
    .slice(0, MOST_SIZES)
    .map(([size]) => size);
}

/** Coverage begins at the front, behind the word, behind the length, or at any other of the first bytes. */
const FROM = (...likely: readonly number[]): readonly number[] => [
  ...new Set([...likely, ...Array.from({ length: 13 }, (_, index) => index)]),
];

function lengthCut(
  { bytes }: Received,
  { word }: SyncCandidate,
  at: number,
  type: LengthType,
  rest: number,
  { frames, proof, lengths }: Walk,
): Cut {
  const width = word.length === 0 ? 0 : growSync(bytes, frames, word.length, at);
  const sync = bytes.slice(frames[0]?.start ?? 0, (frames[0]?.start ?? 0) + width);
  const counted = rest - at - type.width;
  const make = (found?: FoundChecksum): SingleFraming => {
    const tail = found?.tailBytes ?? 0;
    const { preamble, mark } = withoutPreamble(sync, found);
    const moved = sync.length - mark.length;
    const keys = {
      length: type.name,
      at: at - moved,
      ...(counted === tail ? {} : { adjust: counted - tail }),
      ...checksumKeys(found, mark.length, moved),
    } as const;
    if (mark.length === 0) return { type: 'length', ...keys };
    return { type: 'sync', sync: mark, ...(preamble.length === 0 ? {} : { preamble }), ...keys };
  };
  return {
    framing: make(),
    frames,
    explained: total(frames),
    proof,
    evidence: [
      `the ${type.name} at byte ${at}${rest === 0 ? '' : ` plus ${rest}`} is the length of each of ${frames.length} frames, which have ${lengths.size} different lengths`,
    ],
    // A wider length in its own place is the likelier one where both fit: its upper bytes are zero anyway.
    cost:
      3 +
      at / 4 +
      (at % type.width === 0 ? -type.width / 8 : 2) +
      (word.length === 0 ? 2 : 0) +
      (isZero(word) ? 3 : 0) +
      Math.abs(rest) / 32,
    place: { encoding: 'binary', from: FROM(0, width, at + type.width), trailers: true },
    seal: make,
  };
}

/** Few zeros in front are a number more often than a mark. */
const isZero = (word: Uint8Array): boolean =>
  word.length > 0 && word.length < 4 && word.every((byte) => byte === 0);

function fixedCut({ bytes }: Received, { word }: SyncCandidate, size: number, { frames, proof }: Walk): Cut {
  const width = word.length === 0 ? 0 : growSync(bytes, frames, word.length, size - 2);
  const sync = bytes.slice(frames[0]?.start ?? 0, (frames[0]?.start ?? 0) + width);
  const make = (found?: FoundChecksum): SingleFraming => {
    const { preamble, mark } = withoutPreamble(sync, found);
    const moved = sync.length - mark.length;
    return {
      type: 'fixed',
      length: size - moved,
      ...(mark.length === 0 ? {} : { sync: mark }),
      ...(preamble.length === 0 ? {} : { preamble }),
      ...checksumKeys(found, mark.length, moved),
    };
  };
  return {
    framing: make(),
    frames,
    explained: total(frames),
    proof,
    evidence: [`each of ${frames.length} frames has ${size} bytes`],
    cost: 2 + (word.length === 0 ? 2 : 0) + (isZero(word) ? 3 : 0),
    place: { encoding: 'binary', from: FROM(0, width), trailers: true },
    seal: make,
  };
}

/** Bytes of one value in front of a word that a checksum does not cover are a preamble. */
function withoutPreamble(
  sync: Uint8Array,
  found: FoundChecksum | undefined,
): { readonly preamble: Uint8Array; readonly mark: Uint8Array } {
  let same = 1;
  while (same < sync.length && sync[same] === sync[0]) same++;
  const isPreamble = same >= 2 && same < sync.length && found?.from === same;
  return isPreamble
    ? { preamble: sync.subarray(0, same), mark: sync.subarray(same) }
    : { preamble: sync.subarray(0, 0), mark: sync };
}

function checksumKeys(found: FoundChecksum | undefined, preset: number, moved: number) {
  if (found === undefined) return {};
  const { algorithm, bits, order, separator, trailer } = found;
  const from = found.from - moved;
  return {
    checksum: {
      algorithm,
      ...(bits > 8 ? { order } : {}),
      ...(separator.length === 0 ? {} : { separator }),
      ...(from === preset ? {} : { covers: [{ from }] }),
    },
    ...(trailer.length === 0 ? {} : { trailer }),
  };
}
