import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { framingShape, readFraming } from '../../../src/config/messages/read-framing.ts';
import { formatPath } from '../../../src/config/problem.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';

describe('a framing', () => {
  test('is read with the byte order of its protocol', () => {
    const given = parse(
      '{ type: sync, sync: [0xb5, 0x62], length: u16, at: 4, checksum: { algorithm: crc-16 } }',
    );
    for (const [byteOrder, length] of [
      ['big', 'u16be'],
      ['little', 'u16le'],
    ] as const) {
      const { framing, findings } = readFraming(given, byteOrder);
      expect(findings).toEqual([]);
      expect(framing).toMatchObject({ length, at: 4, checksum: { order: byteOrder } });
    }
  });

  test.each([
    ['a text', '{ type: delimiter, delimiter: "\\r\\n" }', [13, 10]],
    ['text beyond ASCII', '{ type: delimiter, delimiter: "§" }', [0xc2, 0xa7]],
    ['a byte', '{ type: delimiter, delimiter: 0x7e }', [0x7e]],
    ['bytes', '{ type: delimiter, delimiter: [0x0d, 10] }', [13, 10]],
  ])('takes bytes as %s', (_, text, expected) => {
    const { framing } = readFraming(parse(text), 'big');
    expect(framing?.type === 'delimiter' && [...framing.delimiter]).toEqual(expected);
  });

  test.each([
    ['nothing', '', 'protocol.framing', /group of keys/],
    ['a text', 'slip', 'protocol.framing', /type: slip/],
    ['no type', '{ max_frame: 3 }', 'protocol.framing.type', /missing/],
    ['an unknown type', '{ type: slipp }', 'protocol.framing.type', /slip\?/],
    ['a key of another type', '{ type: slip, sync: 3 }', 'protocol.framing.sync', /no key/],
    ['a missing key', '{ type: sync, length: u8 }', 'protocol.framing.sync', /missing/],
    ['no length type', '{ type: length, length: i16 }', 'protocol.framing.length', /u16/],
    ['a byte that is none', '{ type: sync, sync: [1, 256], length: u8 }', 'protocol.framing.sync[1]', /0x7e/],
    ['an empty list', '{ type: sync, sync: [], length: u8 }', 'protocol.framing.sync', /no bytes/],
    [
      'no checksum of this name',
      '{ type: gap, checksum: { algorithm: crc-17 } }',
      'protocol.framing.checksum.algorithm',
      /crc-16\/modbus/,
    ],
    [
      'a key below',
      '{ type: gap, checksum: { algorithm: crc-16, covers: [] } }',
      'protocol.framing.checksum.covers',
      /no key/,
    ],
    [
      'a range of nothing',
      '{ type: length, length: u8, checksum: { algorithm: sum-8, covers: [{ from: 3, to: 3 }] } }',
      'protocol.framing.checksum.covers[0].to',
      /behind/,
    ],
    [
      'a frame too short for its parts',
      '{ type: fixed, length: 4, sync: "ab", checksum: { algorithm: crc-16 } }',
      'protocol.framing.length',
      /from 5/,
    ],
    [
      'a length inside of the sync word',
      '{ type: sync, sync: [1, 2], length: u8, at: 1 }',
      'protocol.framing.at',
      /from 2/,
    ],
    [
      'an escape that is the delimiter',
      '{ type: delimiter, delimiter: 10, escape: { byte: 10 } }',
      'protocol.framing.escape.byte',
      /another/,
    ],
    [
      'an escape that makes a delimiter',
      '{ type: delimiter, delimiter: 0x7e, escape: { byte: 0x7d, xor: 3 } }',
      'protocol.framing.escape.xor',
      /0x20/,
    ],
    [
      'a frame of a gigabyte',
      '{ type: slip, max_frame: 1000000000 }',
      'protocol.framing.max_frame',
      /268435456/,
    ],
  ])('with %s is told where and how to fix it', (_, text, path, words) => {
    const { framing, findings } = readFraming(parse(text), 'big', ['protocol', 'framing']);
    expect(framing).toBeUndefined();
    expect(findings.map((each) => formatPath(each.path))).toContain(path);
    expect(findings.map((each) => `${each.message} ${each.fix}`).join()).toMatch(words);
  });

  test('what is read is made', () => {
    const { framing } = readFraming({ type: 'cobs', checksum: { algorithm: 'crc-32' } }, 'little');
    if (framing === undefined) throw new Error('not read');
    expect(makeFraming(framing).describe).toBe('cobs: crc-32 little-endian');
  });

  test('has a JSON Schema that describes every key', () => {
    const schema = z.toJSONSchema(framingShape, { io: 'input', unrepresentable: 'any' });
    expect(schema.oneOf ?? schema.anyOf).toHaveLength(8);
    expect(JSON.stringify(schema)).toContain('max_frame');
  });
});
