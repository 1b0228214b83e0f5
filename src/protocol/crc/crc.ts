import type { LinearChecksum } from './checksum.ts';
import type { CrcModel } from './models.ts';

/** The lowest `bits` bits of a value in reverse order. */
function reversed(value: number, bits: number): number {
  let result = 0;
  for (let bit = 0; bit < bits; bit++) result = (result << 1) | ((value >>> bit) & 1);
  return result >>> 0;
}

/** A CRC of up to 32 bits, one table look-up per byte. */
export function makeCrc(model: CrcModel<number>): LinearChecksum {
  return model[4] === 'reflected' ? makeReflected(model) : makePlain(model);
}

function makeReflected([name, bits, polynomial, initial, , finalXor]: CrcModel<number>): LinearChecksum {
  const turned = reversed(polynomial, bits);
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++)
      register = (register & 1) === 0 ? register >>> 1 : (register >>> 1) ^ turned;
    table[byte] = register;
  }
  return {
    wide: false,
    name,
    bits,
    bytes: Math.ceil(bits / 8),
    initial: reversed(initial, bits) | 0,
    update(register, bytes, start, end) {
      let value = register;
      for (let at = start; at < end; at++) {
        value = (table[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (value >>> 8);
      }
      return value;
    },
    finish: (register) => (register ^ finalXor) >>> 0,
    unfinish: (value) => (value ^ finalXor) | 0,
  };
}

/** The register stands at the upper end of 32 bits, so that one loop does for every width. */
function makePlain([name, bits, polynomial, initial, order, finalXor]: CrcModel<number>): LinearChecksum {
  const shift = 32 - bits;
  const aligned = polynomial << shift;
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let register = byte << 24;
    for (let bit = 0; bit < 8; bit++) register = register < 0 ? (register << 1) ^ aligned : register << 1;
    table[byte] = register;
  }
  return {
    wide: false,
    name,
    bits,
    bytes: Math.ceil(bits / 8),
    initial: initial << shift,
    update(register, bytes, start, end) {
      let value = register;
      for (let at = start; at < end; at++) {
        value = (table[(value >>> 24) ^ (bytes[at] ?? 0)] ?? 0) ^ (value << 8);
      }
      return value;
    },
    finish(register) {
      const value = register >>> shift;
      return ((order === 'mixed' ? reversed(value, bits) : value) ^ finalXor) >>> 0;
    },
    unfinish(value) {
      const plain = (value ^ finalXor) >>> 0;
      return (order === 'mixed' ? reversed(plain, bits) : plain) << shift;
    },
  };
}
