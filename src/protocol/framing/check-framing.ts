import { findChecksum } from '../crc/catalogue.ts';
import { wrongParameters } from '../crc/parameters.ts';
import {
  type FramingDeclaration,
  framingType,
  type SeveralFramings,
  type SingleFraming,
} from './declaration.ts';
import type { DelimiterFraming } from './delimiter-marks.ts';
import { type ChecksumDeclaration, GREATEST_MAX_PAYLOAD } from './framing-keys.ts';
import { type FramingProblem, mark, whole } from './framing-problem.ts';
import { isUnmarked } from './several.ts';

export type { FramingProblem } from './framing-problem.ts';

/** Everything that is wrong with a declaration, beyond the types of its parts. Empty: `makeFraming` takes it. */
export function checkFraming(declaration: FramingDeclaration): readonly FramingProblem[] {
  if (declaration.type === 'several') return [...several(declaration)];
  return [...common(declaration), ...(framingType(declaration).check?.(declaration) ?? [])];
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
    if (!framingType(framing).isAmongOthers) {
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
