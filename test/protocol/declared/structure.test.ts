import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import type { Values } from '../../../src/protocol/declared/value.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import { fromHex } from '../fixtures.ts';
import { declaredIn, wrongIn } from './declared-in-yaml.ts';

const message = (fields: string, keys = ''): string =>
  `protocol: { framing: { type: slip } }\nmessages:\n  - name: m\n    from: device\n${keys}    fields:\n${fields}`;

const read = (protocol: DeclaredProtocol, hex: string) => {
  const bytes = fromHex(hex);
  const found = protocol.decode(bytes);
  expect(protocol.check(bytes, 0, bytes.length) >= 0).toBe(found.name === 'declared');
  expect(protocol.inspect(bytes).message).toEqual(found);
  return found;
};

/** Bytes, and the values that they are both ways. */
const both = (yaml: string, hex: string, fields: Values): void => {
  const protocol = declaredIn(yaml);
  expect(read(protocol, hex)).toMatchObject({ name: 'declared', fields });
  expect(hexText(protocol.encode('m', fields))).toBe(hex.replaceAll(' ', ''));
};

describe('lengths and counts', () => {
  test.each<[string, string, string, Values]>([
    [
      'a length that counts itself',
      '      - { name: n, type: u8 }\n      - { name: a, type: text, length: { field: n, adjust: -1 } }\n',
      '03 6162',
      { n: 3, a: 'ab' },
    ],
    [
      'the same in front',
      '      - { name: a, type: text, length: { type: u16, adjust: -2 } }\n      - { name: b, type: u8 }\n',
      '0004 6162 07',
      { a: 'ab', b: 7 },
    ],
    [
      'a byte count of numbers, and fields behind it',
      '      - { name: n, type: u8 }\n      - { name: a, type: array, length: { field: n }, of: { type: u16 } }\n      - { name: b, type: u8 }\n',
      '04 0001 0002 09',
      { n: 4, a: [1, 2], b: 9 },
    ],
    [
      'a list until a terminator',
      '      - { name: a, type: array, until: [0xff], of: { type: struct, fields: [{ name: x, type: u8 }, { name: y, type: u8 }] } }\n      - { name: b, type: u8 }\n',
      '0102 0304 ff 09',
      {
        a: [
          { x: 1, y: 2 },
          { x: 3, y: 4 },
        ],
        b: 9,
      },
    ],
    [
      'the rest of a structure is kept',
      '      - { name: s, type: struct, length: u8, extra: keep, fields: [{ name: x, type: u8 }] }\n      - { name: b, type: u8 }\n',
      '03 01 aabb 09',
      { s: { x: 1, extra: { $bytes: 'qrs=', len: 2 } }, b: 9 },
    ],
  ])('%s', (_, fields, hex, values) => both(message(fields), hex, values));

  it('refuses what cannot be so long, and elements that would end their list', () => {
    const list = declaredIn(message('      - { name: a, type: array, until: 0, of: { type: u8 } }\n'));
    expect(read(list, '0102')).toMatchObject({ name: 'invalid', reason: 'too_short' });
    expect(() => list.encode('m', { a: [1, 0] })).toThrow(/begins with what ends the list/);
    const short = declaredIn(message('      - { name: a, type: text, length: { type: u8, adjust: -4 } }\n'));
    expect(read(short, '03 616263')).toMatchObject({ name: 'invalid', reason: 'bad_count' });
    const struct = declaredIn(
      message('      - { name: s, type: struct, length: u8, fields: [{ name: x, type: u8 }] }\n'),
    );
    expect(read(struct, '02 01 02')).toMatchObject({ name: 'invalid', reason: 'too_long', field: 's' });
    expect(read(struct, '05 01')).toMatchObject({ name: 'invalid', reason: 'too_short' });
  });

  it('skips the rest of a structure where that is declared', () => {
    const protocol = declaredIn(
      message(
        '      - { name: s, type: struct, length: u8, extra: ignore, fields: [{ name: x, type: u8 }] }\n',
      ),
    );
    expect(read(protocol, '03 01 aabb')).toMatchObject({ fields: { s: { x: 1 } } });
    expect(hexText(protocol.encode('m', { s: { x: 1 } }))).toBe('0101');
  });
});

describe('fields that are there only sometimes', () => {
  const condition = (when: string): string =>
    message(`      - { name: f, type: u8 }\n      - { name: a, type: u8, when: { field: f, ${when} } }\n`);

  test.each<[string, string, Values]>([
    ['mask: 0x04', '06 09', { f: 6, a: 9 }],
    ['mask: 0x04', '03', { f: 3 }],
    ['mask: 0xf0, is: 0x20', '2f 09', { f: 0x2f, a: 9 }],
    ['gt: 4', '05 09', { f: 5, a: 9 }],
    ['gt: 4, lt: 6', '06', { f: 6 }],
    ['lt: 4, not: 2', '02', { f: 2 }],
  ])('%s: %s', (when, hex, fields) => both(condition(when), hex, fields));

  const tail = message(
    '      - { name: a, type: u8 }\n      - { name: b, type: u16, optional: true }\n      - { name: c, type: u8, optional: true }\n      - { name: crc, type: crc, algorithm: sum-8 }\n',
  );
  test.each<[string, Values]>([
    ['01 01', { a: 1 }],
    ['01 0002 03', { a: 1, b: 2 }],
    ['01 0002 03 06', { a: 1, b: 2, c: 3 }],
  ])('a tail of newer firmware: %s', (hex, fields) => both(tail, hex, fields));

  it('refuses half of a field, and one behind another that is left out', () => {
    expect(read(declaredIn(tail), '01 00 01')).toMatchObject({
      name: 'invalid',
      reason: 'too_short',
    });
    expect(() => declaredIn(tail).encode('m', { a: 1, c: 3 })).toThrow(/behind a field that is left out/);
  });

  test.each<[string, string, Values]>([
    ['keep', '01 aabb bc', { a: 1, extra: { $bytes: 'qrs=', len: 2 } }],
    ['keep', '01 01', { a: 1 }],
  ])('bytes of newer firmware in front of the checksum: extra: %s', (extra, hex, fields) => {
    const yaml = message(
      '      - { name: a, type: u8 }\n      - { name: crc, type: crc, algorithm: xor-8 }\n',
      `    extra: ${extra}\n`,
    );
    const right = hex.split(' ').slice(0, -1).join('');
    const sum = [...fromHex(right)].reduce((all, byte) => all ^ byte, 0);
    both(yaml, `${right}${sum.toString(16).padStart(2, '0')}`, fields);
  });

  it('leaves them out where that is declared', () => {
    const yaml = message('      - { name: a, type: u8 }\n', '    extra: ignore\n');
    expect(read(declaredIn(yaml), '01 ff ff')).toMatchObject({ name: 'declared', fields: { a: 1 } });
  });
});

describe('a switch', () => {
  const yaml = message(
    `      - { name: kind, type: u8, enum: { 1: position, 2: alarm } }
      - name: content
        type: switch
        on: kind
        cases:
          position: [{ name: x, type: i16 }, { name: y, type: i16 }]
          alarm: [{ name: code, type: u8 }]
      - { name: end, type: u8 }
`,
  );
  test.each<[string, Values]>([
    ['01 fffe 0003 09', { kind: 'position', content: { x: -2, y: 3 }, end: 9 }],
    ['02 07 09', { kind: 'alarm', content: { code: 7 }, end: 9 }],
  ])('%s', (hex, fields) => both(yaml, hex, fields));

  it('refuses what no case is declared for', () => {
    expect(read(declaredIn(yaml), '03 09')).toMatchObject({
      name: 'invalid',
      reason: 'bad_constant',
      field: 'content',
    });
    expect(() => declaredIn(yaml).encode('m', { kind: 'alarm', content: { x: 1, y: 2 }, end: 1 })).toThrow(
      /content/,
    );
  });

  it('may have a length of its own, and fields for all other values', () => {
    const other = message(
      `      - { name: kind, type: u8 }
      - { name: c, type: switch, on: kind, length: u8, extra: keep, cases: { 1: [{ name: x, type: u8 }] }, else: [] }
`,
    );
    both(other, '01 01 05', { kind: 1, c: { x: 5 } });
    both(other, '09 02 aabb', { kind: 9, c: { extra: { $bytes: 'qrs=', len: 2 } } });
  });
});

describe('a list of tags', () => {
  const yaml = message(
    `      - { name: head, type: u8 }
      - name: items
        type: tlv
        tag: u8
        length: u8
        tags:
          0x01: { name: mileage, type: u32, scale: 0.1, unit: km }
          0x30: { name: signal, type: u8 }
          0x31: { name: cell, type: u16, repeat: true }
          0x40: { name: note, type: text, length: rest }
      - { name: crc, type: crc, algorithm: sum-8 }
`,
  );
  const summed = (hex: string): string => {
    const sum = [...fromHex(hex)].reduce((all, byte) => (all + byte) & 0xff, 0);
    return `${hex}${sum.toString(16).padStart(2, '0')}`;
  };

  test.each<[string, string, Values]>([
    ['typed by tag', '07 0104 0000000c 3001 1f', { mileage: 1.2, signal: 31 }],
    [
      'unknown ones between',
      '07 3001 1f 5502 aabb 4002 6869',
      { signal: 31, tag_55: { $bytes: 'qrs=', len: 2 }, note: 'hi' },
    ],
    ['several of one tag', '07 3102 0001 3102 0002', { cell: [1, 2] }],
    ['none', '07', {}],
  ])('%s', (_, hex, items) => both(yaml, summed(hex), { head: 7, items }));

  it('keeps an element of another length as bytes, and goes on behind it', () => {
    expect(read(declaredIn(yaml), summed('07 3002 0001 3001 1f'))).toMatchObject({
      fields: { items: { tag_30: { len: 2 }, signal: 31 } },
      issues: [{ field: 'items.tag_30', reason: 'unknown_value' }],
    });
    expect(read(declaredIn(yaml), summed('07 3001 01 3001 02'))).toMatchObject({
      fields: { items: { signal: 1, tag_30: { len: 1 } } },
      issues: [{ field: 'items.tag_30', reason: 'repeated' }],
    });
  });

  it('refuses a length beyond the list', () => {
    expect(read(declaredIn(yaml), summed('07 3005 01'))).toMatchObject({
      name: 'invalid',
      reason: 'too_short',
    });
    expect(() => declaredIn(yaml).encode('m', { head: 1, items: { tag_zz: '0x00' } })).toThrow(
      /no such element/,
    );
  });

  it('may be counted', () => {
    const counted = message(
      '      - { name: a, type: tlv, tag: u8, length: 1, count: u8, tags: { 1: { name: x, type: u8 } } }\n      - { name: b, type: u8 }\n',
    );
    both(counted, '02 01 05 02 06 09', { a: { x: 5, tag_02: { $bytes: 'Bg==', len: 1 } }, b: 9 });
  });
});

describe('checksums', () => {
  it('stand in front of what they cover', () => {
    const yaml = message(
      '      - { name: crc, type: crc, algorithm: crc-16/modbus, covers: [a, b] }\n      - { name: a, type: u8 }\n      - { name: b, type: text, length: rest }\n',
    );
    const protocol = declaredIn(yaml);
    const bytes = protocol.encode('m', { a: 1, b: 'xy' });
    expect(hexText(bytes)).toMatch(/^....017879$/);
    expect(read(protocol, hexText(bytes))).toMatchObject({ fields: { a: 1, b: 'xy' } });
    expect(read(protocol, hexText(bytes.with(3, 0x7a)))).toMatchObject({
      name: 'invalid',
      reason: 'bad_checksum',
      field: 'crc',
      offset: 0,
    });
  });

  it('are written as hex digits', () => {
    const yaml = message(
      '      - { name: a, type: text, length: rest }\n      - { name: crc, type: crc, algorithm: xor-8, hex: true }\n',
    );
    both(yaml, '4f4b 3034', { a: 'OK' });
    expect(read(declaredIn(yaml), '4f4b 3035')).toMatchObject({ name: 'invalid', reason: 'bad_checksum' });
    expect(read(declaredIn(yaml), '4f4b 7a7a')).toMatchObject({ name: 'invalid', reason: 'bad_checksum' });
  });
});

test('any bytes are a message or a report, and a check says what decoding does', () => {
  const protocol = declaredIn(
    message(`      - { name: k, type: u8 }
      - { name: l, type: array, until: [0, 0], max: 20, of: { type: u8 } }
      - { name: c, type: switch, on: k, length: u8, extra: keep, cases: { 1: [{ name: x, type: u16 }], 2: [{ name: t, type: tlv, tags: { 1: { name: y, type: u8 } } }] }, else: [] }
      - { name: o, type: u16, optional: true }
`),
  );
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 24 }), (numbers) => {
      const bytes = Uint8Array.from(numbers);
      const found = read(protocol, hexText(bytes));
      expect(['declared', 'invalid']).toContain(found.name);
      if (found.name === 'declared') expect(hexText(protocol.encode('m', found.fields))).toBe(hexText(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test.each<[string, string, string]>([
  ['a switch on nothing', '- { name: s, type: switch, cases: { 1: [] } }', 'config_missing_key'],
  [
    'a switch on what is not there',
    '- { name: s, type: switch, on: x, cases: { 1: [] } }',
    'messages[0].fields[0].on config_bad_value',
  ],
  [
    'a tag that cannot be',
    '- { name: s, type: tlv, tags: { 300: { name: a, type: u8 } } }',
    'messages[0].fields[0].tags["300"] config_bad_value',
  ],
  [
    'an optional field in the middle',
    '- { name: a, type: u8, optional: true }\n      - { name: b, type: text, length: u8 }',
    'messages[0].fields[0].optional config_conflict',
  ],
  [
    'two ends of a list',
    '- { name: a, type: array, count: 2, until: 0, of: { type: u8 } }',
    'messages[0].fields[0].until config_conflict',
  ],
  [
    'extra without a length',
    '- { name: a, type: struct, extra: keep, fields: [{ name: b, type: u8 }] }',
    'messages[0].fields[0].extra config_no_effect',
  ],
  [
    'a condition that says nothing',
    '- { name: a, type: u8 }\n      - { name: b, type: u8, when: { field: a } }',
    'messages[0].fields[1].when config_conflict',
  ],
])('%s is refused', (_, fields, problem) => {
  expect(wrongIn(message(`      ${fields}\n`)).join('\n')).toContain(problem);
});
