import { HeartwireError } from '../../errors.ts';
import { findChecksum } from '../crc/catalogue.ts';
import type { Checksum, WideChecksum } from '../crc/checksum.ts';
import { readUnsigned } from './byte-order.ts';
import type { CoveredRange, FrameChecksumDeclaration } from './declaration.ts';

const NO_BYTES = new Uint8Array(0);
const DIGITS = new TextEncoder().encode('0123456789ABCDEF');

/** A checksum as it stands behind a payload: separator, then its value in bytes or in hex digits. */
export class ChecksumField {
  /** Bytes on the wire, the separator included. */
  readonly bytes: number;
  readonly bits: number;
  readonly name: string;
  readonly #checksum: Checksum | WideChecksum;
  readonly #littleEndian: boolean;
  readonly #hex: boolean;
  readonly #separator: Uint8Array;
  readonly #covers: readonly CoveredRange[];
  /** The value that was computed last, in the order of the wire. */
  readonly #value: Uint8Array;

  /** `from` is where coverage begins if the declaration does not say, as an offset in the frame. */
  constructor(declaration: FrameChecksumDeclaration, from = 0) {
    const checksum = findChecksum(declaration.algorithm);
    if (checksum === undefined) {
      throw new HeartwireError('bad_argument', 'There is no checksum of this name', {
        seen: declaration.algorithm,
      });
    }
    this.#checksum = checksum;
    this.name = checksum.name;
    this.bits = checksum.bits;
    this.#littleEndian = declaration.order === 'little';
    this.#hex = declaration.encoding === 'hex';
    this.#separator = declaration.separator ?? NO_BYTES;
    this.#covers = declaration.covers ?? [{ from }];
    this.#value = new Uint8Array(checksum.bytes);
    this.bytes = this.#separator.length + checksum.bytes * (this.#hex ? 2 : 1);
  }

  /** Whether the field at `at` holds the checksum of the frame that begins at `start`. */
  matches(bytes: Uint8Array, start: number, at: number): boolean {
    const separator = this.#separator;
    for (let index = 0; index < separator.length; index++) {
      if (bytes[at + index] !== separator[index]) return false;
    }
    this.#compute(bytes, start, at);
    const value = this.#value;
    const first = at + separator.length;
    for (let index = 0; index < value.length; index++) {
      const seen = this.#hex ? hexByte(bytes, first + 2 * index) : bytes[first + index];
      if (seen !== value[index]) return false;
    }
    return true;
  }

  /**
   * Where the first right checksum stands between `start` and `end`, which covers all from `start` on; -1 where there
   * is none. One pass. Only for a binary one of up to 32 bits without a separator.
   */
  firstEnd(bytes: Uint8Array, start: number, end: number): number {
    const checksum = this.#checksum;
    if (checksum.wide || this.#hex || this.#separator.length > 0) return -1;
    let register = checksum.initial;
    for (let at = start + 1; at + checksum.bytes <= end; at++) {
      register = checksum.update(register, bytes, at - 1, at);
      const value = checksum.finish(register);
      if (readUnsigned(bytes, at, checksum.bytes, this.#littleEndian ? 'little' : 'big') === value) return at;
    }
    return -1;
  }

  /** Writes the field at `at`; what it covers must be complete. */
  write(bytes: Uint8Array, start: number, at: number): void {
    this.#compute(bytes, start, at);
    bytes.set(this.#separator, at);
    const first = at + this.#separator.length;
    for (let index = 0; index < this.#value.length; index++) {
      const byte = this.#value[index] ?? 0;
      if (this.#hex) {
        bytes[first + 2 * index] = DIGITS[byte >> 4] ?? 0;
        bytes[first + 2 * index + 1] = DIGITS[byte & 0xf] ?? 0;
      } else bytes[first + index] = byte;
    }
  }

  #compute(bytes: Uint8Array, start: number, at: number): void {
    const checksum = this.#checksum;
    if (checksum.wide) {
      let register = checksum.initial;
      for (const { from, to } of this.#covers) {
        register = checksum.update(register, bytes, start + from, endOf(to, start, at));
      }
      let rest = checksum.finish(register);
      for (let index = 0; index < checksum.bytes; index++) {
        this.#put(index, Number(rest & 0xffn));
        rest >>= 8n;
      }
    } else {
      let register = checksum.initial;
      for (const { from, to } of this.#covers) {
        register = checksum.update(register, bytes, start + from, endOf(to, start, at));
      }
      const value = checksum.finish(register);
      for (let index = 0; index < checksum.bytes; index++) this.#put(index, (value >>> (8 * index)) & 0xff);
    }
  }

  /** `index` counts from the least significant byte. */
  #put(index: number, byte: number): void {
    this.#value[this.#littleEndian ? index : this.#value.length - 1 - index] = byte;
  }
}

function endOf(to: number | undefined, start: number, at: number): number {
  if (to === undefined) return at;
  return to < 0 ? at + to : Math.min(start + to, at);
}

/** Two ASCII hex digits; -1 where they are none. */
function hexByte(bytes: Uint8Array, at: number): number {
  const high = hexDigit(bytes[at] ?? 0);
  const low = hexDigit(bytes[at + 1] ?? 0);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
