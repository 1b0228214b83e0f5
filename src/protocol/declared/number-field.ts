import type { FieldDeclaration, Range } from './declaration.ts';
import { type EnumNames, enumNames } from './enum-names.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { loaderOf, type NumberType, parseWhole, storerOf, wholeRange } from './number-type.ts';
import { numberOf } from './quantity.ts';
import type { Reading } from './reading.ts';
import { makeScaling, type Scaling } from './scaling.ts';
import type { Value } from './value.ts';
import { FieldError, shown } from './writing.ts';

/** A whole number of at most 48 bits: plain, scaled, or with names. */
export function numberField(declaration: FieldDeclaration, type: NumberType, scope: Scope): FieldCodec {
  const load = loaderOf(type);
  const store = storerOf(type);
  const size = type.bytes;
  const [least, greatest] = wholeRange(type).map(Number) as [number, number];
  const scaling = scalingOf(declaration, Math.max(-least, greatest));
  const names = enumNames(declaration.enum, scope.enums);
  const invalid = listOf(declaration.invalid ?? []).map((each) => inType(each, type));
  const { slot } = scope;
  const convert = converter(scaling, names, invalid, declaration.range);
  const toRaw = encoder(declaration, scaling, names, invalid);

  const read =
    convert === undefined && slot < 0
      ? (reading: Reading): Value | undefined => {
          const at = reading.at;
          if (at + size > reading.end) return reading.short(size);
          reading.at = at + size;
          return load(reading.bytes, at);
        }
      : (reading: Reading): Value | undefined => {
          const at = reading.at;
          if (at + size > reading.end) return reading.short(size);
          reading.at = at + size;
          const raw = load(reading.bytes, at);
          if (slot >= 0) reading.slots[slot] = raw;
          return convert === undefined ? raw : convert(raw, reading);
        };
  return {
    min: size,
    max: size,
    read,
    check(reading) {
      const at = reading.at;
      if (!reading.skip(size)) return false;
      if (slot >= 0) reading.slots[slot] = load(reading.bytes, at);
      return true;
    },
    write(writing, given) {
      const value = names === undefined ? numberOf(given, declaration.unit) : given;
      const raw = toRaw(value);
      if (raw < least || raw > greatest) throw outOfType(value, scaling, least, greatest);
      if (slot >= 0) writing.slots[slot] = raw;
      const at = writing.take(size);
      store(writing.bytes, at, raw);
    },
  };
}

/** One, or a list of them. */
export const listOf = <T extends number | string>(each: T | readonly T[]): readonly T[] =>
  typeof each === 'object' ? each : [each];

/** The raw value that a declaration means, as the type would read it: 0xFFFF is -1 in an i16. */
function inType(declared: number | string, type: NumberType): number {
  const whole = parseWhole(declared) ?? 0n;
  const bits = type.bytes * 8;
  return Number(type.signed ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole));
}

/** The scale that is declared; undefined where it is 1, and where another field says it. */
export function scalingOf({ scale, offset }: FieldDeclaration, largest: number): Scaling | undefined {
  if (typeof scale === 'object') return undefined;
  if ((scale ?? 1) === 1 && (offset ?? 0) === 0) return undefined;
  return makeScaling(scale ?? 1, offset ?? 0, largest);
}

type Convert = (raw: number, reading: Reading) => Value | undefined;

function converter(
  scaling: Scaling | undefined,
  names: EnumNames | undefined,
  invalid: readonly number[],
  range: Range | undefined,
): Convert | undefined {
  let convert: Convert | undefined;
  if (names !== undefined) {
    convert = (raw, reading) => {
      const name = names.nameOf(raw);
      if (name === undefined) {
        reading.issue('unknown_value', `${raw} has no name`);
        return raw;
      }
      reading.keepRaw(raw);
      return name;
    };
  } else if (scaling !== undefined) {
    const { toValue } = scaling;
    convert = (raw, reading) => {
      const value = toValue(raw);
      if (value !== raw) reading.keepRaw(raw);
      return value;
    };
  }
  if (range !== undefined) convert = withRange(convert, range);
  const [first] = invalid;
  if (first === undefined) return convert;
  const inner = convert;
  const isInvalid =
    invalid.length === 1 ? (raw: number) => raw === first : (raw: number) => invalid.includes(raw);
  return (raw, reading) => {
    if (isInvalid(raw)) {
      reading.keepRaw(raw);
      return undefined;
    }
    return inner === undefined ? raw : inner(raw, reading);
  };
}

function withRange(inner: Convert | undefined, range: Range): Convert {
  return (raw, reading) => {
    const value = inner === undefined ? raw : inner(raw, reading);
    checkRange(value, range, reading);
    return value;
  };
}

/** A value outside its declared range is an issue when it is received. */
export function checkRange(
  value: Value | bigint | undefined,
  range: Range | undefined,
  reading: Reading,
): void {
  if (range === undefined || (typeof value !== 'number' && typeof value !== 'bigint')) return;
  if (within(value, range)) return;
  reading.issue('out_of_range', `${value} is not ${rangeInWords(range)}`);
}

export function within(value: number | bigint, [least, greatest]: Range): boolean {
  return (least === null || value >= least) && (greatest === null || value <= greatest);
}

export function rangeInWords([least, greatest]: Range): string {
  if (least === null) return greatest === null ? 'any number' : `at most ${greatest}`;
  return greatest === null ? `at least ${least}` : `${least} to ${greatest}`;
}

/** From a value to the whole raw number, which may still be beyond the type. */
function encoder(
  { range, value: constant }: FieldDeclaration,
  scaling: Scaling | undefined,
  names: EnumNames | undefined,
  invalid: readonly number[],
): (value: unknown) => number {
  const [first] = invalid;
  return (value) => {
    if ((value === undefined || value === null) && first !== undefined && constant === undefined)
      return first;
    const raw = rawOf(value, scaling, names);
    if (range !== undefined && typeof value === 'number' && !within(value, range)) {
      throw new FieldError(`must be ${rangeInWords(range)}`, shown(value));
    }
    if (invalid.includes(raw)) throw new FieldError('is the value that says "no value"', shown(value));
    return raw;
  };
}

function rawOf(value: unknown, scaling: Scaling | undefined, names: EnumNames | undefined): number {
  if (names !== undefined && typeof value === 'string') {
    const raw = names.rawOf(value);
    if (raw !== undefined) return Number(raw);
    throw new FieldError(`must be one of ${listed(names.names)}`, shown(value));
  }
  if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new FieldError(
      names === undefined ? 'must be a number' : `must be one of ${listed(names.names)}, or a number`,
      shown(value),
    );
  }
  if (scaling !== undefined) return scaling.toRaw(value) + 0;
  if (!Number.isInteger(value)) throw new FieldError('must be a whole number', shown(value));
  return value + 0;
}

export function listed(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(', ')} ...` : names.join(', ');
}

function outOfType(
  value: unknown,
  scaling: Scaling | undefined,
  least: number,
  greatest: number,
): FieldError {
  const bounds: Range = scaling ? [scaling.toValue(least), scaling.toValue(greatest)] : [least, greatest];
  const [a, b] = bounds;
  return new FieldError(
    `must be ${rangeInWords(a !== null && b !== null && a > b ? [b, a] : bounds)}`,
    shown(value),
  );
}
