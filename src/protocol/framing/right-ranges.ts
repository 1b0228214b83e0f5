import type { Checksum, LinearChecksum } from '../crc/checksum.ts';
import { readUnsigned } from './byte-order.ts';

/** Takes a range whose checksum is right: content from `start` to `at`, the checksum up to `end`; false ends the search. */
export type TakeRange = (start: number, at: number, end: number) => boolean;

const ZERO = Uint8Array.of(0);

/**
 * Finds every range of a burst that ends in its own right CRC, in one pass.
 *
 * A CRC is linear: with `Z` for what a zero byte does to the register, the register over `start..at`, moved on by the
 * bytes from `at` to the end of the burst, is `Q(start) ^ Q(at) ^ Z^(end - start) initial`. So a range is right where a
 * key of its start equals a key of the end of its content, and a table of keys finds the pairs.
 */
export class RightRanges {
  readonly #checksum: LinearChecksum;
  readonly #order: 'big' | 'little';
  readonly #maxContent: number;

  /** `checksum` is a CRC of up to 32 bits that stands behind its content in binary. */
  constructor(checksum: LinearChecksum, order: 'big' | 'little', maxContent: number) {
    this.#checksum = checksum;
    this.#order = order;
    this.#maxContent = maxContent;
  }

  /** Calls `take` for each range between `head` and `tail`: the last start first, for each start the nearest end first. */
  find(bytes: Uint8Array, head: number, tail: number, take: TakeRange): void {
    const checksum = this.#checksum;
    const { bytes: width } = checksum;
    const shift = new Shift(checksum);
    /** For each key the nearest end of content; `further` chains those behind it. */
    const nearest = new Map<number, number>();
    const further = new Int32Array(tail - head + 1).fill(-1);
    let sum = 0;
    for (let at = tail; at >= head; at--) {
      if (at < tail) {
        sum ^= shift.apply(checksum.update(0, bytes, at, at + 1));
        shift.advance();
      }
      // A range begins here, with content up to one of the ends that are known already.
      const startKey = sum ^ shift.apply(checksum.initial);
      let content = nearest.get(startKey) ?? -1;
      while (content >= 0 && content - at <= this.#maxContent) {
        if (!take(at, content, content + width)) return;
        content = further[content - head] ?? -1;
      }
      if (at + width > tail) continue;
      const value = readUnsigned(bytes, at, width, this.#order);
      if (value >= 2 ** checksum.bits) continue;
      const endKey = sum ^ shift.apply(checksum.unfinish(value));
      further[at - head] = nearest.get(endKey) ?? -1;
      nearest.set(endKey, at);
    }
  }
}

/** What so many zero bytes do to a register, as the images of its bits. */
class Shift {
  readonly #checksum: Checksum;
  readonly #images = new Int32Array(32);

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
    for (let bit = 0; bit < 32; bit++) this.#images[bit] = 1 << bit;
  }

  /** One zero byte more. */
  advance(): void {
    for (let bit = 0; bit < 32; bit++) {
      this.#images[bit] = this.#checksum.update(this.#images[bit] ?? 0, ZERO, 0, 1);
    }
  }

  apply(register: number): number {
    let result = 0;
    for (let left = register; left !== 0; left &= left - 1) {
      result ^= this.#images[31 - Math.clz32(left & -left)] ?? 0;
    }
    return result;
  }
}
