import type { Received } from './received.ts';

/** Two bytes that designers choose to begin frames with; others of the first bytes may be content. */
const KNOWN_PAIRS: ReadonlySet<number> = new Set([
  0xaa55, 0x55aa, 0xa55a, 0x5aa5, 0xeb90, 0x90eb, 0xb562, 0x7878, 0x7979, 0xfefe, 0xffff, 0xaaaa, 0x5555,
  0xfefa, 0xfaf5, 0x6474, 0x4040, 0x2424, 0xaa44, 0x55ff, 0xfaaf, 0xdeed, 0xcafe, 0xbeef, 0x7eff, 0x7b7b,
  0x0000, 0xa0a1, 0xd392, 0x1002,
]);
const MOST_CANDIDATES = 8;
const LONGEST_REPEAT = 4;

/** A word that may begin every frame, and where it stands. */
export interface SyncCandidate {
  /** Empty: frames begin with nothing that is the same in all of them. */
  readonly word: Uint8Array;
  /** For every offset the next place of the word that is not in front of it; the length where there is none. */
  readonly next: Int32Array;
}

/** The words with which bursts begin, and those of two bytes that come back most often. */
export function syncCandidates({ bytes, starts }: Received): readonly SyncCandidate[] {
  const words = new Map<string, { word: Uint8Array; count: number }>();
  const add = (at: number, length: number, weight: number): void => {
    if (at + length > bytes.length) return;
    const word = bytes.slice(at, at + length);
    const key = word.join();
    const known = words.get(key);
    words.set(key, { word, count: (known?.count ?? 0) + weight });
  };
  for (const start of starts) {
    add(start, 1, 2);
    const pair = (bytes[start] ?? 0) * 256 + (bytes[start + 1] ?? 0);
    if (KNOWN_PAIRS.has(pair)) add(start, 2, 3);
    const repeat = repeated(bytes, start);
    if (repeat >= LONGEST_REPEAT) add(start, LONGEST_REPEAT, 4);
    // A preamble of one byte, and the byte behind it.
    if (repeat >= 2 && repeat <= LONGEST_REPEAT) add(start, repeat + 1, 4);
  }
  for (let at = 0; at + 1 < bytes.length; at++) {
    const pair = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    if (KNOWN_PAIRS.has(pair)) add(at, 2, 1);
  }
  for (const byte of frequent(bytes)) add(bytes.indexOf(byte), 1, 1);
  const best = [...words.values()].sort((a, b) => b.count - a.count).slice(0, MOST_CANDIDATES);
  return best.map(({ word }) => ({ word, next: nextPlaces(bytes, word) }));
}

/** How often the byte at `start` stands there in a row. */
function repeated(bytes: Uint8Array, start: number): number {
  let length = 1;
  while (length <= LONGEST_REPEAT && bytes[start + length] === bytes[start]) length++;
  return length;
}

/** The two bytes that come most often, zero apart: it is content more often than a mark. */
function frequent(bytes: Uint8Array): readonly number[] {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  return counts
    .map((count, byte) => ({ count, byte }))
    .filter(({ count, byte }) => byte !== 0 && count > 1)
    .sort((a, b) => b.count - a.count)
    .slice(0, 2)
    .map(({ byte }) => byte);
}

function nextPlaces(bytes: Uint8Array, word: Uint8Array): Int32Array {
  const next = new Int32Array(bytes.length + 1).fill(bytes.length);
  for (let at = bytes.length - word.length; at >= 0; at--) {
    next[at] = word.every((byte, index) => bytes[at + index] === byte) ? at : (next[at + 1] ?? bytes.length);
  }
  return next;
}

/** By how much a word can grow before `limit`: bytes that every frame begins with, and that are chosen for it. */
export function growSync(
  bytes: Uint8Array,
  frames: readonly { readonly start: number }[],
  length: number,
  limit: number,
): number {
  let grown = length;
  const [first] = frames;
  if (first === undefined) return length;
  while (grown < Math.min(limit, LONGEST_REPEAT + 1)) {
    const byte = bytes[first.start + grown];
    const before = bytes[first.start + grown - 1] ?? 0;
    if (!frames.every(({ start }) => bytes[start + grown] === byte)) break;
    const isRun = grown > 1 && repeated(bytes, first.start) === grown;
    const chosen =
      (before === byte && grown < LONGEST_REPEAT) ||
      (grown === 1 && KNOWN_PAIRS.has(before * 256 + (byte ?? 0))) ||
      // The mark behind a preamble.
      (isRun && before !== 0);
    if (!chosen) break;
    grown++;
  }
  return grown;
}
