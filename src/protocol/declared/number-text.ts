import { conversionOf, type RawKind } from './conversion.ts';
import type { FieldDeclaration } from './declaration.ts';
import type { Scope } from './field-codec.ts';
import { listOf } from './number-field.ts';
import { fixed, fixedDigits, parseNumberFormat, printed } from './number-format.ts';
import { placed } from './place-text.ts';
import { numberOf } from './quantity.ts';
import { type Raw, smallest } from './raw-number.ts';
import type { ValueText } from './value-text.ts';
import { FieldError, shown } from './writing.ts';

/** More characters are no number that a device prints. */
const LONGEST = 400;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?$/i;
const HEX = /^([+-]?)(?:0x|&h|#h|\$)?([0-9a-f]{1,16})h?$/i;

/** A number in text, decimal or hexadecimal. Text that is none is an issue of its field. */
export function numberText(declaration: FieldDeclaration, scope: Scope): ValueText {
  const hex = declaration.type === 'hex_number';
  const bits =
    hex && declaration.sign === 'twos_complement'
      ? 4 * (declaration.digits ?? fixedDigits(declaration) ?? 16)
      : 0;
  const kind: RawKind = hex
    ? bits > 0
      ? { whole: true, least: -(1n << BigInt(bits - 1)), greatest: (1n << BigInt(bits - 1)) - 1n }
      : { whole: true, least: 0n, greatest: (1n << BigInt(4 * (declaration.digits ?? 16))) - 1n }
    : {
        whole: declaration.time !== undefined || declaration.enum !== undefined,
        least: Number.NEGATIVE_INFINITY,
        greatest: Number.POSITIVE_INFINITY,
      };
  const plainly = hex ? hexParser(declaration, bits) : decimalParser(declaration);
  const plain = hex ? hexPrinter(declaration, bits) : decimalPrinter(declaration);
  const { parse, print } = placed(declaration, scope, plainly, plain);
  const { toValue, toRaw } = conversionOf(declaration, scope, kind);
  const none = listOf(declaration.invalid ?? []).map((each) => ({
    text: String(each).trim(),
    raw: parse(String(each).trim()),
  }));
  const isNone = (text: string, raw: Raw | undefined): boolean =>
    none.some(
      (each) => each.text === text || (raw !== undefined && each.raw !== undefined && each.raw === raw),
    );
  return {
    read(given, reading) {
      const text = given.trim();
      const raw = text.length > LONGEST ? undefined : parse(text);
      if (none.length > 0 && isNone(text, raw)) {
        reading.keepRaw(given);
        return undefined;
      }
      // An empty column or a blank display says nothing.
      if (text === '') return undefined;
      if (raw !== undefined && (typeof raw === 'bigint' || Number.isFinite(raw)))
        return toValue(raw, reading);
      reading.keepRaw(given);
      reading.issue(
        raw === undefined ? 'not_a_number' : 'not_finite',
        `${shown(given)} is no ${hex ? 'hexadecimal ' : ''}number`,
      );
      return undefined;
    },
    write(value, writing) {
      const [first] = none;
      if ((value === undefined || value === null) && first !== undefined) return first.text;
      const raw = toRaw(value, writing);
      if (none.some((each) => each.raw === raw))
        throw new FieldError('is the value that says "no value"', shown(value));
      return print(raw);
    },
  };
}

function decimalParser({
  thousands,
  decimalMark,
  unit,
}: FieldDeclaration): (text: string) => Raw | undefined {
  return (given) => {
    let text = given;
    if (thousands !== undefined) text = withoutThousands(text, thousands, decimalMark ?? '.');
    if (decimalMark !== undefined) text = text.replace(decimalMark, '.');
    text = text.replace(/^([+-])\s+/, '$1');
    if (DECIMAL.test(text)) return decimal(text);
    if (unit === undefined) return undefined;
    const alone = quantity(text, unit);
    return alone === undefined ? undefined : decimal(alone);
  };
}

/** Beyond 2^53 a whole number keeps all its digits. */
function decimal(text: string): Raw {
  const number = Number(text);
  if (!Number.isInteger(number) || Number.isSafeInteger(number) || !/^[+-]?\d{1,40}$/.test(text))
    return number;
  return smallest(BigInt(text.replace(/^\+/, '')));
}

/** Groups of three digits behind the first ones; text with other groups stays as it is, and is no number. */
function withoutThousands(text: string, separator: string, mark: string): string {
  const [whole = '', ...rest] = text.split(mark);
  const [first = '', ...groups] = whole.split(separator);
  if (
    groups.length === 0 ||
    !/^[+-]?\s*\d{1,3}$/.test(first) ||
    !groups.every((each) => /^\d{3}$/.test(each))
  )
    return text;
  return [first + groups.join(''), ...rest].join(mark);
}

/** The digits of a text that repeats the declared unit behind them. */
function quantity(text: string, unit: string): string | undefined {
  try {
    const number = numberOf(text, unit);
    return number === text ? undefined : String(number);
  } catch (error) {
    if (error instanceof FieldError) return undefined;
    throw error;
  }
}

function hexParser(
  { byteOrder, thousands }: FieldDeclaration,
  bits: number,
): (text: string) => Raw | undefined {
  return (given) => {
    const text = thousands === undefined ? given : given.replaceAll(thousands, '');
    const [, sign, digits] = HEX.exec(text.replace(/(?<=[0-9a-f]{2})[ ](?=[0-9a-f]{2})/gi, '')) ?? [];
    if (digits === undefined) return undefined;
    const whole = BigInt(`0x${byteOrder === 'little' ? reversed(digits) : digits}`);
    const value = bits > 0 ? BigInt.asIntN(bits, whole) : whole;
    return smallest(sign === '-' ? -value : value);
  };
}

const reversed = (digits: string): string =>
  (digits.padStart(digits.length + (digits.length % 2), '0').match(/../g) ?? []).reverse().join('');

function decimalPrinter({ decimals, format, decimalMark, scale }: FieldDeclaration): (raw: Raw) => string {
  const spec = format === undefined ? undefined : parseNumberFormat(format);
  return (given) => {
    // 4.56 / 0.01 is a little less than 456.
    const raw = scale === undefined || typeof given === 'bigint' ? given : withoutRest(given);
    const text =
      spec !== undefined
        ? printed(spec, raw)
        : decimals !== undefined && typeof raw === 'number'
          ? fixed(raw, decimals)
          : String(raw).replace('e', 'E');
    return decimalMark === undefined ? text : text.replace('.', decimalMark);
  };
}

/** What a division leaves makes a number far longer than it is without. */
function withoutRest(number: number): number {
  const rounded = Number(number.toPrecision(15));
  return String(rounded).length + 4 <= String(number).length ? rounded : number;
}

function hexPrinter(declaration: FieldDeclaration, bits: number): (raw: Raw) => string {
  const { format, byteOrder, thousands } = declaration;
  const digits = declaration.digits ?? fixedDigits(declaration);
  const spec = format === undefined ? undefined : parseNumberFormat(format);
  return (raw) => {
    const whole = bits > 0 ? BigInt.asUintN(bits, BigInt(raw)) : BigInt(raw);
    if (spec !== undefined) return printed(spec, whole);
    const text = whole
      .toString(16)
      .toUpperCase()
      .padStart(digits ?? 1, '0');
    const ordered = byteOrder === 'little' ? reversed(text) : text;
    return thousands === undefined ? ordered : ordered.replace(/(?!^)(?=(?:..)+$)/g, thousands);
  };
}
