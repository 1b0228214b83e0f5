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

/** Simple checksums that many devices use in place of a CRC; each with the value of "123456789". */
export const SUMS: ReadonlyArray<readonly [checksum: Checksum, check: number]> = [
  [sum('sum-8', 8, added(0xff)), 0xdd],
  [sum('sum-8-ones', 8, added(0xff), 0, (register) => ~register & 0xff), 0x22],
  [sum('sum-8-twos', 8, added(0xff), 0, (register) => -register & 0xff), 0x23],
  [sum('xor-8', 8, xored), 0x31],
  [sum('sum-16', 16, added(0xffff)), 0x1dd],
  [sum('sum-16-twos', 16, added(0xffff), 0, (register) => -register & 0xffff), 0xfe23],
  [sum('sum-32', 32, added(-1)), 0x1dd],
  [sum('fletcher-8-ubx', 16, fletcherUbx), 0xdd15],
  [sum('fletcher-16', 16, fletcher(255, 8)), 0x1ede],
  [sum('adler-32', 32, fletcher(65_521, 16), 1), 0x091e01de],
];
