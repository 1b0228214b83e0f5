import { type ByteOrder, readUnsigned, writeUnsigned } from './byte-order.ts';
import type { LengthType } from './framing-keys.ts';

/** No length can be read yet, or none that is one. */
export const INCOMPLETE = -2;
export const IMPOSSIBLE = -1;

/** A varint that says how long a frame is has at most so many bytes. */
const LONGEST_VARINT = 5;

/** Where a frame says how long it is, and how. */
export interface LengthPlace {
  readonly at: number;
  /** Bytes of it; of a varint the least. */
  readonly width: number;
  readonly kind: 'binary' | 'varint' | 'decimal' | 'hex';
  readonly order: ByteOrder;
  /** So many bytes are counted as one. */
  readonly unit: number;
  /** The bits of the number that are the length, and how far they stand from its end. */
  readonly mask: number | undefined;
  readonly shift: number;
}

/** Width in bytes, and how the digits stand in them. */
export function lengthType(type: LengthType): Pick<LengthPlace, 'width' | 'order' | 'kind'> {
  const order = type.endsWith('le') ? 'little' : 'big';
  if (type === 'varint') return { width: 1, order: 'little', kind: 'varint' };
  if (type.startsWith('dec')) return { width: Number(type.slice(3)), order, kind: 'decimal' };
  if (type.startsWith('hex')) return { width: Number(type.slice(3)), order, kind: 'hex' };
  const bits = Number(/\d+/.exec(type)?.[0] ?? 8);
  return { width: bits / 8, order, kind: 'binary' };
}

/** The length that stands in a frame at `at`, in bytes; `IMPOSSIBLE` or `INCOMPLETE` where there is none. */
export function readLength(place: LengthPlace, bytes: Uint8Array, at: number, tail: number): number {
  const number = readNumber(place, bytes, at, tail);
  if (number < 0) return number;
  const { mask, shift, unit } = place;
  return (
    (mask === undefined ? number : Math.floor(number / 2 ** shift) % (Math.floor(mask / 2 ** shift) + 1)) *
    unit
  );
}

function readNumber(
  { width, kind, order }: LengthPlace,
  bytes: Uint8Array,
  at: number,
  tail: number,
): number {
  switch (kind) {
    case 'binary':
      return readUnsigned(bytes, at, width, order);
    case 'varint': {
      let value = 0;
      for (let index = 0; index < LONGEST_VARINT; index++) {
        if (at + index >= tail) return INCOMPLETE;
        const byte = bytes[at + index] ?? 0;
        value += (byte & 0x7f) * 2 ** (7 * index);
        if (byte < 0x80) return value;
      }
      return IMPOSSIBLE;
    }
    case 'decimal':
    case 'hex': {
      const base = kind === 'hex' ? 16 : 10;
      let value = 0;
      for (let index = 0; index < width; index++) {
        const digit = digitOf(bytes[at + index] ?? 0);
        if (digit >= base) return IMPOSSIBLE;
        value = value * base + digit;
      }
      return value;
    }
  }
}

/** Bytes of the varint that stands at `at`. */
export function varintBytes(bytes: Uint8Array, at: number): number {
  let count = 1;
  while (count < LONGEST_VARINT && (bytes[at + count - 1] ?? 0) >= 0x80) count++;
  return count;
}

/** A number as a varint. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 0x80;
    rest = Math.floor(rest / 0x80);
    bytes.push(rest > 0 ? low + 0x80 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

/** Writes a length of so many units; false where it does not fit. A varint is not written here. */
export function writeLength(place: LengthPlace, frame: Uint8Array, at: number, units: number): boolean {
  const { width, kind, order, mask, shift } = place;
  if (units < 0) return false;
  switch (kind) {
    case 'binary': {
      if (mask === undefined) {
        if (units >= 2 ** (8 * width)) return false;
        writeUnsigned(frame, at, width, order, units);
        return true;
      }
      if (units > Math.floor(mask / 2 ** shift)) return false;
      const present = readUnsigned(frame, at, width, order);
      // No bit operators: they know no unsigned number of 32 bits.
      const kept = Number(BigInt(present) & ~BigInt(mask));
      writeUnsigned(frame, at, width, order, kept + units * 2 ** shift);
      return true;
    }
    case 'decimal':
    case 'hex': {
      const digits = units.toString(kind === 'hex' ? 16 : 10).toUpperCase();
      if (digits.length > width) return false;
      frame.set(new TextEncoder().encode(digits.padStart(width, '0')), at);
      return true;
    }
    case 'varint':
      return false;
  }
}

/** The value of a digit of any base up to 16, or more than that. */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 99;
}
