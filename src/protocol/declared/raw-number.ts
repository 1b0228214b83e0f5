import type { FieldDeclaration } from './declaration.ts';
import { listOf } from './number-field.ts';
import {
  loaderOf,
  loadFloat,
  loadWide,
  type NumberType,
  parseWhole,
  storeFloat,
  storerOf,
  storeWide,
  wholeAsJson,
  wholeRange,
} from './number-type.ts';
import type { Reading } from './reading.ts';
import type { Writing } from './writing.ts';

/** A number before its scale: beyond 2^53 it is a bigint. */
export type Raw = number | bigint;

/** How raw numbers lie in bytes. */
export interface RawNumber {
  /** Bounds of its length in bytes. */
  readonly min: number;
  readonly max: number;
  /** Whether raw numbers are whole; with their least and greatest. */
  readonly whole: boolean;
  readonly least: Raw;
  readonly greatest: Raw;
  /** Moves on; undefined where it is no number, which is left in `reading`. */
  read(reading: Reading): Raw | undefined;
  check(reading: Reading): boolean;
  write(writing: Writing, raw: Raw): void;
  /** Whether some raw number says "no value". */
  readonly hasNone: boolean;
  isNone(raw: Raw): boolean;
  writeNone(writing: Writing): void;
}

/** A number of a fixed size, plain or with its sign in the top bit. */
export function fixedNumber(type: NumberType, { sign, invalid }: FieldDeclaration): RawNumber {
  const size = type.bytes;
  const magnitude = sign === 'magnitude' && type.kind === 'int';
  const unsigned: NumberType = { ...type, signed: false };
  const plain = magnitude ? unsigned : type;
  const load = loadOf(plain);
  const store = storeOf(plain);
  const half = 1n << BigInt(8 * size - 1);
  const toNumber = (pattern: Raw): Raw => (magnitude ? fromMagnitude(BigInt(pattern), half) : pattern);
  const none = listOf(invalid ?? []).map((each) => toNumber(patternOf(each, plain)));
  const [least, greatest] = magnitude ? [-(half - 1n), half - 1n] : wholeRange(type);
  const write = (writing: Writing, raw: Raw): void => {
    const at = writing.take(size);
    store(writing.bytes, at, magnitude ? toMagnitude(raw, half) : raw);
  };
  const isNone = (raw: Raw): boolean => none.some((each) => Object.is(each, raw));
  return {
    min: size,
    max: size,
    whole: type.kind === 'int',
    least: type.kind === 'int' ? least : Number.NEGATIVE_INFINITY,
    greatest: type.kind === 'int' ? greatest : Number.POSITIVE_INFINITY,
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      const raw = toNumber(load(reading.bytes, at));
      if (none.length === 0 || !isNone(raw)) return raw;
      reading.keepRaw(wholeAsJson(raw));
      return undefined;
    },
    check: (reading) => reading.skip(size),
    write,
    hasNone: none.length > 0,
    isNone,
    writeNone: (writing) => write(writing, none[0] ?? 0),
  };
}

function loadOf(type: NumberType): (bytes: Uint8Array, at: number) => Raw {
  if (type.kind === 'float') return (bytes, at) => loadFloat(type, bytes, at);
  return type.bytes > 6 ? (bytes, at) => loadWide(type, bytes, at) : loaderOf(type);
}

function storeOf(type: NumberType): (bytes: Uint8Array, at: number, raw: Raw) => void {
  if (type.kind === 'float') return (bytes, at, raw) => storeFloat(type, bytes, at, Number(raw));
  if (type.bytes > 6) return (bytes, at, raw) => storeWide(type, bytes, at, BigInt(raw));
  const store = storerOf(type);
  return (bytes, at, raw) => store(bytes, at, Number(raw));
}

/** A raw number as the type would read it: 0xFFFF is -1 in an i16. */
function patternOf(declared: number | string, type: NumberType): Raw {
  const whole = parseWhole(declared) ?? 0n;
  const bits = type.bytes * 8;
  return smallest(type.signed ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole));
}

/** A number where it is exact, as those that are read. */
export const smallest = (whole: bigint): Raw => (Number.isSafeInteger(Number(whole)) ? Number(whole) : whole);

/** The minus zero that some devices send stays one, so that it is written as it was read. */
function fromMagnitude(pattern: bigint, half: bigint): Raw {
  if (pattern < half) return smallest(pattern);
  const size = smallest(pattern - half);
  return -size;
}

const toMagnitude = (raw: Raw, half: bigint): Raw =>
  raw < 0 || Object.is(raw, -0) ? half + BigInt(typeof raw === 'bigint' ? -raw : Math.abs(raw)) : raw;

const MOST_VARINT_BYTES = 10;

/** An unsigned LEB128 of at most 64 bits, the least significant seven bits first. */
export function varintNumber({ sign, invalid }: FieldDeclaration): RawNumber {
  const zigzag = sign === 'zigzag';
  const toNumber = (pattern: bigint): Raw =>
    smallest(zigzag ? (pattern & 1n ? -((pattern + 1n) >> 1n) : pattern >> 1n) : pattern);
  const none = listOf(invalid ?? []).map((each) => smallest(parseWhole(each) ?? 0n));
  const write = (writing: Writing, raw: Raw): void => {
    const whole = BigInt(raw);
    let left = zigzag ? (whole < 0n ? -2n * whole - 1n : 2n * whole) : whole;
    do {
      const at = writing.take(1);
      writing.bytes[at] = Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0);
      left >>= 7n;
    } while (left > 0n);
  };
  return {
    min: 1,
    max: MOST_VARINT_BYTES,
    whole: true,
    least: zigzag ? -(1n << 63n) : 0n,
    greatest: (1n << (zigzag ? 63n : 64n)) - 1n,
    read(reading) {
      const start = reading.at;
      const size = varintBytes(reading.bytes, start, reading.end);
      if (size < 0) return reading.short(reading.end - start + 1);
      if (size === 0) {
        return reading.fail({
          reason: 'bad_count',
          field: '',
          offset: start - reading.origin,
          expected: 'a varint of at most 64 bits',
          seen: 'more bytes than that',
        });
      }
      reading.at = start + size;
      const raw = toNumber(varintPattern(reading.bytes, start, size));
      if (!none.includes(raw)) return raw;
      reading.keepRaw(wholeAsJson(raw));
      return undefined;
    },
    check(reading) {
      const size = varintBytes(reading.bytes, reading.at, reading.end);
      return size > 0 && reading.skip(size);
    },
    write,
    hasNone: none.length > 0,
    isNone: (raw) => none.includes(raw),
    writeNone: (writing) => write(writing, none[0] ?? 0),
  };
}

/** How many bytes it has; -1 where the payload ends first, 0 where it is longer than 64 bits. */
function varintBytes(bytes: Uint8Array, start: number, end: number): number {
  for (let size = 1; size <= MOST_VARINT_BYTES; size++) {
    if (start + size > end) return -1;
    const byte = bytes[start + size - 1] ?? 0;
    if (byte < 0x80) return size < MOST_VARINT_BYTES || byte <= 1 ? size : 0;
  }
  return 0;
}

function varintPattern(bytes: Uint8Array, start: number, size: number): bigint {
  let pattern = 0n;
  for (let index = size - 1; index >= 0; index--)
    pattern = (pattern << 7n) | BigInt((bytes[start + index] ?? 0) & 0x7f);
  return pattern;
}
