import { hexExcerpt, quotedText } from '../describe.ts';
import type { FieldDeclaration, TextContent, TextEncoding } from './declaration.ts';
import { extentCodec } from './extent.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import type { Reading } from './reading.ts';
import {
  CONTENT_WORDS,
  contentFits,
  decodeText,
  encodeText,
  isText,
  lossyText,
  unitOf,
} from './text-code.ts';
import type { Value } from './value.ts';
import { FieldError, shown } from './writing.ts';

/** Text with a length, or up to a byte that ends it. */
export function textField(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  return declaration.terminator === undefined
    ? measuredText(declaration, scope)
    : terminatedText(declaration, declaration.terminator, scope);
}

function measuredText(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const { encoding = 'utf8', max, content } = declaration;
  // Text that must look like something fills its bytes, unless the declaration says what else does.
  const pad = declaration.pad ?? (content === undefined ? 0 : undefined);
  const extent = extentCodec(declaration.length ?? 'rest', scope);
  const most = Math.min(max ?? scope.limit, extent.most);
  const { fixed } = extent;
  const bytesOfText = (value: unknown): Uint8Array => {
    const bytes = checkedBytes(declaration, encoding, value);
    if (bytes.length > most) throw new FieldError(`must have at most ${most} bytes`, `${bytes.length} bytes`);
    return bytes;
  };
  return {
    min: extent.prefix + (fixed ?? 0),
    max: extent.prefix + most,
    read(reading) {
      const length = extent.read(reading, 1);
      if (length === undefined) return undefined;
      const at = reading.at;
      if (length > most) return tooMany(reading, length, most, 'bytes');
      if (at + length > reading.end) return reading.short(length);
      reading.at = at + length;
      const end =
        fixed === undefined || pad === undefined
          ? at + length
          : withoutFill(reading.bytes, at, at + length, pad, unitOf(encoding));
      return textOf(declaration, encoding, reading, at, end);
    },
    check(reading) {
      const length = extent.look(reading, 1);
      const at = reading.at;
      if (length < 0 || length > most || !reading.skip(length)) return false;
      const end =
        fixed === undefined || pad === undefined
          ? at + length
          : withoutFill(reading.bytes, at, at + length, pad, unitOf(encoding));
      return textFits(encoding, content, reading.bytes, at, end);
    },
    write(writing, value) {
      const bytes = bytesOfText(value);
      if (fixed === undefined) {
        extent.write(writing, bytes.length);
        writing.put(bytes);
        return;
      }
      if (pad === undefined) {
        if (bytes.length !== fixed) throw new FieldError(`must have exactly ${fixed} bytes`, shown(value));
        writing.put(bytes);
        return;
      }
      if (withoutPad(bytes, 0, bytes.length, pad, unitOf(encoding)) < bytes.length) {
        throw new FieldError('must not end in the byte that fills it up', shown(value));
      }
      if (withoutFill(bytes, 0, bytes.length, pad, unitOf(encoding)) < bytes.length) {
        throw new FieldError('must not hold a zero byte, which ends it', shown(value));
      }
      const at = writing.take(fixed);
      writing.bytes.fill(0, at, at + fixed);
      const unit = unitOf(encoding);
      for (let place = at; place < at + fixed; place += unit) {
        writing.bytes[encoding === 'utf16be' ? place + 1 : place] = pad;
      }
      writing.bytes.set(bytes, at);
    },
    measure: (value) => bytesOfText(value).length,
  };
}

function terminatedText(declaration: FieldDeclaration, terminator: number, scope: Scope): FieldCodec {
  const { encoding = 'utf8', max = scope.limit } = declaration;
  const unit = unitOf(encoding);
  const terminates = (bytes: Uint8Array, at: number): boolean =>
    unit === 1
      ? bytes[at] === terminator
      : bytes[encoding === 'utf16le' ? at : at + 1] === terminator &&
        bytes[encoding === 'utf16le' ? at + 1 : at] === 0;
  return {
    min: unit,
    max: max + unit,
    read(reading) {
      const at = reading.at;
      const last = Math.min(reading.end - unit, at + max);
      let end = at;
      while (end <= last && !terminates(reading.bytes, end)) end += unit;
      if (end > last) {
        return end + unit > reading.end
          ? reading.short(end + unit - at)
          : tooMany(reading, end - at, max, 'bytes without an end');
      }
      reading.at = end + unit;
      return textOf(declaration, encoding, reading, at, end);
    },
    check(reading) {
      const at = reading.at;
      const last = Math.min(reading.end - unit, at + max);
      let end = at;
      while (end <= last && !terminates(reading.bytes, end)) end += unit;
      if (end > last) return false;
      reading.at = end + unit;
      return textFits(encoding, declaration.content, reading.bytes, at, end);
    },
    write(writing, value) {
      const bytes = checkedBytes(declaration, encoding, value);
      if (bytes.length > max) throw new FieldError(`must have at most ${max} bytes`, `${bytes.length} bytes`);
      for (let at = 0; at < bytes.length; at += unit) {
        if (terminates(bytes, at)) throw new FieldError('must not hold the byte that ends it', shown(value));
      }
      writing.put(bytes);
      const at = writing.take(unit);
      writing.bytes.fill(0, at, at + unit);
      writing.bytes[encoding === 'utf16be' ? at + 1 : at] = terminator;
    },
  };
}

/** Reports a count beyond what is declared or can be there. */
export function tooMany(reading: Reading, seen: number, most: number, what: string): undefined {
  return reading.fail({
    reason: 'bad_count',
    field: '',
    offset: reading.at - reading.origin,
    expected: `at most ${most} ${what}`,
    seen: `${seen}`,
  });
}

function textOf(
  { content, value }: FieldDeclaration,
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
  return reading.fail({
    reason: text === undefined || value === undefined ? 'bad_text' : 'bad_constant',
    field: '',
    offset: start - reading.origin,
    expected:
      text === undefined
        ? `text in ${encoding}`
        : content === undefined || fits
          ? JSON.stringify(value)
          : CONTENT_WORDS[content],
    seen:
      text === undefined
        ? hexExcerpt(reading.bytes, start, end)
        : quotedText(reading.bytes, start, Math.min(end, start + 64)),
  });
}

function textFits(
  encoding: TextEncoding,
  content: TextContent | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (content !== undefined && !contentFits(content, bytes, start, end)) return false;
  return isText(encoding, bytes, start, end);
}

function checkedBytes({ content }: FieldDeclaration, encoding: TextEncoding, value: unknown): Uint8Array {
  if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
  if (typeof value !== 'string') throw new FieldError('must be a text', shown(value));
  const bytes = encodeText(encoding, value);
  if (bytes === undefined) throw new FieldError(`must be text that ${encoding} can carry`, shown(value));
  if (content !== undefined && !contentFits(content, bytes, 0, bytes.length)) {
    throw new FieldError(`must be ${CONTENT_WORDS[content]}`, shown(value));
  }
  return bytes;
}

/** Where text of a fixed length ends: at the first zero, as in C, whatever stands behind it; else before the fill. */
function withoutFill(bytes: Uint8Array, start: number, end: number, pad: number, unit: number): number {
  if (pad !== 0) return withoutPad(bytes, start, end, pad, unit);
  let at = start;
  while (at + unit <= end && ((bytes[at] ?? 0) | (unit === 2 ? (bytes[at + 1] ?? 0) : 0)) !== 0) at += unit;
  return Math.min(at + unit > end ? end : at, end);
}

function withoutPad(bytes: Uint8Array, start: number, end: number, pad: number, unit: number): number {
  let last = end;
  while (last - unit >= start) {
    const low = bytes[last - unit] ?? 0;
    const high = unit === 2 ? (bytes[last - 1] ?? 0) : 0;
    if (unit === 1 ? low !== pad : low + high !== pad || low * high !== 0) break;
    last -= unit;
  }
  return last;
}
