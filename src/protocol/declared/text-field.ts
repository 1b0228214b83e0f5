import type { FieldDeclaration, TextEncoding } from './declaration.ts';
import { extentCodec } from './extent.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import type { Reading } from './reading.ts';
import { byteText, characterBytes, contentFits, MOST_ASCII, unitOf } from './text-code.ts';
import { type TextSlice, textSlice } from './text-slice.ts';
import { FieldError, shown, Writing } from './writing.ts';

/** Text with a length, or up to a byte that ends it; `slice` knows what it means. */
export function textField(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const slice = textSlice(declaration, scope);
  const { terminator, length } = declaration;
  return terminator === undefined || typeof length === 'number'
    ? measuredText(declaration, slice, scope)
    : terminatedText(declaration, slice, terminator, scope);
}

/** How text of a fixed length stands in its bytes. */
interface Filling {
  readonly pad: number;
  readonly right: boolean;
  readonly terminator: number | undefined;
}

const BLANK = 0x20;

function fillingOf({ type, pad, align, content, terminator }: FieldDeclaration): Filling | undefined {
  const number = type === 'number' || type === 'hex_number';
  const right = (align ?? (number ? 'right' : 'left')) === 'right';
  // Text that must look like something fills its bytes, unless the declaration says what else does.
  const usual = right ? BLANK : content === undefined && type !== 'time' ? 0 : undefined;
  const fill = pad ?? usual ?? (terminator === undefined && align === undefined ? undefined : 0);
  return fill === undefined ? undefined : { pad: fill, right, terminator };
}

function measuredText(declaration: FieldDeclaration, slice: TextSlice, scope: Scope): FieldCodec {
  const { max } = declaration;
  const encoding = encodingOf(declaration);
  const extent = extentCodec(declaration.length ?? 'rest', scope);
  const most = Math.min(max ?? scope.limit, extent.most);
  const { fixed } = extent;
  const filling = fixed === undefined ? undefined : fillingOf(declaration);
  if (fixed !== undefined && filling === undefined) return exactText(declaration, slice, fixed, most);
  const bytesOfText = (value: unknown, writing: Writing): Uint8Array => {
    const bytes = slice.encode(value, writing);
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
      const stop = at + length;
      if (stop > reading.end) return reading.short(length);
      reading.at = stop;
      if (filling === undefined) return slice.read(reading, at, stop);
      const end = withoutFill(reading.bytes, at, stop, filling, encoding);
      return slice.read(reading, startOfText(reading.bytes, at, end, filling, encoding), end);
    },
    check(reading) {
      const length = extent.look(reading, 1);
      const at = reading.at;
      if (length < 0 || length > most || !reading.skip(length)) return false;
      if (filling === undefined) return slice.fits(reading.bytes, at, at + length);
      const end = withoutFill(reading.bytes, at, at + length, filling, encoding);
      return slice.fits(reading.bytes, startOfText(reading.bytes, at, end, filling, encoding), end);
    },
    write(writing, value) {
      const bytes = bytesOfText(value, writing);
      if (fixed === undefined || filling === undefined) {
        extent.write(writing, bytes.length);
        writing.put(bytes);
        return;
      }
      const end = withoutFill(bytes, 0, bytes.length, filling, encoding);
      if (end < bytes.length || startOfText(bytes, 0, end, filling, encoding) > 0)
        throw endsEarly(bytes, filling, encoding, value);
      putFilled(writing, bytes, fixed, filling, encoding);
    },
    measure: (value) => bytesOfText(value, NOWHERE).length,
  };
}

/** Text that fills all of its bytes, always the same number. What is plain ASCII needs no list of its bytes. */
function exactText(declaration: FieldDeclaration, slice: TextSlice, fixed: number, most: number): FieldCodec {
  const { type, value: constant, content } = declaration;
  const encoding = encodingOf(declaration);
  const isPlain = type === 'text' && constant === undefined && fixed <= MOST_ASCII && fixed <= most;
  const readsPlain = isPlain && content !== undefined && unitOf(encoding) === 1;
  const writesPlain = isPlain && (encoding === 'ascii' || encoding === 'latin1' || encoding === 'utf8');
  return {
    min: fixed,
    max: most,
    read(reading) {
      const at = reading.at;
      if (fixed > most) return tooMany(reading, fixed, most, 'bytes');
      const stop = at + fixed;
      if (stop > reading.end) return reading.short(fixed);
      reading.at = stop;
      const fits = readsPlain && contentFits(content, reading.bytes, at, stop);
      return (fits ? byteText(reading.bytes, at, stop, 0x7f) : undefined) ?? slice.read(reading, at, stop);
    },
    check(reading) {
      const at = reading.at;
      return fixed <= most && reading.skip(fixed) && slice.fits(reading.bytes, at, at + fixed);
    },
    write(writing, value) {
      if (writesPlain && putPlain(writing, value, fixed, content)) return;
      const bytes = slice.encode(value, writing);
      if (bytes.length > most)
        throw new FieldError(`must have at most ${most} bytes`, `${bytes.length} bytes`);
      if (bytes.length !== fixed) throw new FieldError(`must have exactly ${fixed} bytes`, shown(value));
      writing.put(bytes);
    },
    measure: (value) => slice.encode(value, NOWHERE).length,
  };
}

/** Writes ASCII of the right length and look; false where it is something else, of which nothing is written. */
function putPlain(
  writing: Writing,
  value: unknown,
  fixed: number,
  content: FieldDeclaration['content'],
): boolean {
  const { at } = writing;
  if (typeof value !== 'string' || value.length !== fixed || at + fixed > writing.limit) return false;
  writing.take(fixed);
  const { bytes } = writing;
  let all = 0;
  for (let index = 0; index < fixed; index++) {
    const code = value.charCodeAt(index);
    all |= code;
    bytes[at + index] = code;
  }
  if (all < 0x80 && (content === undefined || contentFits(content, bytes, at, at + fixed))) return true;
  writing.at = at;
  return false;
}

/** What is measured refers to nothing that is written. */
const NOWHERE = new Writing();

const encodingOf = ({ encoding, type }: FieldDeclaration): TextEncoding =>
  encoding ?? (type === 'text' ? 'utf8' : 'ascii');

function endsEarly(
  bytes: Uint8Array,
  { pad, right, terminator }: Filling,
  encoding: TextEncoding,
  value: unknown,
): FieldError {
  const unit = unitOf(encoding);
  if (right && startOfPadded(bytes, 0, bytes.length, pad, unit) > 0)
    return new FieldError('must not begin with the byte that fills it up', shown(value));
  if (terminator !== undefined && endOfText(bytes, 0, bytes.length, terminator, encoding) < bytes.length)
    return new FieldError('must not hold the byte that ends it', shown(value));
  if (!right && withoutPad(bytes, 0, bytes.length, pad, unit) < bytes.length)
    return new FieldError('must not end in the byte that fills it up', shown(value));
  return new FieldError('must not hold a zero byte, which ends it', shown(value));
}

function putFilled(
  writing: Writing,
  bytes: Uint8Array,
  fixed: number,
  { pad, right, terminator }: Filling,
  encoding: TextEncoding,
): void {
  const at = writing.take(fixed);
  const unit = unitOf(encoding);
  const put = (place: number, byte: number): void => {
    if (unit === 2) writing.bytes[encoding === 'utf16be' ? place : place + 1] = 0;
    writing.bytes[encoding === 'utf16be' ? place + 1 : place] = byte;
  };
  for (let place = at; place < at + fixed; place += unit) put(place, pad);
  const start = right ? at + fixed - bytes.length : at;
  writing.bytes.set(bytes, start);
  // Zeros stand behind a sign, not in front of it.
  const first = bytes[0];
  if (right && pad === 0x30 && start > at && (first === 0x2b || first === 0x2d)) {
    writing.bytes[start] = pad;
    writing.bytes[at] = first;
  }
  const end = start + bytes.length;
  if (terminator !== undefined && end + unit <= at + fixed) put(end, terminator);
}

function terminatedText(
  declaration: FieldDeclaration,
  slice: TextSlice,
  terminator: number,
  scope: Scope,
): FieldCodec {
  const { max = scope.limit } = declaration;
  const encoding = encodingOf(declaration);
  const unit = unitOf(encoding);
  return {
    min: unit,
    max: max + unit,
    read(reading) {
      const at = reading.at;
      const last = Math.min(reading.end - unit, at + max);
      const end = endOfText(reading.bytes, at, last + unit, terminator, encoding);
      if (end > last) {
        return end + unit > reading.end
          ? reading.short(end + unit - at)
          : tooMany(reading, end - at, max, 'bytes without an end');
      }
      reading.at = end + unit;
      return slice.read(reading, at, end);
    },
    check(reading) {
      const at = reading.at;
      const last = Math.min(reading.end - unit, at + max);
      const end = endOfText(reading.bytes, at, last + unit, terminator, encoding);
      if (end > last) return false;
      reading.at = end + unit;
      return slice.fits(reading.bytes, at, end);
    },
    write(writing, value) {
      const bytes = slice.encode(value, writing);
      if (bytes.length > max) throw new FieldError(`must have at most ${max} bytes`, `${bytes.length} bytes`);
      if (endOfText(bytes, 0, bytes.length, terminator, encoding) < bytes.length)
        throw new FieldError('must not hold the byte that ends it', shown(value));
      writing.put(bytes);
      const at = writing.take(unit);
      writing.bytes.fill(0, at, at + unit);
      writing.bytes[encoding === 'utf16be' ? at + 1 : at] = terminator;
    },
    measure: (value) => slice.encode(value, NOWHERE).length,
  };
}

/** Where the terminator stands; at the end of the bytes, or behind them, where there is none. */
function endOfText(
  bytes: Uint8Array,
  start: number,
  end: number,
  terminator: number,
  encoding: TextEncoding,
): number {
  const unit = unitOf(encoding);
  let at = start;
  if (unit === 1) {
    while (at < end && bytes[at] !== terminator)
      at += terminator < 0x30 ? 1 : characterBytes(encoding, bytes, at, end);
    return at;
  }
  const [low, high] = encoding === 'utf16le' ? [0, 1] : [1, 0];
  while (at + unit <= end && (bytes[at + low] !== terminator || bytes[at + high] !== 0)) at += unit;
  return at;
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

/** Where text of a fixed length ends: at what ends it, whatever stands behind that; else before the fill. */
function withoutFill(
  bytes: Uint8Array,
  start: number,
  end: number,
  { pad, right, terminator }: Filling,
  encoding: TextEncoding,
): number {
  if (terminator !== undefined) {
    const found = Math.min(endOfText(bytes, start, end, terminator, encoding), end);
    if (found < end) return found;
  }
  const unit = unitOf(encoding);
  if (pad !== 0) return right ? end : withoutPad(bytes, start, end, pad, unit);
  if (right) return end;
  let at = start;
  while (at + unit <= end && ((bytes[at] ?? 0) | (unit === 2 ? (bytes[at + 1] ?? 0) : 0)) !== 0) at += unit;
  return Math.min(at + unit > end ? end : at, end);
}

/** Where text that stands at the right begins. */
const startOfText = (
  bytes: Uint8Array,
  start: number,
  end: number,
  { pad, right }: Filling,
  encoding: TextEncoding,
): number => (right ? startOfPadded(bytes, start, end, pad, unitOf(encoding)) : start);

function startOfPadded(bytes: Uint8Array, start: number, end: number, pad: number, unit: number): number {
  // The last of zeros is the number itself.
  const stop = pad === 0x30 ? end - unit : end;
  let at = start;
  while (at + unit <= stop && isPad(bytes, at, pad, unit)) at += unit;
  return at;
}

function isPad(bytes: Uint8Array, at: number, pad: number, unit: number): boolean {
  const low = bytes[at] ?? 0;
  const high = unit === 2 ? (bytes[at + 1] ?? 0) : 0;
  return unit === 1 ? low === pad : low + high === pad && low * high === 0;
}

function withoutPad(bytes: Uint8Array, start: number, end: number, pad: number, unit: number): number {
  let last = end;
  while (last - unit >= start && isPad(bytes, last - unit, pad, unit)) last -= unit;
  return last;
}
