import { type BcdNumber, bcdNumber } from './bcd.ts';
import { conversionOf } from './conversion.ts';
import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { type NumberType, parseWhole } from './number-type.ts';
import { fixedNumber, type RawNumber, varintNumber } from './raw-number.ts';
import { FieldError, shown } from './writing.ts';

/** Whether a number of this declaration is more than a plain one with a scale or names. */
export const isCoded = ({ sign, scale, negative, time }: FieldDeclaration): boolean =>
  sign !== undefined || typeof scale === 'object' || negative !== undefined || time !== undefined;

/** A number whose bytes, sign, scale or meaning are not those of a plain one. */
export function codedField(declaration: FieldDeclaration, type: NumberType, scope: Scope): FieldCodec {
  return fieldOf(declaration, fixedNumber(type, declaration), scope);
}

export const varintField = (declaration: FieldDeclaration, scope: Scope): FieldCodec =>
  fieldOf(declaration, varintNumber(declaration), scope);

export function bcdField(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const number = bcdNumber(declaration, scope.byteOrder);
  const field = declaration.as === 'text' ? digitsField(number) : fieldOf(declaration, number, scope);
  return {
    ...field,
    write(writing, value) {
      // What a message carries as `raw` where the nibbles are no digits.
      const pattern = typeof value === 'string' && value.startsWith('0x') ? parseWhole(value) : undefined;
      if (pattern === undefined || !number.writePattern(writing, pattern)) field.write(writing, value);
    },
  };
}

function fieldOf(declaration: FieldDeclaration, number: RawNumber, scope: Scope): FieldCodec {
  const { toValue, toRaw } = conversionOf(declaration, scope, number);
  const { slot } = scope;
  return {
    min: number.min,
    max: number.max,
    read(reading) {
      const raw = number.read(reading);
      if (slot >= 0) reading.slots[slot] = raw === undefined ? Number.NaN : Number(raw);
      return raw === undefined ? undefined : toValue(raw, reading);
    },
    check(reading) {
      if (slot < 0) return number.check(reading);
      const raw = number.read(reading);
      reading.slots[slot] = raw === undefined ? Number.NaN : Number(raw);
      return reading.failure === undefined;
    },
    write(writing, value) {
      if ((value === undefined || value === null) && number.hasNone) {
        if (slot >= 0) writing.slots[slot] = Number.NaN;
        number.writeNone(writing);
        return;
      }
      const raw = toRaw(value, writing);
      if (number.isNone(raw)) throw new FieldError('is the value that says "no value"', shown(value));
      if (slot >= 0) writing.slots[slot] = Number(raw);
      number.write(writing, raw);
    },
  };
}

/** Digits that name something, with their zeros in front: the number of a phone or a meter. */
function digitsField(number: BcdNumber): FieldCodec {
  return {
    min: number.min,
    max: number.max,
    read: (reading) => number.read(reading)?.toString().padStart(number.digits, '0'),
    check: number.check,
    write(writing, value) {
      if ((value === undefined || value === null) && number.hasNone) {
        number.writeNone(writing);
        return;
      }
      if (typeof value !== 'string' || !/^\d+$/.test(value) || value.length > number.digits)
        throw new FieldError(`must be a text of at most ${number.digits} digits`, shown(value));
      number.write(writing, BigInt(value));
    },
  };
}
