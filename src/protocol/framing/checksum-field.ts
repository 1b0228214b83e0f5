import { HeartwireError } from '../../errors.ts';
import { findChecksum } from '../crc/catalogue.ts';
import { type Checksum, isLinear, type WideChecksum } from '../crc/checksum.ts';
import { algorithmName } from '../crc/parameters.ts';
import { type ByteOrder, readUnsigned } from './byte-order.ts';
import type { CoveredRange, FrameChecksumDeclaration } from './framing-keys.ts';
import { RightRanges, type TakeRange } from './right-ranges.ts';

const NO_BYTES = new Uint8Array(0);
/** Bytes of noise on either side of a frame that are looked past where a search costs much. */
const NEAR = 4;
/** Bytes that a search looks at for each byte of a burst, and those that it may look at in any burst. */
const LOOKS_PER_BYTE = 64;
const FEW_LOOKS = 16_384;
const DIGITS = new TextEncoder().encode('0123456789ABCDEF');

/** Values that one byte can have. */
const BYTE_VALUES = 256;

/** What the rest of a framing adds to the declaration of its checksum. */
export interface ChecksumSurroundings {
  /** Where coverage begins if the declaration does not say, as an offset in the frame. */
  readonly from?: number;
  /** Bytes of the framing that are covered in front of the payload and behind it. */
  readonly front?: Uint8Array | undefined;
  readonly back?: Uint8Array | undefined;
  /** Where the message id stands in the frame. */
  readonly id?: { readonly at: number; readonly bytes: number; readonly order: ByteOrder } | undefined;
}

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
  readonly #front: Uint8Array;
  /** Bytes that are covered behind all others, and are not on the wire as what they are here. */
  readonly #extra: Uint8Array;
  readonly #byId: ReadonlyMap<number, number> | undefined;
  readonly #id: ChecksumSurroundings['id'];
  /** The constant of the message that was computed last; -1 where none is declared for its id. */
  #constant = 0;
  readonly #single = new Uint8Array(1);
  /** The value that was computed last, in the order of the wire. */
  readonly #value: Uint8Array;
  #ranges: RightRanges | undefined;

  constructor(declaration: FrameChecksumDeclaration, surroundings: ChecksumSurroundings = {}) {
    const { from = 0, front = NO_BYTES, back = NO_BYTES, id } = surroundings;
    const checksum = findChecksum(declaration.algorithm);
    if (checksum === undefined) {
      throw new HeartwireError('bad_argument', 'There is no checksum of this name', {
        seen: algorithmName(declaration.algorithm),
      });
    }
    this.#checksum = checksum;
    this.name = checksum.name;
    this.bits = checksum.bits;
    this.#littleEndian = declaration.order === 'little';
    this.#hex = declaration.encoding === 'hex';
    this.#separator = declaration.separator ?? NO_BYTES;
    this.#covers = declaration.covers ?? [{ from }];
    this.#front = front;
    this.#extra = joined(back, declaration.extra ?? NO_BYTES);
    this.#id = id;
    this.#byId = id === undefined ? undefined : tableOf(declaration.extraById, id.bytes);
    this.#value = new Uint8Array(checksum.bytes);
    this.bytes = this.#separator.length + checksum.bytes * (this.#hex ? 2 : 1);
  }

  /**
   * Whether the field at `at` holds the checksum of the frame that begins at `start`. Of a message without a declared
   * constant it holds that of one of 256.
   */
  matches(bytes: Uint8Array, start: number, at: number): boolean {
    if (!this.#isSeparated(bytes, at)) return false;
    const checksum = this.#checksum;
    const separator = this.#separator;
    if (this.#byId === undefined) {
      if (!checksum.wide) {
        const value = this.#finished(checksum, this.#covered(checksum, bytes, start, at));
        return this.#shows(bytes, at + separator.length, value);
      }
      this.#compute(bytes, start, at);
      return this.#holds(bytes, at + separator.length);
    }
    const constant = this.#constantOf(bytes, start);
    const last = constant < 0 ? BYTE_VALUES - 1 : constant;
    const covered = checksum.wide ? undefined : this.#covered(checksum, bytes, start, at);
    for (this.#constant = Math.max(0, constant); this.#constant <= last; this.#constant++) {
      if (checksum.wide || covered === undefined) this.#compute(bytes, start, at);
      else this.#putAll(checksum, this.#finished(checksum, covered));
      if (this.#holds(bytes, at + separator.length)) return true;
    }
    return false;
  }

  #holds(bytes: Uint8Array, first: number): boolean {
    const value = this.#value;
    for (let index = 0; index < value.length; index++) {
      const seen = this.#hex ? hexByte(bytes, first + 2 * index) : bytes[first + index];
      if (seen !== value[index]) return false;
    }
    return true;
  }

  #constantOf(bytes: Uint8Array, start: number): number {
    if (this.#byId === undefined || this.#id === undefined) return 0;
    const { at, bytes: width, order } = this.#id;
    return this.#byId.get(readUnsigned(bytes, start + at, width, order)) ?? -1;
  }

  /**
   * Finds the ranges between `head` and `tail` that end in their own right checksum, the last start first; content has
   * at most `maxContent` bytes. All of them in one pass where the checksum is a CRC of up to 32 bits in binary; else
   * those that so many looks a byte find, and of a wider one those that nearly fill the burst.
   */
  findRanges(bytes: Uint8Array, head: number, tail: number, maxContent: number, take: TakeRange): void {
    const checksum = this.#checksum;
    if (checksum.wide) return this.#findNear(bytes, head, tail, maxContent, take);
    if (isLinear(checksum) && !this.#hex && this.#separator.length + this.#extra.length === 0) {
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
        if (!this.#stands(bytes, at, this.#finished(checksum, register))) continue;
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
    return this.#isSeparated(bytes, at) && this.#shows(bytes, at + this.#separator.length, value);
  }

  #isSeparated(bytes: Uint8Array, at: number): boolean {
    const separator = this.#separator;
    for (let index = 0; index < separator.length; index++) {
      if (bytes[at + index] !== separator[index]) return false;
    }
    return true;
  }

  /** Whether this value of up to 32 bits stands at `first`. */
  #shows(bytes: Uint8Array, first: number, value: number): boolean {
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

  /** Writes the field at `at`; what it covers must be complete. @throws HeartwireError where its message has no constant */
  write(bytes: Uint8Array, start: number, at: number): void {
    this.#constant = this.#constantOf(bytes, start);
    if (this.#constant < 0) {
      throw new HeartwireError('bad_argument', 'The checksum covers a constant, and this message has none', {
        fix: 'Give the message its `crc_extra`.',
      });
    }
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
      let register = checksum.update(checksum.initial, this.#front, 0, this.#front.length);
      for (const { from, to } of this.#covers) {
        register = checksum.update(register, bytes, start + from, endOf(to, start, at));
      }
      register = checksum.update(register, this.#extra, 0, this.#extra.length);
      if (this.#byId !== undefined) register = checksum.update(register, this.#constantByte(), 0, 1);
      let rest = checksum.finish(register);
      for (let index = 0; index < checksum.bytes; index++) {
        this.#put(index, Number(rest & 0xffn));
        rest >>= 8n;
      }
    } else {
      this.#putAll(checksum, this.#finished(checksum, this.#covered(checksum, bytes, start, at)));
    }
  }

  #covered(checksum: Checksum, bytes: Uint8Array, start: number, at: number): number {
    let register = checksum.initial;
    if (this.#front.length > 0) register = checksum.update(register, this.#front, 0, this.#front.length);
    for (const { from, to } of this.#covers) {
      register = checksum.update(register, bytes, start + from, endOf(to, start, at));
    }
    return register;
  }

  #putAll(checksum: Checksum, value: number): void {
    for (let index = 0; index < checksum.bytes; index++) this.#put(index, (value >>> (8 * index)) & 0xff);
  }

  #finished(checksum: Checksum, covered: number): number {
    let register = covered;
    if (this.#extra.length > 0) register = checksum.update(register, this.#extra, 0, this.#extra.length);
    if (this.#byId !== undefined) register = checksum.update(register, this.#constantByte(), 0, 1);
    return checksum.finish(register);
  }

  #constantByte(): Uint8Array {
    this.#single[0] = this.#constant;
    return this.#single;
  }

  /** `index` counts from the least significant byte. */
  #put(index: number, byte: number): void {
    this.#value[this.#littleEndian ? index : this.#value.length - 1 - index] = byte;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Constants by the id as it stands on the wire, unsigned. */
function tableOf(
  constants: Readonly<Record<string, number>> | undefined,
  width: number,
): ReadonlyMap<number, number> | undefined {
  if (constants === undefined) return undefined;
  const all = 2 ** (8 * width);
  return new Map(
    Object.entries(constants).map(([id, constant]) => [((Number(id) % all) + all) % all, constant]),
  );
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

/** The value of a hexadecimal digit; -1 where it is none. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
