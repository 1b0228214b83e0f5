import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKSUM_ALIASES, CHECKSUM_NAMES, findChecksum } from '../../../src/protocol/crc/catalogue.ts';
import { checksumOf, wideChecksumOf } from '../../../src/protocol/crc/checksum.ts';
import { CRC_MODELS, type CrcModel, WIDE_CRC_MODELS } from '../../../src/protocol/crc/models.ts';
import { SUMS } from '../../../src/protocol/crc/sums.ts';

const text = new TextEncoder().encode('123456789');

function sumOf(name: string, bytes: Uint8Array): bigint {
  const checksum = findChecksum(name);
  if (checksum === undefined) throw new Error(`no ${name}`);
  return BigInt(checksum.wide ? wideChecksumOf(checksum, bytes) : checksumOf(checksum, bytes));
}

/** Bit by bit, as the catalogue defines it: nothing in common with the tables. */
function bitwise(
  [, bits, polynomial, initial, order, finalXor]: CrcModel<number | bigint>,
  bytes: Uint8Array,
) {
  const width = BigInt(bits);
  const mask = (1n << width) - 1n;
  let register = BigInt(initial);
  for (const byte of bytes) {
    for (let turn = 0; turn < 8; turn++) {
      const bit = BigInt((byte >> (order === 'reflected' ? turn : 7 - turn)) & 1);
      const top = register >> (width - 1n);
      register = (register << 1n) & mask;
      if (top !== bit) register ^= BigInt(polynomial);
    }
  }
  if (order !== 'plain') {
    let turned = 0n;
    for (let bit = 0n; bit < width; bit++) turned = (turned << 1n) | ((register >> bit) & 1n);
    register = turned;
  }
  return register ^ BigInt(finalXor);
}

const models: ReadonlyArray<CrcModel<number | bigint>> = [...CRC_MODELS, ...WIDE_CRC_MODELS];

test.each(models.map((model) => [model[0], model] as const))('%s', (name, model) => {
  expect(sumOf(name, text)).toBe(BigInt(model[6]));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(sumOf(name, bytes)).toBe(bitwise(model, bytes));
    }),
    { numRuns: 10 },
  );
});

test.each(SUMS.map(([checksum, check]) => [checksum.name, check] as const))('%s', (name, check) => {
  expect(sumOf(name, text)).toBe(BigInt(check));
});

test('ranges one after the other are one range', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CHECKSUM_NAMES), fc.uint8Array(), fc.nat(), (name, bytes, cut) => {
      const at = cut % (bytes.length + 1);
      const checksum = findChecksum(name);
      if (checksum === undefined) throw new Error(`no ${name}`);
      if (checksum.wide) {
        const first = checksum.update(checksum.initial, bytes, 0, at);
        const both = checksum.finish(checksum.update(first, bytes, at, bytes.length));
        expect(both).toBe(wideChecksumOf(checksum, bytes));
      } else {
        const first = checksum.update(checksum.initial, bytes, 0, at);
        const both = checksum.finish(checksum.update(first, bytes, at, bytes.length));
        expect(both).toBe(checksumOf(checksum, bytes));
        expect(both).toBeLessThan(2 ** checksum.bits);
      }
    }),
  );
});

describe('names', () => {
  test('other names lead to one of the catalogue, in any case', () => {
    for (const [alias, name] of CHECKSUM_ALIASES) {
      expect(CHECKSUM_NAMES).toContain(name);
      expect(CHECKSUM_NAMES).not.toContain(alias);
      expect(findChecksum(alias.toUpperCase())?.name).toBe(name);
    }
  });

  test('no name is there twice, and unknown ones are told', () => {
    expect(new Set(CHECKSUM_NAMES).size).toBe(CHECKSUM_NAMES.length);
    for (const name of ['', 'crc', 'crc-33', '__proto__', 'constructor']) {
      expect(findChecksum(name)).toBeUndefined();
    }
  });
});
