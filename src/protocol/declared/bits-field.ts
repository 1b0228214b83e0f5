import { bitsOf, parseBits } from './bit-range.ts';
import { type Conversion, conversionOf } from './conversion.ts';
import type { BitDeclaration, FieldDeclaration } from './declaration.ts';
import { type EnumNames, enumNames } from './enum-names.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { listed, listOf } from './number-field.ts';
import { loaderOf, loadWide, type NumberType, parseWhole, storeWide, wholeAsJson } from './number-type.ts';
import { type Raw, smallest } from './raw-number.ts';
import { joinPath, nameIssues, type Reading } from './reading.ts';
import { isValues, ownValue, type Value } from './value.ts';
import { FieldError, shown, type Writing } from './writing.ts';

interface Bit {
  readonly name: string;
  readonly from: number;
  readonly count: number;
  readonly names: EnumNames | undefined;
  readonly unit: string | undefined;
  /** Of bits that are more than an unsigned number or names. */
  readonly quantity: BitQuantity | undefined;
}

/** Under this name stand the bits that have no name, in their places, where any of them is set. */
export const UNDECLARED_BITS = 'undeclared';

/** Bits with a sign, a scale, or a raw value that says "no value". */
interface BitQuantity extends Conversion {
  readonly signed: boolean;
  /** Raw values that say "no value". */
  readonly none: readonly Raw[];
}

/** Named bits of a whole number; a single bit without names is true or false. */
export function bitsField(declaration: FieldDeclaration, type: NumberType, scope: Scope): FieldCodec {
  const size = type.bytes;
  const bits = (declaration.bits ?? []).flatMap((bit) => compiled(bit, scope));
  const nameless = namelessOf(bits, size) & ~(scope.idBits?.(size) ?? 0n);
  const restOf = namelessIn(nameless, size);
  const load = loaderOf(type);
  const { slot } = scope;

  return {
    min: size,
    max: size,
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      const raw = size > 6 ? loadWide(type, reading.bytes, at) : load(reading.bytes, at);
      if (slot >= 0) reading.slots[slot] = Number(raw);
      const values: Record<string, Value> = {};
      for (const { name, from, count, names, unit, quantity } of bits) {
        const number =
          typeof raw === 'number'
            ? bitsOf(raw, from, count)
            : smallest(BigInt.asUintN(count, raw >> BigInt(from)));
        let value: Value | undefined =
          count === 1 && names === undefined ? number === 1 : wholeAsJson(number);
        if (quantity !== undefined) value = quantityOf(quantity, number, count, name, reading);
        else if (names !== undefined) {
          const known = names.nameOf(number);
          if (known !== undefined) value = known;
          else {
            reading.issue('unknown_value', `${number} has no name`, name);
          }
        }
        if (value !== undefined) values[name] = value;
        reading.trace?.push({
          field: name,
          offset: at - reading.origin,
          bytes: size,
          raw: wholeAsJson(number),
          ...(value === undefined ? {} : { value }),
          ...(unit === undefined ? {} : { unit }),
          depth: reading.depth,
          note: count === 1 ? `bit ${from}` : `bits ${from}..${from + count - 1}`,
        });
      }
      const rest = restOf(raw);
      if (rest !== 0) {
        const value = wholeAsJson(rest);
        values[UNDECLARED_BITS] = value;
        reading.trace?.push({
          field: UNDECLARED_BITS,
          offset: at - reading.origin,
          bytes: size,
          raw: value,
          value,
          depth: reading.depth,
          note: 'bits without a name',
        });
      }
      reading.keepRaw(wholeAsJson(raw));
      return values;
    },
    check(reading) {
      const at = reading.at;
      if (!reading.skip(size)) return false;
      if (slot < 0) return true;
      reading.slots[slot] = size > 6 ? Number(loadWide(type, reading.bytes, at)) : load(reading.bytes, at);
      return true;
    },
    write(writing, value) {
      const raw = wholeOf(value, bits, nameless, type, writing);
      if (slot >= 0) writing.slots[slot] = Number(raw);
      const at = writing.take(size);
      storeWide(type, writing.bytes, at, raw);
    },
  };
}

/** The bits of a number of `size` bytes that no name has. */
function namelessOf(bits: readonly Bit[], size: number): bigint {
  let rest = (1n << BigInt(8 * size)) - 1n;
  for (const { from, count } of bits) rest &= ~(((1n << BigInt(count)) - 1n) << BigInt(from));
  return rest;
}

/** Those of them that are set in a number; 0 where none is. */
function namelessIn(nameless: bigint, size: number): (raw: Raw) => Raw {
  if (nameless === 0n) return () => 0;
  if (size > 4) return (raw) => smallest(BigInt(raw) & nameless);
  const mask = Number(nameless) | 0;
  return (raw) => (Number(raw) & mask) >>> 0;
}

function compiled(bit: BitDeclaration, scope: Scope): Bit[] {
  const { name, at, enum: declared, unit } = bit;
  const range = parseBits(at);
  if (range === undefined) return [];
  return [
    {
      name,
      ...range,
      names: enumNames(declared, scope.enums),
      unit,
      quantity: quantityIn(bit, range.count, scope),
    },
  ];
}

function quantityIn(bit: BitDeclaration, count: number, scope: Scope): BitQuantity | undefined {
  const { signed = false, scale, offset, invalid, unit, enum: names } = bit;
  if (!signed && scale === undefined && offset === undefined && invalid === undefined && unit === undefined)
    return undefined;
  const limit = 1n << BigInt(count);
  const kind = {
    whole: true,
    least: smallest(signed ? -(limit / 2n) : 0n),
    greatest: smallest(signed ? limit / 2n - 1n : limit - 1n),
  };
  const none = listOf(invalid ?? []).map((each) =>
    signedBits(smallest(parseWhole(each) ?? 0n), signed, count),
  );
  return { ...conversionOf({ type: 'bits', scale, offset, unit, enum: names }, scope, kind), signed, none };
}

const signedBits = (raw: Raw, signed: boolean, count: number): Raw =>
  signed ? smallest(BigInt.asIntN(count, BigInt(raw))) : raw;

/** The value of some bits; what they leave is named after them, and their raw number stands within that of all. */
function quantityOf(
  { signed, none, toValue }: BitQuantity,
  bits: Raw,
  count: number,
  name: string,
  reading: Reading,
): Value | undefined {
  const raw = signedBits(bits, signed, count);
  if (none.includes(raw)) return undefined;
  const first = reading.issueCount;
  const value = toValue(raw, reading);
  if (reading.issueCount !== first) nameIssues(reading, first, name);
  return value;
}

function wholeOf(
  value: unknown,
  bits: readonly Bit[],
  nameless: bigint,
  type: NumberType,
  writing: Writing,
): bigint {
  if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
  if (typeof value === 'number' || typeof value === 'string') {
    const whole = parseWhole(value);
    if (whole === undefined || whole < 0n || whole >= 1n << BigInt(type.bytes * 8)) {
      throw new FieldError(
        `must be its bits by name, or a whole number of ${type.bytes * 8} bits`,
        shown(value),
      );
    }
    return whole;
  }
  if (!isValues(value)) throw new FieldError('must be its bits by name', shown(value));
  for (const key of Object.keys(value)) {
    if (!bits.some(({ name }) => name === key) && (key !== UNDECLARED_BITS || nameless === 0n)) {
      throw new FieldError(
        `there is no such bit; there are ${listed(bits.map(({ name }) => name))}`,
        key,
        key,
      );
    }
  }
  let whole = namelessBits(ownValue(value, UNDECLARED_BITS), nameless);
  for (const bit of bits) whole |= bitValue(ownValue(value, bit.name), bit, writing) << BigInt(bit.from);
  return whole;
}

function namelessBits(value: Value | undefined, nameless: bigint): bigint {
  if (value === undefined) return 0n;
  const bits = typeof value === 'number' || typeof value === 'string' ? parseWhole(value) : undefined;
  if (bits !== undefined && bits >= 0n && (bits & ~nameless) === 0n) return bits;
  throw new FieldError(
    `must be bits that have no name, of 0x${nameless.toString(16)}`,
    shown(value),
    UNDECLARED_BITS,
  );
}

function bitValue(value: Value | undefined, { name, count, names, quantity }: Bit, writing: Writing): bigint {
  if (quantity !== undefined) return quantityBits(quantity, value, count, name, writing);
  if (typeof value === 'boolean' && count === 1) return value ? 1n : 0n;
  if (typeof value === 'string') {
    const raw = names === undefined ? parseWhole(value) : names.rawOf(value);
    if (raw !== undefined && raw >= 0n && raw < 1n << BigInt(count)) return raw;
  }
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** count)
    return BigInt(value);
  const possible =
    names === undefined
      ? count === 1
        ? 'true or false'
        : `0 to ${(1n << BigInt(count)) - 1n}`
      : `one of ${listed(names.names)}, or a number`;
  throw new FieldError(
    value === undefined ? 'is missing' : `must be ${possible}`,
    shown(value),
    joinPath('', name),
  );
}

function quantityBits(
  { none, toRaw }: BitQuantity,
  value: Value | undefined,
  count: number,
  name: string,
  writing: Writing,
): bigint {
  const [first] = none;
  if ((value === undefined || value === null) && first !== undefined)
    return BigInt.asUintN(count, BigInt(first));
  try {
    const raw = toRaw(value, writing);
    if (none.includes(raw)) throw new FieldError('is the value that says "no value"', shown(value));
    return BigInt.asUintN(count, BigInt(raw));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new FieldError(error.message, error.seen, joinPath(name, error.path));
  }
}
