import { hexExcerpt, quotedText } from '../describe.ts';
import type { FieldDeclaration, TextEncoding } from './declaration.ts';
import type { Scope } from './field-codec.ts';
import { numberText } from './number-text.ts';
import type { Reading } from './reading.ts';
import { contentFits, contentInWords, decodeText, encodeText, isText, lossyText } from './text-code.ts';
import { timeText } from './time-field.ts';
import type { Value } from './value.ts';
import type { ValueText } from './value-text.ts';
import { FieldError, shown, type Writing } from './writing.ts';

/**
 * A value in a slice of text, however its ends are found: by a length, a terminator, or separators. Text that does not
 * mean a value leaves an issue, and the message counts.
 */
export interface TextSlice {
  /** The value between two places of `reading.bytes`; undefined where there is none. Does not move `at`. */
  read(reading: Reading, start: number, end: number): Value | undefined;
  /** Whether the bytes may be such a text, where a frame is searched. Allocates nothing. */
  fits(bytes: Uint8Array, start: number, end: number): boolean;
  /** The bytes of a value, without what ends or fills them. @throws FieldError */
  encode(value: unknown, writing: Writing): Uint8Array;
}

/** Types of fields that are text. */
const TEXT_TYPES = ['text', 'number', 'hex_number', 'time'] as const;

export type TextType = (typeof TEXT_TYPES)[number];

export const isTextType = (type: string): type is TextType => TEXT_TYPES.some((each) => each === type);

/** The codec of a field of type `text`, `number`, `hex_number` or `time`, for the text alone. */
export function textSlice(declaration: FieldDeclaration, scope: Scope): TextSlice {
  switch (declaration.type) {
    case 'number':
    case 'hex_number':
      return valueSlice(numberText(declaration, scope), declaration.encoding ?? 'ascii');
    case 'time':
      return valueSlice(timeText(declaration), declaration.encoding ?? 'ascii');
    default:
      return plainSlice(declaration);
  }
}

/** A zero byte ends a number or a time, whatever stands behind it. */
function valueSlice({ read, write }: ValueText, encoding: TextEncoding): TextSlice {
  return {
    read(reading, start, end) {
      const text =
        decodeText(encoding, reading.bytes, start, end) ?? lossyText(encoding, reading.bytes, start, end);
      return read(text.replace(/^\0+/, '').replace(/\0[\s\S]*$/, ''), reading);
    },
    fits: (bytes, start, end) => isText(encoding, bytes, start, end),
    encode(value, writing) {
      const bytes = encodeText(encoding, write(value, writing));
      if (bytes === undefined) throw new FieldError(`cannot be written in ${encoding}`, shown(value));
      return bytes;
    },
  };
}

function plainSlice(declaration: FieldDeclaration): TextSlice {
  const { encoding = 'utf8', content } = declaration;
  return {
    read: (reading, start, end) => textOf(declaration, encoding, reading, start, end),
    fits: (bytes, start, end) =>
      (content === undefined || contentFits(content, bytes, start, end)) &&
      isText(encoding, bytes, start, end),
    encode: (value) => checkedBytes(declaration, encoding, value),
  };
}

function textOf(
  { content, value, length }: FieldDeclaration,
  encoding: TextEncoding,
  reading: Reading,
  start: number,
  end: number,
): Value | undefined {
  const plain = decodeText(encoding, reading.bytes, start, end);
  const fixed = plain === undefined && content === undefined && value === undefined;
  if (fixed) {
    const seen = hexExcerpt(reading.bytes, start, end);
    reading.issue('bad_text', `not all of ${seen} is text in ${encoding}`);
  }
  const text = fixed ? lossyText(encoding, reading.bytes, start, end) : plain;
  const fits = content === undefined || contentFits(content, reading.bytes, start, end);
  if (text !== undefined && fits && (value === undefined || value === text)) return text;
  const offset = start - reading.origin;
  const quoted = () => quotedText(reading.bytes, start, Math.min(end, start + 64));
  if (!fits) {
    const expected = contentInWords(content, length);
    const reason = value === undefined ? 'bad_text' : 'bad_constant';
    return reading.fail({ reason, field: '', offset, expected, seen: quoted() });
  }
  if (text === undefined) {
    const seen = hexExcerpt(reading.bytes, start, end);
    return reading.fail({ reason: 'bad_text', field: '', offset, expected: `text in ${encoding}`, seen });
  }
  const expected = JSON.stringify(value);
  return reading.fail({ reason: 'bad_constant', field: '', offset, expected, seen: quoted() });
}

function checkedBytes(
  { content, length }: FieldDeclaration,
  encoding: TextEncoding,
  value: unknown,
): Uint8Array {
  if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
  if (typeof value !== 'string') throw new FieldError('must be a text', shown(value));
  const bytes = encodeText(encoding, value);
  if (bytes === undefined) throw new FieldError(`must be text that ${encoding} can carry`, shown(value));
  if (content !== undefined && !contentFits(content, bytes, 0, bytes.length)) {
    throw new FieldError(`must be ${contentInWords(content, length)}`, shown(value));
  }
  return bytes;
}
