import type { Checksum } from './checksum.ts';

type Update = Checksum['update'];

function sum(name: string, bits: number, update: Update, initial = 0, finish = unsigned): Checksum {
  return { wide: false, name, bits, bytes: bits / 8, initial, update, finish };
}

const unsigned = (register: number): number => register >>> 0;

function added(mask: number): Update {
  return (register, bytes, start, end) => {
    let value = register;
    for (let at = start; at < end; at++) value = (value + (bytes[at] ?? 0)) & mask;
    return value;
  };
}

const xored: Update = (register, bytes, start, end) => {
  let value = register;
  for (let at = start; at < end; at++) value ^= bytes[at] ?? 0;
  return value;
};

/** Two sums of 8 bits that wrap at 256, packed as `a << 8 | b`: the order in which u-blox sends them. */
const fletcherUbx: Update = (register, bytes, start, end) => {
  let a = register >>> 8;
  let b = register & 0xff;
  for (let at = start; at < end; at++) {
    a = (a + (bytes[at] ?? 0)) & 0xff;
    b = (b + a) & 0xff;
  }
  return (a << 8) | b;
};

/** Two sums modulo `modulus`, packed as `b << bits | a`. */
function fletcher(modulus: number, bits: number): Update {
  const mask = 2 ** bits - 1;
  return (register, bytes, start, end) => {
    let a = register & mask;
    let b = register >>> bits;
    for (let at = start; at < end; at++) {
      a = (a + (bytes[at] ?? 0)) % modulus;
      b = (b + a) % modulus;
    }
    return (b << bits) | a;
  };
}

/** The other byte of a word is still to come: a bit beyond those of the sum, which every range hands on to the next. */
const HALF = 0x1_0000;

/** Words of two bytes, the most significant first; a last byte alone is the front of one. */
function ofWords(combine: (sum: number, part: number) => number): Update {
  return (register, bytes, start, end) => {
    let value = register & 0xffff;
    let shift = (register & HALF) === 0 ? 8 : 0;
    for (let at = start; at < end; at++) {
      value = combine(value, (bytes[at] ?? 0) << shift);
      shift ^= 8;
    }
    return shift === 0 ? value | HALF : value;
  };
}

const xoredWords = ofWords((sum, part) => sum ^ part);

/** The carry of a ones' complement sum comes in again at the other end (RFC 1071). */
const addedWords = ofWords((sum, part) => {
  const value = sum + part;
  return (value & 0xffff) + (value >>> 16);
});

/** A first byte that waits for its second one, as a part of the register beyond 32 bits. */
const WAITING = 2 ** 32;
const WAITS = 2 ** 40;

/** Two sums of 16 bits over words, the least significant byte first; what is left alone at the end has a zero behind it. */
const fletcherWords: Update = (register, bytes, start, end) => {
  let a = register % 0x1_0000;
  let b = Math.floor(register / 0x1_0000) % 0x1_0000;
  let waiting = register >= WAITS ? Math.floor(register / WAITING) % 256 : -1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (waiting < 0) {
      waiting = byte;
      continue;
    }
    a = (a + waiting + byte * 256) % 0xffff;
    b = (b + a) % 0xffff;
    waiting = -1;
  }
  const sums = b * 0x1_0000 + a;
  return waiting < 0 ? sums : sums + waiting * WAITING + WAITS;
};

function finishFletcherWords(register: number): number {
  return register < WAITS ? register : fletcherWords(register, ZERO, 0, 1);
}

const ZERO = Uint8Array.of(0);

/** Simple checksums that many devices use in place of a CRC; each with the value of "123456789". */
export const SUMS: ReadonlyArray<readonly [checksum: Checksum, check: number]> = [
  [sum('sum-8', 8, added(0xff)), 0xdd],
  [sum('sum-8-ones', 8, added(0xff), 0, (register) => ~register & 0xff), 0x22],
  [sum('sum-8-twos', 8, added(0xff), 0, (register) => -register & 0xff), 0x23],
  [sum('xor-8', 8, xored), 0x31],
  [sum('sum-16', 16, added(0xffff)), 0x1dd],
  [sum('sum-16-twos', 16, added(0xffff), 0, (register) => -register & 0xffff), 0xfe23],
  [sum('sum-16-ones', 16, added(0xffff), 0, (register) => ~register & 0xffff), 0xfe22],
  [sum('sum-24', 24, added(0xff_ffff)), 0x1dd],
  [sum('sum-24-twos', 24, added(0xff_ffff), 0, (register) => -register & 0xff_ffff), 0xff_fe23],
  [sum('sum-32', 32, added(-1)), 0x1dd],
  [sum('sum-32-twos', 32, added(-1), 0, (register) => -register >>> 0), 0xffff_fe23],
  [sum('xor-16', 16, xoredWords, 0, (register) => register & 0xffff), 0x3908],
  [sum('inet-16', 16, addedWords, 0, (register) => ~register & 0xffff), 0xf62a],
  [sum('fletcher-8-ubx', 16, fletcherUbx), 0xdd15],
  [sum('fletcher-16', 16, fletcher(255, 8)), 0x1ede],
  [sum('fletcher-32', 32, fletcherWords, 0, finishFletcherWords), 0xdf09_d509],
  [sum('adler-32', 32, fletcher(65_521, 16), 1), 0x091e01de],
];
