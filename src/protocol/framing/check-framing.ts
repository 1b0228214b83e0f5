import { findChecksum } from '../crc/catalogue.ts';
import { wrongParameters } from '../crc/parameters.ts';
import {
  type ChecksumDeclaration,
  type DelimiterFraming,
  type FixedFraming,
  type FrameChecksumDeclaration,
  type FramingDeclaration,
  GREATEST_MAX_PAYLOAD,
  type LengthFraming,
  type SyncFraming,
} from './declaration.ts';
import { isFlag } from './delimiter.ts';
import { lengthType } from './layout.ts';

/** What is wrong with a declaration. `path` leads to the key, in the words of `messages.yaml`. */
export interface FramingProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly fix: string;
}

const LONGEST_MARK = 64;
const LONGEST_HEADER = 1024;
const GREATEST_FIXED = 65_536;

type Path = FramingProblem['path'];

/** Everything that is wrong with a declaration, beyond the types of its parts. Empty: `makeFraming` takes it. */
export function checkFraming(declaration: FramingDeclaration): readonly FramingProblem[] {
  return [...common(declaration), ...special(declaration)];
}

function* special(declaration: FramingDeclaration): Generator<FramingProblem> {
  switch (declaration.type) {
    case 'length':
      yield* lengthField(declaration, 0);
      yield* frameChecksum(declaration.checksum);
      return;
    case 'sync':
      yield* mark(['sync'], declaration.sync);
      yield* lengthField(declaration, declaration.sync.length);
      yield* frameChecksum(declaration.checksum);
      return;
    case 'fixed':
      yield* fixed(declaration);
      return;
    case 'delimiter':
      yield* delimiter(declaration);
      return;
    case 'slip':
    case 'cobs':
    case 'gap':
      return;
  }
}

function* common(declaration: FramingDeclaration): Generator<FramingProblem> {
  if (declaration.type !== 'fixed' && declaration.maxFrame !== undefined) {
    yield* whole(['max_frame'], declaration.maxFrame, 1, GREATEST_MAX_PAYLOAD);
  }
  if (declaration.checksum !== undefined) yield* checksum(declaration.checksum);
  if ('trailer' in declaration && declaration.trailer !== undefined) {
    yield* mark(['trailer'], declaration.trailer);
  }
}

function* whole(path: Path, value: number, least: number, most: number): Generator<FramingProblem> {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  yield {
    path,
    message: `${value} is not possible here`,
    fix: `Use a whole number from ${least} to ${most}.`,
  };
}

function* mark(path: Path, bytes: Uint8Array): Generator<FramingProblem> {
  if (bytes.length >= 1 && bytes.length <= LONGEST_MARK) return;
  yield {
    path,
    message: `${bytes.length} bytes are not possible here`,
    fix: `Use 1 to ${LONGEST_MARK} bytes.`,
  };
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

function* lengthField(
  { length, at, adjust }: LengthFraming | SyncFraming,
  behind: number,
): Generator<FramingProblem> {
  const { width } = lengthType(length);
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
  if (sync !== undefined) yield* mark(['sync'], sync);
  yield* frameChecksum(declaration.checksum);
  const { algorithm, encoding, separator } = declaration.checksum ?? {};
  const sum = algorithm === undefined ? 0 : (findChecksum(algorithm)?.bytes ?? 0);
  const around =
    (sync?.length ?? 0) +
    sum * (encoding === 'hex' ? 2 : 1) +
    (separator?.length ?? 0) +
    (trailer?.length ?? 0);
  yield* whole(['length'], length, around + 1, GREATEST_FIXED);
}

function* delimiter(declaration: DelimiterFraming): Generator<FramingProblem> {
  const { delimiter, start, escape: escaping, checksum } = declaration;
  yield* mark(['delimiter'], delimiter);
  if (start !== undefined) yield* mark(['start'], start);
  if (start !== undefined && start[0] === delimiter[0] && !isFlag(declaration)) {
    yield {
      path: ['start'],
      message: 'it begins with the same byte as the delimiter, and is another',
      fix: 'Let both be the same, which is a flag that opens and ends a frame, or leave `start` out.',
    };
  }
  if (escaping === undefined) return;
  yield* whole(['escape', 'byte'], escaping.byte, 0, 255);
  if (escaping.xor !== undefined) yield* whole(['escape', 'xor'], escaping.xor, 0, 255);
  const marks = [delimiter[0], start?.[0]].filter((byte) => byte !== undefined);
  if (marks.includes(escaping.byte)) {
    yield {
      path: ['escape', 'byte'],
      message: 'it is the first byte of the delimiter or of the start',
      fix: 'Use another byte.',
    };
  }
  const xor = escaping.xor ?? 0;
  if (xor !== 0 && [escaping.byte, ...marks].some((byte) => [escaping.byte, ...marks].includes(byte ^ xor))) {
    yield {
      path: ['escape', 'xor'],
      message: 'it makes one special byte of another',
      fix: 'Use a value such as 0x20 that leads to none of them.',
    };
  }
  if (checksum?.separator !== undefined && checksum.separator[0] === escaping.byte) {
    yield {
      path: ['checksum', 'separator'],
      message: 'it begins with the escape',
      fix: 'Use another separator, or none.',
    };
  }
}
