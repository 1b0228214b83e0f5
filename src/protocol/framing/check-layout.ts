import { findChecksum } from '../crc/catalogue.ts';
import type { Declared, SyncWord } from '../keys.ts';
import type { FrameChecksumDeclaration, LENGTH_KEYS, TAIL_KEYS } from './framing-keys.ts';
import { type FramingProblem, mark, whole } from './framing-problem.ts';
import { lengthType } from './length-place.ts';
import { syncWords } from './sync-word.ts';

const LONGEST_HEADER = 1024;
const GREATEST_FIXED = 65_536;

type LengthKeys = Declared<typeof LENGTH_KEYS>;
type Tail = Declared<typeof TAIL_KEYS>;

interface Marks {
  readonly sync?: SyncWord | readonly SyncWord[] | undefined;
  readonly preamble?: Uint8Array | undefined;
}

/** What is wrong with frames that begin with a length. */
export function* checkLength(declaration: LengthKeys & Tail): Generator<FramingProblem> {
  yield* lengthField(declaration, 0);
  yield* frameChecksum(declaration.checksum);
}

/** The same behind a sync word. */
export function* checkSync(declaration: LengthKeys & Marks & Tail): Generator<FramingProblem> {
  yield* syncMark(declaration);
  yield* lengthField(declaration, firstFreePlace(declaration));
  yield* frameChecksum(declaration.checksum);
}

/** What is wrong with frames whose id says their length. */
export function* checkId(declaration: Marks & Tail): Generator<FramingProblem> {
  yield* syncMark(declaration);
  yield* frameChecksum(declaration.checksum);
}

/** A sync word begins with a byte that is fixed, words are as long as each other, and a preamble is none of them. */
function* syncMark({ sync, preamble }: Marks): Generator<FramingProblem> {
  const { words, length } = syncWords(sync);
  for (const [index, word] of words.entries()) {
    const path = words.length === 1 ? ['sync'] : ['sync', index];
    yield* mark(path, word);
    if (word.length === length && (word[0] ?? 0) >= 0) continue;
    yield word.length === length
      ? { path, message: 'its first byte may be any', fix: 'Begin it with a fixed byte.' }
      : { path, message: 'it is not as long as the first', fix: 'Let all sync words have the same length.' };
  }
  if (preamble === undefined) return;
  yield* mark(['preamble'], preamble);
  const [byte] = preamble;
  if (preamble.some((each) => each !== byte)) {
    yield {
      path: ['preamble'],
      message: 'its bytes differ',
      fix: 'Use one byte, or the same several times.',
    };
  } else if (words.length === 0 || words.some((word) => word[0] === byte)) {
    yield {
      path: ['preamble'],
      message: words.length === 0 ? 'nothing shows where it ends' : 'a sync word begins with the same byte',
      fix: 'Declare a `sync` that begins with another byte.',
    };
  }
}

/** Where a length may stand: behind the sync word, or on its free bytes. */
function firstFreePlace({ sync, at, length }: LengthKeys & Marks): number {
  const words = syncWords(sync);
  const { width } = lengthType(length);
  if (at === undefined) return words.length;
  for (let place = at; place < Math.min(at + width, words.length); place++) {
    if (!words.isFree(place)) return words.length;
  }
  return 0;
}

function* lengthField(
  { length, at, adjust, unit, mask, again }: LengthKeys,
  behind: number,
): Generator<FramingProblem> {
  const { width, kind } = lengthType(length);
  if (unit !== undefined) yield* whole(['unit'], unit, 1, LONGEST_HEADER);
  if (again !== undefined) yield* whole(['again'], again, 0, LONGEST_HEADER - width);
  if (again !== undefined && kind === 'varint') {
    yield { path: ['again'], message: 'a varint stands once', fix: 'Remove it.' };
  }
  if (mask !== undefined) {
    yield* whole(['mask'], mask, 1, 2 ** (8 * Math.min(4, width)) - 1);
    const lowest = 2 ** (31 - Math.clz32(mask & -mask));
    if (kind !== 'binary') {
      yield { path: ['mask'], message: 'only a binary length has bits', fix: 'Remove it.' };
    } else if (!Number.isInteger(Math.log2(mask / lowest + 1))) {
      yield {
        path: ['mask'],
        message: 'its bits are not next to each other',
        fix: 'Use one run of bits, for example 0x03ff.',
      };
    }
  }
  if (at !== undefined) yield* whole(['at'], at, behind, LONGEST_HEADER - width);
  if (adjust !== undefined) yield* whole(['adjust'], adjust, -LONGEST_HEADER, LONGEST_HEADER);
}

function* frameChecksum(declaration: FrameChecksumDeclaration | undefined): Generator<FramingProblem> {
  for (const [index, { from, to }] of (declaration?.covers ?? []).entries()) {
    const path = ['checksum', 'covers', index] as const;
    yield* whole([...path, 'from'], from, 0, LONGEST_HEADER);
    if (to === undefined) continue;
    yield* whole([...path, 'to'], to, -LONGEST_HEADER, LONGEST_HEADER);
    if (to === 0 || (to > 0 && to <= from)) {
      yield {
        path: [...path, 'to'],
        message: 'the range holds no byte',
        fix: 'Let `to` be behind `from`, negative to count back from the checksum, or leave it out.',
      };
    }
  }
}

/** What is wrong with frames of one size. */
export function* checkFixed(
  declaration: Marks & Tail & { readonly length: number },
): Generator<FramingProblem> {
  const { length, sync, trailer } = declaration;
  yield* syncMark(declaration);
  yield* frameChecksum(declaration.checksum);
  const { algorithm, encoding, separator } = declaration.checksum ?? {};
  const sum = algorithm === undefined ? 0 : (findChecksum(algorithm)?.bytes ?? 0);
  const around =
    syncWords(sync).length +
    sum * (encoding === 'hex' ? 2 : 1) +
    (separator?.length ?? 0) +
    (trailer?.length ?? 0);
  yield* whole(['length'], length, around + 1, GREATEST_FIXED);
}
