import { HeartwireError } from '../../errors.ts';
import { findChecksum } from '../crc/catalogue.ts';
import { type Checksum, isLinear, type WideChecksum } from '../crc/checksum.ts';
import type { CoveredRange, FrameChecksumDeclaration } from './declaration.ts';
import { RightRanges, type TakeRange } from './right-ranges.ts';

const NO_BYTES = new Uint8Array(0);
/** Bytes of noise on either side of a frame that are looked past where a search costs much. */
const NEAR = 4;
/** Bytes that a search looks at for each byte of a burst, and those that it may look at in any burst. */
const LOOKS_PER_BYTE = 64;
const FEW_LOOKS = 16_384;
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
  #ranges: RightRanges | undefined;

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
   * Finds the ranges between `head` and `tail` that end in their own right checksum, the last start first; content has
   * at most `maxContent` bytes. All of them in one pass where the checksum is a CRC of up to 32 bits in binary; else
   * those that so many looks a byte find, and of a wider one those that nearly fill the burst.
   */
  findRanges(bytes: Uint8Array, head: number, tail: number, maxContent: number, take: TakeRange): void {
    const checksum = this.#checksum;
    if (checksum.wide) return this.#findNear(bytes, head, tail, maxContent, take);
    if (isLinear(checksum) && !this.#hex && this.#separator.length === 0) {
      const order = this.#littleEndian ? 'little' : 'big';
      this.#ranges ??= new RightRanges(checksum, order, maxContent);
      return this.#ranges.find(bytes, head, tail, take);
    }
    const length = Math.min(maxContent, tail - head);
    const starts = Math.ceil((LOOKS_PER_BYTE * (tail - head) + FEW_LOOKS) / Math.max(1, length));
    for (let start = Math.min(tail, head + starts) - 1; start >= head; start--) {
      let register = checksum.initial;
      const last = Math.min(start + maxContent, tail - this.bytes);
      for (let at = start + 1; at <= last; at++) {
        register = checksum.update(register, bytes, at - 1, at);
        if (!this.#stands(bytes, at, checksum.finish(register))) continue;
        if (!take(start, at, at + this.bytes)) return;
      }
    }
  }

  #findNear(bytes: Uint8Array, head: number, tail: number, maxContent: number, take: TakeRange): void {
    for (let start = Math.min(head + NEAR, tail); start >= head; start--) {
      for (let end = Math.max(start, tail - NEAR); end <= tail; end++) {
        const at = end - this.bytes;
        if (at <= start || at - start > maxContent || !this.matches(bytes, start, at)) continue;
        if (!take(start, at, end)) return;
      }
    }
  }

  /** Whether the field at `at` holds this value; only for one of up to 32 bits. */
  #stands(bytes: Uint8Array, at: number, value: number): boolean {
    const separator = this.#separator;
    for (let index = 0; index < separator.length; index++) {
      if (bytes[at + index] !== separator[index]) return false;
    }
    const first = at + separator.length;
    const count = this.#value.length;
    for (let index = 0; index < count; index++) {
      const place = this.#littleEndian ? index : count - 1 - index;
      const seen = this.#hex ? hexByte(bytes, first + 2 * index) : bytes[first + index];
      if (seen !== ((value >>> (8 * place)) & 0xff)) return false;
    }
    return true;
  }

  /** Zero bytes in front of content leave the checksum as it is. */
  get ignoresLeadingZeros(): boolean {
    return Number(this.#checksum.initial) === 0;
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
