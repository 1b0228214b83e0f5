import type { ByteOrder } from '../framing/byte-order.ts';
import type { FieldDeclaration } from './declaration.ts';
import { listOf } from './number-field.ts';
import { parseWhole } from './number-type.ts';
import { type Raw, type RawNumber, smallest } from './raw-number.ts';
import type { Reading } from './reading.ts';
import type { Writing } from './writing.ts';

/** How many bytes and digits a declaration of binary-coded decimals says. */
export function bcdSize({ length, digits }: FieldDeclaration): {
  readonly bytes: number;
  readonly digits: number;
} {
  const bytes = typeof length === 'number' ? length : Math.ceil((digits ?? 2) / 2);
  return { bytes, digits: digits ?? 2 * bytes };
}

/** Decimal digits in nibbles, with a sign where one is declared. */
export interface BcdNumber extends RawNumber {
  readonly digits: number;
  /** Writes the bytes as they were, the most significant first. */
  writePattern(writing: Writing, pattern: bigint): boolean;
}

export function bcdNumber(declaration: FieldDeclaration, byteOrder: ByteOrder): BcdNumber {
  const { bytes: size, digits: declared } = bcdSize(declaration);
  const { sign, invalid } = declaration;
  const little = (declaration.byteOrder ?? byteOrder) === 'little';
  // A sign behind the digits takes the place of one.
  const digits = sign === 'last_nibble' ? Math.min(declared, 2 * size - 1) : declared;
  const none = listOf(invalid ?? []).map((each) => BigInt.asUintN(8 * size, parseWhole(each) ?? 0n));
  const limit = 10n ** BigInt(digits);
  const nibbles = 2 * size;

  const patternAt = (reading: Reading, at: number): bigint => {
    let pattern = 0n;
    for (let index = 0; index < size; index++)
      pattern = (pattern << 8n) | BigInt(reading.bytes[little ? at + size - 1 - index : at + index] ?? 0);
    return pattern;
  };
  const writePattern = (writing: Writing, pattern: bigint): boolean => {
    if (pattern < 0n || pattern >= 1n << BigInt(8 * size)) return false;
    const at = writing.take(size);
    let left = pattern;
    for (let index = 0; index < size; index++) {
      writing.bytes[little ? at + index : at + size - 1 - index] = Number(left & 0xffn);
      left >>= 8n;
    }
    return true;
  };
  /** The digits of the nibbles from the most significant on, and their sign; undefined where one is no digit. */
  const rawOf = (pattern: bigint): Raw | undefined => {
    const text = pattern.toString(16).padStart(nibbles, '0');
    let body = sign === 'last_nibble' ? text.slice(0, -1) : text;
    let minus = false;
    if (sign === 'last_nibble') {
      const last = text.at(-1) ?? '';
      if (!/[a-f]/.test(last)) return undefined;
      minus = last === 'd' || last === 'b';
    } else if (sign === 'first_nibble' && text.startsWith('f')) {
      minus = true;
      body = `0${text.slice(1)}`;
    } else if (sign === 'magnitude' && pattern >> BigInt(8 * size - 1) === 1n) {
      minus = true;
      body = (pattern & ((1n << BigInt(8 * size - 1)) - 1n)).toString(16).padStart(nibbles, '0');
    }
    const own = body.slice(-digits);
    // What stands in front of the digits is filled up with zeros or with ones.
    if (!/^\d+$/.test(own) || !/^[0f]*$/.test(body.slice(0, -digits))) return undefined;
    const whole = smallest(BigInt(own));
    return minus ? -whole : whole;
  };
  const write = (writing: Writing, raw: Raw): void => {
    const minus = raw < 0 || Object.is(raw, -0);
    const body = BigInt(minus ? -raw : raw)
      .toString()
      .padStart(sign === 'last_nibble' ? nibbles - 1 : nibbles, '0');
    let pattern = BigInt(`0x${sign === 'last_nibble' ? `${body}${minus ? 'd' : 'c'}` : body}`);
    if (minus && sign === 'magnitude') pattern |= 1n << BigInt(8 * size - 1);
    if (minus && sign === 'first_nibble') pattern |= 0xfn << BigInt(8 * size - 4);
    writePattern(writing, pattern);
  };
  const topDigit = sign === 'magnitude' && digits === nibbles ? (limit / 10n) * 8n : limit;
  const mostNegative = sign === 'first_nibble' && digits === nibbles ? limit / 10n : topDigit;
  return {
    min: size,
    max: size,
    digits,
    whole: true,
    least: sign === undefined ? 0n : 1n - mostNegative,
    greatest: topDigit - 1n,
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      const pattern = patternAt(reading, at);
      const raw = none.includes(pattern) ? undefined : rawOf(pattern);
      if (raw !== undefined) return raw;
      const shown = `0x${pattern.toString(16).padStart(nibbles, '0')}`;
      reading.keepRaw(shown);
      if (!none.includes(pattern)) reading.issue('not_a_number', `${shown} is not all decimal digits`);
      return undefined;
    },
    check: (reading) => reading.skip(size),
    write,
    writePattern,
    hasNone: none.length > 0,
    isNone: (raw) => none.some((pattern) => rawOf(pattern) === raw),
    writeNone: (writing) => writePattern(writing, none[0] ?? 0n),
  };
}
