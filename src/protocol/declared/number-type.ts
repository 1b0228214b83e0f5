import type { ByteOrder } from './declaration.ts';

/** A number as it lies in bytes. */
export interface NumberType {
  readonly kind: 'int' | 'float';
  readonly bytes: number;
  readonly signed: boolean;
  readonly little: boolean;
}

/** `u16`, `i24le`, `f32be` ...; undefined for all other names. */
export function parseNumberType(name: string, order: ByteOrder): NumberType | undefined {
  const [, kind, bits, suffix] = /^([uif])(8|16|24|32|40|48|56|64)(le|be)?$/.exec(name) ?? [];
  if (kind === undefined || (kind === 'f' && bits !== '32' && bits !== '64')) return undefined;
  return {
    kind: kind === 'f' ? 'float' : 'int',
    bytes: Number(bits) / 8,
    signed: kind !== 'u',
    little: suffix === undefined ? order === 'little' : suffix === 'le',
  };
}

/** The least and greatest whole number of a type. */
export function wholeRange({ bytes, signed }: NumberType): readonly [bigint, bigint] {
  const bits = BigInt(bytes * 8);
  return signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
}

/** Reads a whole number of at most 6 bytes. */
export type LoadNumber = (bytes: Uint8Array, at: number) => number;
/** Writes a whole number of at most 6 bytes, which is in range. */
export type StoreNumber = (bytes: Uint8Array, at: number, value: number) => void;

const TWO_32 = 0x1_0000_0000;

const b = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

const LOADERS: Readonly<Record<string, LoadNumber>> = {
  u8: (bytes, at) => bytes[at] ?? 0,
  i8: (bytes, at) => ((bytes[at] ?? 0) << 24) >> 24,
  u16be: (bytes, at) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0),
  u16le: (bytes, at) => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8),
  i16be: (bytes, at) => (((bytes[at] ?? 0) << 24) >> 16) | (bytes[at + 1] ?? 0),
  i16le: (bytes, at) => (bytes[at] ?? 0) | (((bytes[at + 1] ?? 0) << 24) >> 16),
  u32be: (bytes, at) =>
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0,
  u32le: (bytes, at) =>
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0,
  i32be: (bytes, at) =>
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0),
  i32le: (bytes, at) =>
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24),
};

/** The reader of a whole number of 1 to 6 bytes. */
export function loaderOf(type: NumberType): LoadNumber {
  const { bytes: size, signed, little } = type;
  const known = LOADERS[`${signed ? 'i' : 'u'}${size * 8}${size === 1 ? '' : little ? 'le' : 'be'}`];
  if (known !== undefined) return known;
  const limit = 2 ** (size * 8);
  return (bytes, at) => {
    let value = 0;
    if (little) for (let i = size - 1; i >= 0; i--) value = value * 256 + b(bytes, at + i);
    else for (let i = 0; i < size; i++) value = value * 256 + b(bytes, at + i);
    return signed && value >= limit / 2 ? value - limit : value;
  };
}

/** The writer of a whole number of 1 to 6 bytes. */
export function storerOf({ bytes: size, little }: NumberType): StoreNumber {
  const limit = 2 ** (size * 8);
  return (bytes, at, value) => {
    let left = value < 0 ? value + limit : value;
    for (let i = 0; i < size; i++) {
      bytes[little ? at + i : at + size - 1 - i] = left % 256;
      left = Math.floor(left / 256);
    }
  };
}

/** A whole number of 7 or 8 bytes: a number where it is exact, else a bigint. */
export function loadWide(type: NumberType, bytes: Uint8Array, at: number): number | bigint {
  const { bytes: size, signed, little } = type;
  let high = 0;
  let low = 0;
  for (let i = 0; i < size; i++) {
    const byte = b(bytes, little ? at + size - 1 - i : at + i);
    if (i < size - 4) high = high * 256 + byte;
    else low = low * 256 + byte;
  }
  if (signed && high >= 2 ** ((size - 4) * 8 - 1)) high -= 2 ** ((size - 4) * 8);
  const value = high * TWO_32 + low;
  return Number.isSafeInteger(value) ? value : BigInt(high) * BigInt(TWO_32) + BigInt(low);
}

/** Writes a whole number of any size, which is in range. */
export function storeWide({ bytes: size, little }: NumberType, bytes: Uint8Array, at: number, value: bigint) {
  let left = BigInt.asUintN(size * 8, value);
  for (let i = 0; i < size; i++) {
    bytes[little ? at + i : at + size - 1 - i] = Number(left & 0xffn);
    left >>= 8n;
  }
}

// One scratch serves all: nothing is awaited between writing and reading it.
const scratch = new DataView(new ArrayBuffer(8));

export function loadFloat({ bytes: size, little }: NumberType, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < size; i++) scratch.setUint8(i, b(bytes, at + i));
  return size === 4 ? scratch.getFloat32(0, little) : scratch.getFloat64(0, little);
}

export function storeFloat(
  { bytes: size, little }: NumberType,
  bytes: Uint8Array,
  at: number,
  value: number,
): void {
  if (size === 4) scratch.setFloat32(0, value, little);
  else scratch.setFloat64(0, value, little);
  for (let i = 0; i < size; i++) bytes[at + i] = scratch.getUint8(i);
}

/** The unsigned 64-bit pattern of a float, to compare it bit by bit. */
export function floatBits(type: NumberType, bytes: Uint8Array, at: number): bigint {
  let bits = 0n;
  for (let i = 0; i < type.bytes; i++) {
    bits = (bits << 8n) | BigInt(b(bytes, type.little ? at + type.bytes - 1 - i : at + i));
  }
  return bits;
}

/** The whole number that a declaration writes as a number or as text (decimal or `0x...`); undefined for all else. */
export function parseWhole(text: number | string): bigint | undefined {
  if (typeof text === 'number') return Number.isSafeInteger(text) ? BigInt(text) : undefined;
  if (!/^-?(?:\d{1,24}|0x[0-9a-fA-F]{1,16})$/.test(text)) return undefined;
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

/** As JSON carries it: a number where it is exact, else decimal text. */
export function wholeAsJson(value: number | bigint): number | string {
  if (typeof value === 'number') return value;
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();
}
