import { type DelimiterFraming, delimitersOf, doublesEscape, isFlag } from './delimiter-marks.ts';
import { type FramingProblem, mark, whole } from './framing-problem.ts';

/** What is wrong with the marks of a framing with delimiters, and what stands between them. */
export function* delimiter(declaration: DelimiterFraming): Generator<FramingProblem> {
  const {
    start,
    escape: escaping,
    checksum,
    preamble,
    prompt,
    encoding = 'raw',
    send,
    trailer,
  } = declaration;
  const ends = delimitersOf(declaration);
  const [delimiter = new Uint8Array(0)] = ends;
  const doubles = doublesEscape(declaration);
  for (const [index, end] of ends.entries()) {
    yield* mark(ends.length === 1 ? ['delimiter'] : ['delimiter', index], end);
  }
  if (start !== undefined) yield* mark(['start'], start);
  if (prompt !== undefined) yield* mark(['prompt'], prompt);
  for (const key of ['delimiter', 'start'] as const) {
    if (send?.[key] !== undefined) yield* mark(['send', key], send[key]);
  }
  if (start !== undefined && start[0] === delimiter[0] && !isFlag(declaration) && !doubles) {
    yield {
      path: ['start'],
      message: 'it begins with the same byte as the delimiter, and is another',
      fix: 'Let both be the same, which is a flag that opens and ends a frame, leave `start` out, or declare the `escape` that is doubled.',
    };
  }
  yield* delimitedChecksum(declaration);
  if (trailer !== undefined && checksum?.place !== 'behind') {
    yield {
      path: ['trailer'],
      message: 'it stands behind a checksum that is behind the delimiter',
      fix: 'Add `place: behind` to the checksum, or make it part of the delimiter.',
    };
  }
  if (preamble !== undefined) {
    yield* mark(['preamble'], preamble);
    const [byte] = preamble;
    if (start === undefined || start[0] === byte || preamble.some((each) => each !== byte)) {
      yield {
        path: ['preamble'],
        message: 'nothing shows where it ends',
        fix: 'Use one byte, once or repeated, and a `start` that begins with another one.',
      };
    }
  }
  if (escaping === undefined) return;
  yield* whole(['escape', 'byte'], escaping.byte, 0, 255);
  if (escaping.xor !== undefined) yield* whole(['escape', 'xor'], escaping.xor, 0, 255);
  if (encoding !== 'raw') {
    yield { path: ['escape'], message: 'hexadecimal digits need none', fix: 'Remove it, or `encoding`.' };
  }
  const marks = [...ends.map(([first]) => first), start?.[0]].filter((byte) => byte !== undefined);
  if (doubles && delimiter.length > 1 && ends.length === 1) {
    if (delimiter[1] === escaping.byte || start?.[1] === escaping.byte) {
      yield {
        path: ['escape', 'byte'],
        message: 'a mark has it twice, which is content',
        fix: 'Let another byte follow it, for example [0x10, 0x03].',
      };
    }
  } else if (marks.includes(escaping.byte)) {
    yield {
      path: ['escape', 'byte'],
      message: 'it is the first byte of the delimiter or of the start',
      fix: 'Use another byte, or marks of two bytes that begin with it, as DLE STX and DLE ETX do.',
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

function* delimitedChecksum(declaration: DelimiterFraming): Generator<FramingProblem> {
  const { checksum, encoding = 'raw', start } = declaration;
  for (const [index, word] of (checksum?.includes ?? []).entries()) {
    if (word === 'delimiter' || (word === 'start' && start !== undefined)) continue;
    yield {
      path: ['checksum', 'includes', index],
      message: word === 'start' ? 'there is no `start`' : 'there is no such mark',
      fix: 'Use `start` or `delimiter`, as far as they are declared.',
    };
  }
  if (checksum?.place === 'behind' && delimitersOf(declaration).length > 1) {
    yield {
      path: ['delimiter'],
      message: 'a checksum stands behind it, so that there is one only',
      fix: 'Use one delimiter.',
    };
  }
  if (encoding !== 'raw' && checksum?.encoding === 'hex' && checksum.place !== 'behind') {
    yield {
      path: ['checksum', 'encoding'],
      message: 'the whole frame is in hexadecimal digits already',
      fix: 'Remove it.',
    };
  }
}
