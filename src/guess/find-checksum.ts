import {
  CHECKSUM_NAMES,
  type Checksum,
  checksumOf,
  findChecksum,
  wideChecksumOf,
} from '../protocol/index.ts';
import type { Cut, FoundChecksum } from './cut.ts';

/** Bytes of content that all hypotheses together may run over. */
const WORK = 6_000_000;
/** Frames with different contents on which a hypothesis is tried before it is tried on all. */
const SAMPLES = 4;
/** Bits that must be left when those of the choice are taken off. */
const LEAST_PROOF = 6;
const MOST_TRAILER = 2;
const MOST_ALTERNATIVES = 4;

/** Bits that the choice of an algorithm costs: those that many devices have cost few. */
const COMMON: Readonly<Record<string, number>> = {
  'sum-8': 1,
  'xor-8': 1,
  'crc-16/modbus': 1,
  'crc-32/iso-hdlc': 1,
  'sum-8-twos': 2,
  'sum-16': 2,
  'sum-16-twos': 2,
  'crc-8/smbus': 2,
  'crc-8/maxim-dow': 2,
  'crc-16/ibm-3740': 2,
  'crc-16/xmodem': 2,
  'crc-16/ibm-sdlc': 2,
  'crc-16/kermit': 2,
  'crc-16/arc': 2,
  'fletcher-8-ubx': 2,
  'sum-8-ones': 4,
  'fletcher-16': 3,
  'crc-32/iscsi': 3,
  'crc-24/lte-a': 3,
};
const RARE = 7;
/** Zeros in front of a value that has room for more. */
const ZEROS = new Uint8Array(2);

interface Hypothesis {
  readonly algorithm: string;
  readonly checksum: NonNullable<ReturnType<typeof findChecksum>>;
  readonly order: 'big' | 'little';
  readonly from: number;
  readonly separator: Uint8Array;
  readonly trailer: Uint8Array;
  readonly bytes: number;
  /** Bytes of separator, checksum and trailer. */
  readonly tail: number;
  readonly cost: number;
}

/** The checksum of the contents of these frames that is proven best; undefined where none is. */
export function findFrameChecksum({ frames, place }: Cut): FoundChecksum | undefined {
  if (place === undefined || frames.length === 0) return undefined;
  const contents = frames.map(({ content }) => content);
  const distinct = unique(contents).sort((a, b) => a.length - b.length);
  const sample = distinct.filter(({ length }) => length > 2).slice(0, SAMPLES);
  if (sample.length === 0) return undefined;
  const hex = place.encoding === 'hex';
  let work = WORK;
  let best: (Hypothesis & { proof: number; right: boolean[] }) | undefined;
  const equals: Hypothesis[] = [];
  for (const hypothesis of hypotheses(sample, place, hex)) {
    const cost = sample.reduce((sum, { length }) => sum + length, 0);
    if (work < cost) break;
    work -= cost;
    const seen = sample.filter((content) => isRight(content, hypothesis, hex)).length;
    // One of two may be damaged; a short checksum that is right once is right by chance.
    if (seen === 0 || (seen === 1 && hypothesis.checksum.bits < 16) || seen * 2 < sample.length) continue;
    const right = contents.map((content) => isRight(content, hypothesis, hex));
    const proof = proofOf(hypothesis, contents, right);
    if (proof < LEAST_PROOF || right.filter(Boolean).length * 2 <= right.length) continue;
    if (best === undefined || proof > best.proof) {
      if (best !== undefined && sameRight(best.right, right)) equals.push(best);
      else equals.length = 0;
      best = { ...hypothesis, proof, right };
    } else if (sameRight(best.right, right)) equals.push(hypothesis);
  }
  if (best === undefined) return undefined;
  const { algorithm, checksum, order, from, separator, trailer, tail, right, proof } = best;
  const alternatives = equals.map((each) => inWords(each)).filter((each) => each !== inWords(best));
  return {
    algorithm,
    bits: checksum.bits,
    order,
    encoding: place.encoding,
    from,
    separator,
    trailer,
    tailBytes: tail,
    right,
    proof,
    alternatives: [...new Set(alternatives)].slice(0, MOST_ALTERNATIVES),
  };
}

const inWords = ({ algorithm, from, order, checksum }: Hypothesis): string =>
  `${algorithm} from byte ${from}${checksum.bits > 8 ? `, ${order} endian` : ''}`;

/** All of them, the likeliest first, so that a search that ends early has tried what matters. */
function hypotheses(
  sample: readonly Uint8Array[],
  { from, trailers }: NonNullable<Cut['place']>,
  hex: boolean,
): readonly Hypothesis[] {
  const all: Hypothesis[] = [];
  const suffix = trailers ? commonSuffix(sample) : new Uint8Array(0);
  const ends = trailers
    ? Array.from({ length: suffix.length + 1 }, (_, length) => suffix.subarray(suffix.length - length))
    : [suffix];
  for (const algorithm of CHECKSUM_NAMES) {
    const checksum = findChecksum(algorithm);
    // Those of other widths than whole bytes stand in bit fields.
    if (checksum === undefined || checksum.bits % 8 !== 0) continue;
    const bytes = checksum.bytes * (hex ? 2 : 1);
    for (const trailer of ends) {
      for (const separator of separators(sample, bytes, trailer.length, hex)) {
        const tail = separator.length + bytes + trailer.length;
        for (const [rank, start] of from.entries()) {
          for (const order of checksum.bits > 8 && !hex ? (['big', 'little'] as const) : (['big'] as const)) {
            const cost =
              (COMMON[algorithm] ?? RARE) +
              Math.min(4, rank + 1) +
              // A trailer that is the same in all frames is likelier than content that is.
              (trailer.length === suffix.length ? 0 : 1) +
              (checksum.bits > 8 ? 1 : 0);
            all.push({ algorithm, checksum, order, from: start, separator, trailer, bytes, tail, cost });
          }
        }
      }
    }
  }
  return all.sort((a, b) => a.cost - b.cost);
}

/** Bytes between content and checksum: a mark in text, zeros in front of a value that has room for more. */
function separators(
  sample: readonly Uint8Array[],
  bytes: number,
  behind: number,
  hex: boolean,
): readonly Uint8Array[] {
  const none = new Uint8Array(0);
  const before = sample.map((content) => content.length - behind - bytes);
  if (hex) {
    const marks = sample.map((content, index) => content[(before[index] ?? 0) - 1] ?? 0);
    const [mark = 0] = marks;
    const isMark = mark > 0x20 && mark < 0x7f && !/[0-9A-Za-z.]/.test(String.fromCharCode(mark));
    return isMark && marks.filter((each) => each === mark).length * 2 > marks.length
      ? [Uint8Array.of(mark), none]
      : [none];
  }
  const zeros = sample.every((content, index) => {
    const at = before[index] ?? 0;
    return at > 4 && content[at - 1] === 0 && content[at - 2] === 0;
  });
  return zeros && bytes === 2 ? [none, ZEROS] : [none];
}

function isRight(content: Uint8Array, hypothesis: Hypothesis, hex: boolean): boolean {
  const { checksum, from, separator, trailer, bytes, order } = hypothesis;
  const at = content.length - trailer.length - bytes;
  const end = at - separator.length;
  if (end <= from || from * 2 > content.length) return false;
  for (let index = 0; index < trailer.length; index++)
    if (content[at + bytes + index] !== trailer[index]) return false;
  for (let index = 0; index < separator.length; index++)
    if (content[end + index] !== separator[index]) return false;
  if (hex) {
    let text = '';
    for (let index = 0; index < bytes; index++) text += String.fromCharCode(content[at + index] ?? 0);
    if (!/^[0-9A-Fa-f]+$/.test(text)) return false;
    if (checksum.wide) return BigInt(`0x${text}`) === wideChecksumOf(checksum, content, from, end);
    return Number.parseInt(text, 16) === checksumOf(checksum, content, from, end);
  }
  if (checksum.wide) {
    let value = wideChecksumOf(checksum, content, from, end);
    for (let index = 0; index < bytes; index++) {
      const seen = content[order === 'little' ? at + index : at + bytes - 1 - index];
      if (seen !== Number(value & 0xffn)) return false;
      value >>= 8n;
    }
    return true;
  }
  return holds(content, at, checksumOf(checksum as Checksum, content, from, end), bytes, order);
}

function holds(
  content: Uint8Array,
  at: number,
  value: number,
  bytes: number,
  order: 'big' | 'little',
): boolean {
  for (let index = 0; index < bytes; index++) {
    const seen = content[order === 'little' ? at + index : at + bytes - 1 - index];
    if (seen !== ((value >>> (8 * index)) & 0xff)) return false;
  }
  return true;
}

/** Bits of different contents that are right, less those of the choice and those that are wrong. */
function proofOf(hypothesis: Hypothesis, contents: readonly Uint8Array[], right: readonly boolean[]): number {
  const { checksum, cost, from, tail } = hypothesis;
  const known = new Set<string>();
  let count = 0;
  for (const [index, content] of contents.entries()) {
    const covered = content.subarray(from, content.length - tail);
    // Of zeros alone most checksums are zero.
    if (right[index] !== true || covered.every((byte) => byte === 0)) continue;
    const key = covered.join();
    if (known.has(key)) continue;
    known.add(key);
    count++;
  }
  return count * checksum.bits - cost - CHOICE_BITS;
}

/** Places and orders among which the one that is right was chosen. */
const CHOICE_BITS = 4;

const sameRight = (one: readonly boolean[], other: readonly boolean[]): boolean =>
  one.every((each, index) => each === other[index]);

function unique(contents: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(contents.map((content) => [content.join(), content])).values()];
}

/** Up to two bytes that all of them end with. */
function commonSuffix(sample: readonly Uint8Array[]): Uint8Array {
  const [first] = sample;
  if (first === undefined || sample.length < 2) return new Uint8Array(0);
  let length = 0;
  while (
    length < Math.min(MOST_TRAILER, first.length - 3) &&
    sample.every((content) => content[content.length - 1 - length] === first[first.length - 1 - length])
  )
    length++;
  return first.slice(first.length - length);
}
