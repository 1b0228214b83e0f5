import type { FieldDeclaration, Range } from './declaration.ts';
import { enumNames } from './enum-names.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { checkRange, listed, listOf, rangeInWords, scalingOf, within } from './number-field.ts';
import { loadWide, type NumberType, parseWhole, storeWide, wholeAsJson, wholeRange } from './number-type.ts';
import { numberOf } from './quantity.ts';
import { FieldError, shown } from './writing.ts';

/** A whole number of 56 or 64 bits: beyond 2^53 it is decimal text. */
export function wideField(declaration: FieldDeclaration, type: NumberType, scope: Scope): FieldCodec {
  const size = type.bytes;
  const { range } = declaration;
  const [least, greatest] = wholeRange(type);
  const names = enumNames(declaration.enum, scope.enums);
  const scaling = scalingOf(declaration, Number.MAX_SAFE_INTEGER);
  const invalid = listOf(declaration.invalid ?? []).map((each) => wideInType(each, type));
  const [first] = invalid;

  const wholeOf = (value: unknown): bigint => {
    if ((value === undefined || value === null) && first !== undefined) return first;
    if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
    if (names !== undefined && typeof value === 'string') {
      const named = names.rawOf(value);
      if (named !== undefined) return named;
    }
    if (scaling !== undefined && typeof value === 'number') {
      if (range !== undefined && !within(value, range)) throw outOfRange(value, range);
      const raw = scaling.toRaw(value);
      // What is beyond all numbers is beyond the type too, which is reported below.
      if (!Number.isNaN(raw)) return BigInt(Math.max(Math.min(raw, Number.MAX_VALUE), -Number.MAX_VALUE));
    }
    const whole = typeof value === 'string' || typeof value === 'number' ? parseWhole(value) : undefined;
    if (whole !== undefined && scaling === undefined) {
      if (range !== undefined && !within(whole, range)) throw outOfRange(value, range);
      return whole;
    }
    throw new FieldError(
      names === undefined
        ? 'must be a whole number, beyond 2^53 as decimal text'
        : `must be one of ${listed(names.names)}, or a number`,
      shown(value),
    );
  };

  return {
    min: size,
    max: size,
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      const whole = loadWide(type, reading.bytes, at);
      if (scope.slot >= 0) reading.slots[scope.slot] = Number(whole);
      if (first !== undefined && invalid.includes(BigInt(whole))) {
        reading.keepRaw(wholeAsJson(whole));
        return undefined;
      }
      const name = names?.nameOf(whole);
      if (name !== undefined) {
        reading.keepRaw(wholeAsJson(whole));
        return name;
      }
      if (names !== undefined) reading.issue('unknown_value', `${whole} has no name`);
      if (scaling === undefined) {
        checkRange(whole, range, reading);
        return wholeAsJson(whole);
      }
      const value = scaling.toValue(Number(whole));
      if (value !== whole) reading.keepRaw(wholeAsJson(whole));
      checkRange(value, range, reading);
      return value;
    },
    check(reading) {
      const at = reading.at;
      if (!reading.skip(size)) return false;
      if (scope.slot >= 0) reading.slots[scope.slot] = Number(loadWide(type, reading.bytes, at));
      return true;
    },
    write(writing, given) {
      const value = names === undefined ? numberOf(given, declaration.unit) : given;
      const whole = wholeOf(value);
      if (whole < least || whole > greatest)
        throw new FieldError(`must be ${least} to ${greatest}`, shown(value));
      if (value !== undefined && value !== null && invalid.includes(whole)) {
        throw new FieldError('is the value that says "no value"', shown(value));
      }
      if (scope.slot >= 0) writing.slots[scope.slot] = Number(whole);
      const at = writing.take(size);
      storeWide(type, writing.bytes, at, whole);
    },
  };
}

const outOfRange = (value: unknown, range: Range): FieldError =>
  new FieldError(`must be ${rangeInWords(range)}`, shown(value));

function wideInType(declared: number | string, type: NumberType): bigint {
  const whole = parseWhole(declared) ?? 0n;
  return type.signed ? BigInt.asIntN(type.bytes * 8, whole) : BigInt.asUintN(type.bytes * 8, whole);
}
