import type { BitDeclaration, FieldDeclaration } from './declaration.ts';
import { type EnumNames, enumNames } from './enum-names.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { listed } from './number-field.ts';
import { loaderOf, loadWide, type NumberType, parseWhole, storeWide, wholeAsJson } from './number-type.ts';
import { joinPath } from './reading.ts';
import { isValues, ownValue, type Value } from './value.ts';
import { FieldError, shown } from './writing.ts';

interface Bit {
  readonly name: string;
  readonly from: number;
  readonly count: number;
  readonly names: EnumNames | undefined;
}

/** The lowest bit and how many there are: `3` or `2..3`; undefined where it is neither. */
export function parseBits(
  at: number | string,
): { readonly from: number; readonly count: number } | undefined {
  const [, first, last] = /^(\d{1,2})(?:\.\.(\d{1,2}))?$/.exec(String(at)) ?? [];
  if (first === undefined) return undefined;
  const from = Number(first);
  const count = Number(last ?? first) - from + 1;
  return count >= 1 ? { from, count } : undefined;
}

/** Some bits of a raw number. */
export function bitsOf(raw: number, from: number, count: number): number {
  if (from + count <= 31) return (raw >>> from) & ((1 << count) - 1);
  return Math.floor(raw / 2 ** from) % 2 ** count;
}

/** Named bits of a whole number; a single bit without names is true or false. */
export function bitsField(declaration: FieldDeclaration, type: NumberType, scope: Scope): FieldCodec {
  const size = type.bytes;
  const bits = (declaration.bits ?? []).flatMap((bit) => compiled(bit, scope));
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
      for (const { name, from, count, names } of bits) {
        const number =
          typeof raw === 'number'
            ? bitsOf(raw, from, count)
            : Number(BigInt.asUintN(count, raw >> BigInt(from)));
        let value: Value = count === 1 && names === undefined ? number === 1 : number;
        if (names !== undefined) {
          const known = names.nameOf(number);
          if (known !== undefined) value = known;
          else {
            reading.issue('unknown_value', `${number} has no name`, name);
          }
        }
        values[name] = value;
        reading.trace?.push({
          field: name,
          offset: at - reading.origin,
          bytes: size,
          raw: number,
          value,
          depth: reading.depth,
          note: count === 1 ? `bit ${from}` : `bits ${from}..${from + count - 1}`,
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
      const raw = wholeOf(value, bits, type);
      if (slot >= 0) writing.slots[slot] = Number(raw);
      const at = writing.take(size);
      storeWide(type, writing.bytes, at, raw);
    },
  };
}

function compiled({ name, at, enum: declared }: BitDeclaration, scope: Scope): Bit[] {
  const range = parseBits(at);
  return range === undefined ? [] : [{ name, ...range, names: enumNames(declared, scope.enums) }];
}

function wholeOf(value: unknown, bits: readonly Bit[], type: NumberType): bigint {
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
    if (!bits.some(({ name }) => name === key)) {
      throw new FieldError(
        `there is no such bit; there are ${listed(bits.map(({ name }) => name))}`,
        key,
        key,
      );
    }
  }
  let whole = 0n;
  for (const bit of bits) whole |= BigInt(bitValue(ownValue(value, bit.name), bit)) << BigInt(bit.from);
  return whole;
}

function bitValue(value: Value | undefined, { name, count, names }: Bit): number {
  if (typeof value === 'boolean' && count === 1) return value ? 1 : 0;
  if (typeof value === 'string') {
    const raw = names?.rawOf(value);
    if (raw !== undefined) return Number(raw);
  }
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** count) return value;
  const possible =
    names === undefined
      ? count === 1
        ? 'true or false'
        : `0 to ${2 ** count - 1}`
      : `one of ${listed(names.names)}, or a number`;
  throw new FieldError(
    value === undefined ? 'is missing' : `must be ${possible}`,
    shown(value),
    joinPath('', name),
  );
}
