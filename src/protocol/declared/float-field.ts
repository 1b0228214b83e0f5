import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec } from './field-codec.ts';
import { roundHalf } from './half.ts';
import { checkRange, listOf, rangeInWords, scalingOf, within } from './number-field.ts';
import { floatBits, loadFloat, type NumberType, parseWhole, storeFloat, storeWide } from './number-type.ts';
import { numberOf } from './quantity.ts';
import { FieldError, shown } from './writing.ts';

/** The word that stands for every NaN in `invalid`, for a NaN among the values that are sent, and for infinities. */
const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** What `f16`, `f32` and `f64` say for "no value": bit patterns, because most devices use a NaN, or every NaN. */
interface Absent {
  readonly patterns: readonly bigint[];
  readonly anyNan: boolean;
}

export const isAnyNan = (declared: number | string): boolean => String(declared).toLowerCase() === 'nan';

function absentOf(invalid: FieldDeclaration['invalid']): Absent | undefined {
  if (invalid === undefined) return undefined;
  const each = listOf(invalid);
  return {
    patterns: each.filter((one) => !isAnyNan(one)).map((one) => parseWhole(one) ?? 0n),
    anyNan: each.some(isAnyNan),
  };
}

/** A floating-point number, shown by the shortest decimal that is the same. */
export function floatField(declaration: FieldDeclaration, type: NumberType): FieldCodec {
  const { range } = declaration;
  const size = type.bytes;
  const scaling = scalingOf(declaration, 1);
  const absent = absentOf(declaration.invalid);
  const [first] = listOf(declaration.invalid ?? []);
  const round = size === 2 ? roundHalf : Math.fround;
  return {
    min: size,
    max: size,
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      const exact = loadFloat(type, reading.bytes, at);
      if (absent !== undefined) {
        const bits = floatBits(type, reading.bytes, at);
        if (absent.patterns.includes(bits) || (absent.anyNan && Number.isNaN(exact))) {
          reading.keepRaw(`0x${bits.toString(16)}`);
          return undefined;
        }
      }
      if (!Number.isFinite(exact)) {
        reading.keepRaw(String(exact));
        reading.issue('not_finite', `${exact} is no number that JSON can carry`);
        return undefined;
      }
      const raw = size === 8 ? exact : shortest(exact, round);
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
      const absence = value === undefined || value === null;
      if (absence && first !== undefined) {
        const at = writing.take(size);
        if (isAnyNan(first)) storeFloat(type, writing.bytes, at, Number.NaN);
        else storeWide({ ...type, kind: 'int' }, writing.bytes, at, parseWhole(first) ?? 0n);
        return;
      }
      if (absence) throw new FieldError('is missing', shown(value));
      if (typeof value === 'string') {
        writePattern(value);
        return;
      }
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw new FieldError('must be a number', shown(value));
      }
      if (range !== undefined && !within(value, range)) {
        throw new FieldError(`must be ${rangeInWords(range)}`, shown(value));
      }
      const raw = scaling === undefined ? value : scaling.toFloat(value);
      if (!Number.isFinite(size === 8 ? raw : round(raw))) {
        throw new FieldError(`is too large for f${size * 8}`, shown(value));
      }
      const at = writing.take(size);
      storeFloat(type, writing.bytes, at, raw);
      if (absent?.patterns.includes(floatBits(type, writing.bytes, at)) === true) {
        throw new FieldError('is the value that says "no value"', shown(value));
      }

      /** What a message carries as `raw` where JSON has no number for it. */
      function writePattern(text: string): void {
        const bits = text.startsWith('0x') ? parseWhole(text) : undefined;
        const special = Object.hasOwn(NOT_FINITE, text) ? NOT_FINITE[text] : undefined;
        const fits = bits !== undefined && bits < 1n << BigInt(8 * size);
        if (!fits && special === undefined) throw new FieldError('must be a number', shown(text));
        const place = writing.take(size);
        if (special !== undefined) storeFloat(type, writing.bytes, place, special);
        else storeWide({ ...type, kind: 'int' }, writing.bytes, place, bits ?? 0n);
      }
    },
  };
}

/** Every whole number up to here is one of single precision. */
const EXACT_BELOW = 2 ** 24;
/** Below it a number has fewer digits, down to one. */
const LEAST_NORMAL = 2 ** -126;

/** The shortest decimal that is the same number of that precision: 230.2, not 230.1999969482422. */
function shortest(value: number, round: (value: number) => number): number {
  const size = Math.abs(value);
  // Beyond it a whole number has more digits than are its own: 3.4e38, not 339999995214436420000000000000000000000.
  if (Number.isInteger(value) && size <= EXACT_BELOW) return value;
  if (round === Math.fround && size >= 1e-3 && size < 1e7) {
    const power = 10 ** (5 - Math.floor(Math.log10(size)));
    const six = Math.round(value * power) / power;
    if (Math.fround(six) === value) return six;
    const seven = Math.round(value * power * 10) / (power * 10);
    if (Math.fround(seven) === value) return seven;
  }
  for (let digits = round !== Math.fround || size < LEAST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (round(rounded) === value) return rounded;
  }
  return Number(value.toPrecision(9));
}
