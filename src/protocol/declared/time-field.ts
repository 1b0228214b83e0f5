import type { ByteOrder } from '../framing/byte-order.ts';
import { isoText, parseIso, parseOffset } from './clock-time.ts';
import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec } from './field-codec.ts';
import { listOf } from './number-field.ts';
import { parseWhole } from './number-type.ts';
import type { Reading } from './reading.ts';
import { parseTimeFormat, type TimeFormat, timeFormat } from './time-format.ts';
import type { ValueText } from './value-text.ts';
import { FieldError, shown } from './writing.ts';

/** The usual order of a clock in nibbles or bytes. */
export const DEFAULT_TIME_FORMAT = {
  time: 'YYYY-MM-DD hh:mm:ss',
  bcd_time: 'YYMMDDhhmmss',
  byte_time: 'YYMMDDhhmmss',
};

function formatOf({ type, format, zone }: FieldDeclaration): TimeFormat {
  const usual =
    type === 'bcd_time'
      ? DEFAULT_TIME_FORMAT.bcd_time
      : type === 'byte_time'
        ? DEFAULT_TIME_FORMAT.byte_time
        : DEFAULT_TIME_FORMAT.time;
  // The lint refuses what is no format and no zone.
  return timeFormat(
    parseTimeFormat(format ?? usual) ?? [],
    zone === undefined ? undefined : parseOffset(zone),
  );
}

/** A time in text. */
export function timeText(declaration: FieldDeclaration): ValueText {
  const format = formatOf(declaration);
  const none = listOf(declaration.invalid ?? []).map(String);
  return {
    read(text, reading) {
      const time = none.includes(text) || text.trim() === '' ? undefined : format.parse(text);
      if (time !== undefined) return isoText(time);
      if (text.trim() !== '') reading.keepRaw(text);
      if (!none.includes(text) && text.trim() !== '')
        reading.issue('bad_time', `${shown(text)} is no such time`);
      return undefined;
    },
    write(value) {
      const [first] = none;
      if ((value === undefined || value === null) && first !== undefined) return first;
      return written(format, value);
    },
  };
}

/** @throws FieldError where the format cannot say the value */
function written(format: TimeFormat, value: unknown): string {
  if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
  const time = typeof value === 'string' ? parseIso(value) : undefined;
  const text = time === undefined ? undefined : format.format(time);
  if (text !== undefined) return text;
  throw new FieldError('must be a time in ISO 8601, with all that the format has', shown(value));
}

/** A clock whose digits are nibbles. */
export function bcdTimeField(declaration: FieldDeclaration, byteOrder: ByteOrder): FieldCodec {
  const format = formatOf(declaration);
  const size = Math.ceil(format.parts.reduce((sum, { text }) => sum + text.length, 0) / 2);
  const little = (declaration.byteOrder ?? byteOrder) === 'little';
  return clockField(declaration, size, little, {
    textOf: (digits) => digits.slice(-format.parts.reduce((sum, { text }) => sum + text.length, 0)),
    digitsOf: (text) => text.padStart(2 * size, '0'),
    format,
  });
}

/** A clock with a byte for each of its parts, and two for a year of four digits. */
export function byteTimeField(declaration: FieldDeclaration, byteOrder: ByteOrder): FieldCodec {
  const format = formatOf(declaration);
  const sizes = format.parts.map(({ token }) => (token === 'YYYY' ? 2 : 1));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const little = (declaration.byteOrder ?? byteOrder) === 'little';
  const swapped = (digits: string): string => digits.slice(2) + digits.slice(0, 2);
  const year = (digits: string): string => (little && digits.length === 4 ? swapped(digits) : digits);
  return clockField(declaration, size, false, {
    textOf(digits) {
      let at = 0;
      return format.parts
        .map(({ text }, index) => {
          const hex = digits.slice(at, at + 2 * (sizes[index] ?? 1));
          at += hex.length;
          return String(Number.parseInt(year(hex), 16)).padStart(text.length, '0');
        })
        .join('');
    },
    digitsOf(text) {
      let at = 0;
      return format.parts
        .map((part, index) => {
          const number = Number(text.slice(at, at + part.text.length));
          at += part.text.length;
          return year(number.toString(16).padStart(2 * (sizes[index] ?? 1), '0'));
        })
        .join('');
    },
    format,
  });
}

interface ClockDigits {
  readonly format: TimeFormat;
  /** From the bytes in hex to the text of the format, and back. */
  textOf(hex: string): string;
  digitsOf(text: string): string;
}

function clockField(
  declaration: FieldDeclaration,
  size: number,
  little: boolean,
  { format, textOf, digitsOf }: ClockDigits,
): FieldCodec {
  const none = listOf(declaration.invalid ?? []).map((each) =>
    (parseWhole(each) ?? 0n).toString(16).padStart(2 * size, '0'),
  );
  const hexAt = (reading: Reading, at: number): string => {
    let hex = '';
    for (let index = 0; index < size; index++) {
      const byte = reading.bytes[little ? at + size - 1 - index : at + index] ?? 0;
      hex += byte.toString(16).padStart(2, '0');
    }
    return hex;
  };
  return {
    min: size,
    max: size,
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      const hex = hexAt(reading, at);
      reading.keepRaw(`0x${hex}`);
      if (none.includes(hex)) return undefined;
      const time = format.parse(textOf(hex));
      if (time !== undefined) return isoText(time);
      reading.issue('bad_time', `0x${hex} is no such time`);
      return undefined;
    },
    check: (reading) => reading.skip(size),
    write(writing, value) {
      const [first] = none;
      const absent = value === undefined || value === null;
      // What a message carries as `raw` is written as it was.
      const raw = typeof value === 'string' && value.length === 2 + 2 * size && /^0x[0-9a-f]+$/i.test(value);
      const hex =
        absent && first !== undefined ? first : raw ? value.slice(2) : digitsOf(written(format, value));
      const at = writing.take(size);
      for (let index = 0; index < size; index++) {
        const byte = Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);
        writing.bytes[little ? at + size - 1 - index : at + index] = byte;
      }
    },
  };
}
