import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec } from './field-codec.ts';
import { checkRange, rangeInWords, scalingOf, within } from './number-field.ts';
import { floatBits, loadFloat, type NumberType, parseWhole, storeFloat, storeWide } from './number-type.ts';
import { numberOf } from './quantity.ts';
import { FieldError, shown } from './writing.ts';

/** `f32` or `f64`. `invalid` is a bit pattern, because most devices use a NaN. */
export function floatField(declaration: FieldDeclaration, type: NumberType): FieldCodec {
  const { range } = declaration;
  const size = type.bytes;
  const scaling = scalingOf(declaration, 1);
  const invalid = declaration.invalid === undefined ? undefined : parseWhole(declaration.invalid);
  return {
    min: size,
    max: size,
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      if (invalid !== undefined && floatBits(type, reading.bytes, at) === invalid) {
        reading.keepRaw(`0x${invalid.toString(16)}`);
        return undefined;
      }
      const exact = loadFloat(type, reading.bytes, at);
      if (!Number.isFinite(exact)) {
        reading.keepRaw(String(exact));
        reading.issue('not_finite', `${exact} is no number that JSON can carry`);
        return undefined;
      }
      const raw = size === 4 ? shortest(exact) : exact + 0;
      if (scaling === undefined) {
        checkRange(raw, range, reading);
        return raw;
      }
      const value = scaling.toValue(raw);
      if (!Number.isFinite(value)) {
        reading.keepRaw(raw);
        reading.issue('not_finite', `${raw} in its scale is no number that JSON can carry`);
        return undefined;
      }
      if (value !== raw) reading.keepRaw(raw);
      checkRange(value, range, reading);
      return value;
    },
    check: (reading) => reading.skip(size),
    write(writing, given) {
      const value = numberOf(given, declaration.unit);
      if ((value === undefined || value === null) && invalid !== undefined) {
        const at = writing.take(size);
        storeWide(type, writing.bytes, at, invalid);
        return;
      }
      if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw new FieldError('must be a number', shown(value));
      }
      if (range !== undefined && !within(value, range)) {
        throw new FieldError(`must be ${rangeInWords(range)}`, shown(value));
      }
      const raw = scaling === undefined ? value : scaling.toFloat(value);
      if (!Number.isFinite(size === 4 ? Math.fround(raw) : raw)) {
        throw new FieldError(`is too large for f${size * 8}`, shown(value));
      }
      const at = writing.take(size);
      storeFloat(type, writing.bytes, at, raw);
      if (invalid !== undefined && floatBits(type, writing.bytes, at) === invalid) {
        throw new FieldError('is the value that says "no value"', shown(value));
      }
    },
  };
}

/** Every whole number up to here is one of single precision. */
const EXACT_BELOW = 2 ** 24;
/** Below it a number has fewer digits, down to one. */
const LEAST_NORMAL = 2 ** -126;

/** The shortest decimal that is the same single-precision number: 230.2, not 230.1999969482422. */
function shortest(value: number): number {
  const size = Math.abs(value);
  // Beyond it a whole number has more digits than are its own: 3.4e38, not 339999995214436420000000000000000000000.
  if (Number.isInteger(value) && size <= EXACT_BELOW) return value + 0;
  if (size >= 1e-3 && size < 1e7) {
    const power = 10 ** (5 - Math.floor(Math.log10(size)));
    const six = Math.round(value * power) / power;
    if (Math.fround(six) === value) return six;
    const seven = Math.round(value * power * 10) / (power * 10);
    if (Math.fround(seven) === value) return seven;
  }
  for (let digits = size < LEAST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return Number(value.toPrecision(9));
}
