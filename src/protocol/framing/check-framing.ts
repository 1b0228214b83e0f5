import { findChecksum } from '../crc/catalogue.ts';
import { wrongParameters } from '../crc/parameters.ts';
import { delimiter } from './check-delimiter.ts';
import {
  type ChecksumDeclaration,
  type DelimiterFraming,
  type FixedFraming,
  type FrameChecksumDeclaration,
  type FramingDeclaration,
  GREATEST_MAX_PAYLOAD,
  type IdFraming,
  type LengthFraming,
  type SeveralFramings,
  type SingleFraming,
  type SyncFraming,
} from './declaration.ts';
import { type FramingProblem, mark, whole } from './framing-problem.ts';
import { lengthType } from './length-place.ts';
import { isUnmarked } from './several.ts';
import { syncWords } from './sync-word.ts';

const LONGEST_HEADER = 1024;
const GREATEST_FIXED = 65_536;

export type { FramingProblem } from './framing-problem.ts';

/** Everything that is wrong with a declaration, beyond the types of its parts. Empty: `makeFraming` takes it. */
export function checkFraming(declaration: FramingDeclaration): readonly FramingProblem[] {
  if (declaration.type === 'several') return [...several(declaration)];
  return [...common(declaration), ...special(declaration)];
}

/** What is wrong with several framings on one line; a path begins with the index of one. */
function* several({ kinds }: SeveralFramings): Generator<FramingProblem> {
  const names = new Set<string>();
  for (const [index, kind] of kinds.entries()) {
    const { name, framing, resumes } = kind;
    if (names.has(name)) {
      yield {
        path: [index, 'name'],
        message: `${name} is there already`,
        fix: 'Give each a name of its own.',
      };
    }
    names.add(name);
    for (const problem of checkFraming(framing)) yield { ...problem, path: [index, ...problem.path] };
    const path = [index, 'type'];
    if (framing.type === 'slip' || framing.type === 'cobs' || framing.type === 'gap') {
      yield {
        path,
        message: `frames of \`${framing.type}\` cannot be told from others`,
        fix: 'Use framings whose frames begin with a mark: sync, fixed, or delimiter with `start`.',
      };
    } else if (framing.type === 'length' && framing.checksum === undefined && framing.trailer === undefined) {
      yield {
        path,
        message: 'nothing tells its frames from others',
        fix: 'Give it a checksum or a trailer.',
      };
    } else if (isUnmarked(kind)) {
      if (index < kinds.length - 1) {
        yield {
          path,
          message: 'its frames may begin anywhere, so that no other could follow',
          fix: 'Let it be the last, or give it a `start`.',
        };
      }
      const { escape: escaping, prompt, checksum, delimiter } = framing as DelimiterFraming;
      if (escaping ?? prompt ?? checksum ?? (delimiter instanceof Uint8Array ? undefined : delimiter)) {
        yield {
          path,
          message: 'beside others, lines without a `start` have one delimiter and nothing else',
          fix: 'Give it a `start`, or remove the other keys.',
        };
      }
    } else if (resumes === true) {
      yield { path: [index, 'resumes'], message: 'its frames begin with a mark', fix: 'Remove it.' };
    }
  }
  if (kinds.length < 2) yield { path: [], message: 'these are not several', fix: 'Use `framing` for one.' };
}

function* special(declaration: SingleFraming): Generator<FramingProblem> {
  switch (declaration.type) {
    case 'length':
      yield* lengthField(declaration, 0);
      yield* frameChecksum(declaration.checksum);
      return;
    case 'sync':
      yield* syncMark(declaration);
      yield* lengthField(declaration, firstFreePlace(declaration));
      yield* addedBytes(declaration);
      yield* frameChecksum(declaration.checksum);
      return;
    case 'fixed':
      yield* fixed(declaration);
      return;
    case 'delimiter':
      yield* delimiter(declaration);
      return;
    case 'id':
      yield* syncMark(declaration);
      yield* frameChecksum(declaration.checksum);
      return;
    case 'slip':
    case 'cobs':
    case 'gap':
      return;
  }
}

function* common(declaration: SingleFraming): Generator<FramingProblem> {
  if (declaration.type !== 'fixed' && declaration.maxFrame !== undefined) {
    yield* whole(['max_frame'], declaration.maxFrame, 1, GREATEST_MAX_PAYLOAD);
  }
  if (declaration.checksum !== undefined) yield* checksum(declaration.checksum);
  if ('trailer' in declaration && declaration.trailer !== undefined) {
    yield* mark(['trailer'], declaration.trailer);
  }
}

function* checksum({
  algorithm,
  separator,
  extra,
  extraById,
}: ChecksumDeclaration): Generator<FramingProblem> {
  if (typeof algorithm !== 'string') {
    const wrong = wrongParameters(algorithm, findChecksum);
    if (wrong !== undefined) {
      yield { path: ['checksum', 'algorithm', wrong.key], message: wrong.message, fix: wrong.fix };
    }
  } else if (findChecksum(algorithm) === undefined) {
    yield {
      path: ['checksum', 'algorithm'],
      message: `there is no checksum named ${JSON.stringify(algorithm)}`,
      fix: 'Use a name of the CRC catalogue such as crc-16/modbus, or sum-8, xor-8, fletcher-8-ubx.',
    };
  }
  if (separator !== undefined) yield* mark(['checksum', 'separator'], separator);
  if (extra !== undefined) yield* mark(['checksum', 'extra'], extra);
  if (extraById !== undefined && findChecksum(algorithm)?.wide === true) {
    yield {
      path: ['checksum', 'extra_by_id'],
      message: 'it needs a checksum of at most 32 bits',
      fix: 'Use another checksum, or `extra` for one constant.',
    };
  }
}

/** A sync word begins with a byte that is fixed, words are as long as each other, and a preamble is none of them. */
function* syncMark({
  sync,
  preamble,
}: Pick<SyncFraming | FixedFraming | IdFraming, 'preamble'> & {
  readonly sync?: SyncFraming['sync'] | undefined;
}): Generator<FramingProblem> {
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

/** What is added to bytes is added to none that tell where a frame is, or which message it holds. */
function* addedBytes({ add, sync, length, at, again, checksum }: SyncFraming): Generator<FramingProblem> {
  if (add === undefined) return;
  const { length: word } = syncWords(sync);
  const { width, kind } = lengthType(length);
  const behindLength = (at ?? word) + width;
  const behindAgain = again === undefined ? 0 : again + width;
  yield* whole(['add', 'byte'], add.byte, 1, 255);
  yield* whole(['add', 'from'], add.from, Math.max(word, behindLength, behindAgain), LONGEST_HEADER);
  const conflict =
    kind === 'varint'
      ? ['length']
      : checksum?.extraById === undefined
        ? undefined
        : ['checksum', 'extra_by_id'];
  if (conflict === undefined) return;
  yield {
    path: ['add'],
    message: `it cannot stand beside \`${conflict.join('.')}\``,
    fix: `Remove one of them.`,
  };
}

/** Where a length may stand: behind the sync word, or on its free bytes. */
function firstFreePlace({ sync, at, length }: SyncFraming): number {
  const words = syncWords(sync);
  const { width } = lengthType(length);
  if (at === undefined) return words.length;
  for (let place = at; place < Math.min(at + width, words.length); place++) {
    if (!words.isFree(place)) return words.length;
  }
  return 0;
}

function* lengthField(
  { length, at, adjust, unit, mask, again }: LengthFraming | SyncFraming,
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

function* fixed(declaration: FixedFraming): Generator<FramingProblem> {
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
