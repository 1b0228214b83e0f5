import type { ByteOrder } from './declaration.ts';
import { halfBits, halfOf } from './half.ts';

/** A number as it lies in bytes. */
export interface NumberType {
  readonly kind: 'int' | 'float';
  readonly bytes: number;
  readonly signed: boolean;
  readonly little: boolean;
  /** Only in an order of words that is neither big nor little. */
  readonly mixed?: MixedOrder;
}

interface MixedOrder {
  /** Where the bytes lie, the most significant one first. */
  readonly places: readonly number[];
  /** The same number, its most significant byte first. */
  readonly plain: NumberType;
}

/** `u16`, `i24le`, `f32be`, `u32cdab` ...; undefined for all other names. */
export function parseNumberType(name: string, order: ByteOrder): NumberType | undefined {
  const [, kind, bits, suffix] = /^([uif])(8|16|24|32|40|48|56|64)(le|be|cdab|badc)?$/.exec(name) ?? [];
  if (kind === undefined) return undefined;
  const bytes = Number(bits) / 8;
  if (kind === 'f' && bytes !== 2 && bytes !== 4 && bytes !== 8) return undefined;
  const mixed = suffix === 'cdab' || suffix === 'badc';
  if (mixed && bytes !== 4 && bytes !== 8) return undefined;
  const little = suffix === undefined ? order === 'little' : suffix === 'le';
  const plain: NumberType = { kind: kind === 'f' ? 'float' : 'int', bytes, signed: kind !== 'u', little };
  return mixed ? { ...plain, mixed: { places: placesOf(suffix, bytes), plain } } : plain;
}

/** Of two letters for two bytes: `cdab` has the low word first, `badc` the low byte of each word. */
function placesOf(order: 'cdab' | 'badc', bytes: number): readonly number[] {
  return Array.from({ length: bytes }, (_, place) =>
    order === 'badc' ? place ^ 1 : bytes - 2 - (place & ~1) + (place & 1),
  );
}

// One room serves all: nothing is awaited between filling it and reading it.
const room = new Uint8Array(8);

/** The bytes of a number in a mixed order, the most significant one first. */
function gathered({ places }: MixedOrder, bytes: Uint8Array, at: number): Uint8Array {
  for (let index = 0; index < places.length; index++) room[index] = bytes[at + (places[index] ?? 0)] ?? 0;
  return room;
}

function scatter({ places }: MixedOrder, bytes: Uint8Array, at: number): void {
  for (let index = 0; index < places.length; index++) bytes[at + (places[index] ?? 0)] = room[index] ?? 0;
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
  const { bytes: size, signed, little, mixed } = type;
  if (mixed !== undefined) {
    const load = loaderOf(mixed.plain);
    return (bytes, at) => load(gathered(mixed, bytes, at), 0);
  }
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
export function storerOf(type: NumberType): StoreNumber {
  const { bytes: size, little, mixed } = type;
  if (mixed !== undefined) {
    const store = storerOf(mixed.plain);
    return (bytes, at, value) => {
      store(room, 0, value);
      scatter(mixed, bytes, at);
    };
  }
  if (size === 1) {
    return (bytes, at, value) => {
      bytes[at] = value;
    };
  }
  if (size === 2) {
    return (bytes, at, value) => {
      bytes[little ? at : at + 1] = value;
      bytes[little ? at + 1 : at] = value >> 8;
    };
  }
  if (size === 4) {
    return (bytes, at, value) => {
      bytes[little ? at : at + 3] = value;
      bytes[little ? at + 1 : at + 2] = value >> 8;
      bytes[little ? at + 2 : at + 1] = value >> 16;
      bytes[little ? at + 3 : at] = value >> 24;
    };
  }
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
  if (type.mixed !== undefined) return loadWide(type.mixed.plain, gathered(type.mixed, bytes, at), 0);
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
export function storeWide(type: NumberType, bytes: Uint8Array, at: number, value: bigint): void {
  const { bytes: size, little, mixed } = type;
  if (mixed !== undefined) {
    storeWide(mixed.plain, room, 0, value);
    scatter(mixed, bytes, at);
    return;
  }
  let left = BigInt.asUintN(size * 8, value);
  for (let i = 0; i < size; i++) {
    bytes[little ? at + i : at + size - 1 - i] = Number(left & 0xffn);
    left >>= 8n;
  }
}

// As `room`, for floats.
const scratch = new DataView(new ArrayBuffer(8));

export function loadFloat(type: NumberType, bytes: Uint8Array, at: number): number {
  const { bytes: size, little, mixed } = type;
  if (mixed !== undefined) return loadFloat(mixed.plain, gathered(mixed, bytes, at), 0);
  if (size === 2)
    return halfOf(little ? (b(bytes, at + 1) << 8) | b(bytes, at) : (b(bytes, at) << 8) | b(bytes, at + 1));
  for (let i = 0; i < size; i++) scratch.setUint8(i, b(bytes, at + i));
  return size === 4 ? scratch.getFloat32(0, little) : scratch.getFloat64(0, little);
}

export function storeFloat(type: NumberType, bytes: Uint8Array, at: number, value: number): void {
  const { bytes: size, little, mixed } = type;
  if (mixed !== undefined) {
    storeFloat(mixed.plain, room, 0, value);
    scatter(mixed, bytes, at);
    return;
  }
  if (size === 2) {
    const bits = halfBits(value);
    bytes[little ? at : at + 1] = bits & 0xff;
    bytes[little ? at + 1 : at] = bits >> 8;
    return;
  }
  if (size === 4) scratch.setFloat32(0, value, little);
  else scratch.setFloat64(0, value, little);
  for (let i = 0; i < size; i++) bytes[at + i] = scratch.getUint8(i);
}

/** The unsigned 64-bit pattern of a float, to compare it bit by bit. */
export function floatBits(type: NumberType, bytes: Uint8Array, at: number): bigint {
  if (type.mixed !== undefined) return floatBits(type.mixed.plain, gathered(type.mixed, bytes, at), 0);
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
