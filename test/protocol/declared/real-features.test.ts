import { describe, expect, test } from 'vitest';
import { hexText } from '../../../src/protocol/describe.ts';
import { bytesOf } from '../framing/collecting-sink.ts';
import { declaredIn } from './declared-in-yaml.ts';

/** A payload and its values; `sent` where it is sent in another way than it came, `issues` where some are found. */
interface Value {
  readonly what: string;
  /** Fields of one message. */
  readonly fields: string;
  readonly bytes: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly protocol?: string;
  readonly sent?: string;
  readonly issues?: readonly string[];
}

const inMessage = ({ fields, message = '', protocol = '' }: Pick<Value, 'fields' | 'message' | 'protocol'>) =>
  declaredIn(
    `protocol: { framing: { type: slip }${protocol} }\nmessages:\n  - { name: m${message}, fields: [${fields}] }\n`,
  );

const bytes = (hex: string, length = 2) => ({
  $bytes: Buffer.from(hex, 'hex').toString('base64'),
  len: length,
});

/** What published protocols have, each once; the numbers are those of a list of such features. */
const VALUES: readonly Value[] = [
  {
    what: '1 odd widths, in both orders',
    fields:
      '{ name: a, type: u24 }, { name: b, type: u40le }, { name: c, type: u48 }, { name: d, type: i56 }, { name: e, type: i24le }',
    bytes: '010203 0504030201 000000000001 fffffffffffffe feffff',
    values: { a: 0x010203, b: 0x0102030405, c: 1, d: -2, e: -2 },
  },
  {
    what: '2 whole numbers beyond 2^53',
    fields: '{ name: a, type: u64 }',
    bytes: 'ffffffffffffffff',
    values: { a: '18446744073709551615' },
  },
  { what: '3 CDAB floats', fields: '{ name: a, type: f32cdab }', bytes: '00003fc0', values: { a: 1.5 } },
  {
    what: '4 the low word first',
    fields: '{ name: a, type: u32cdab }, { name: b, type: u32badc }',
    bytes: '00020001 01000200',
    values: { a: 0x00010002, b: 0x00010002 },
  },
  { what: '5 half precision', fields: '{ name: a, type: f16 }', bytes: '3e00', values: { a: 1.5 } },
  {
    what: '6 sign and magnitude',
    fields: '{ name: a, type: i16, sign: magnitude }',
    bytes: '8005',
    values: { a: -5 },
  },
  {
    what: '7 Q16.16',
    fields: '{ name: a, type: i32, scale: 0.0000152587890625 }',
    bytes: 'fffe8000',
    values: { a: -1.5 },
  },
  {
    what: '8 Q1.31',
    fields: '{ name: a, type: i32, scale: 0.0000000004656612873077393 }',
    bytes: 'c0000000',
    values: { a: -0.5 },
  },
  {
    what: '9 a scale of 1/1800000',
    fields: '{ name: a, type: u32, scale: 5.555555555555556e-7 }',
    bytes: '0112a880',
    values: { a: 10 },
  },
  {
    what: '10 a scale of 1/3',
    fields: '{ name: a, type: u8, scale: 0.3333333333333333 }',
    bytes: '1e',
    values: { a: 10 },
  },
  {
    what: '11 scaled bits',
    fields: '{ name: a, type: u16, bits: [{ name: t, at: "0..11", scale: 0.0625, unit: "°C" }] }',
    bytes: '0190',
    values: { a: { t: 25 } },
  },
  {
    what: '12 signed bits, and those around them that are not declared',
    fields: '{ name: a, type: u16, bits: [{ name: t, at: "0..11", signed: true }] }',
    bytes: '0ffe',
    values: { a: { t: -2 } },
  },
  {
    what: '13 bits over several bytes',
    fields:
      '{ name: a, type: u24, bits: [{ name: x, at: "4..15" }, { name: y, at: "16..23" }, { name: z, at: "0..3" }] }',
    bytes: '12abcd',
    values: { a: { x: 0xabc, y: 0x12, z: 0xd } },
  },
  {
    what: '14 bits over several bytes, as in CAN',
    fields:
      '{ name: a, type: u24le, bits: [{ name: x, at: "4..15" }, { name: y, at: "16..23" }, { name: z, at: "0..3" }] }',
    bytes: 'cdab12',
    values: { a: { x: 0xabc, y: 0x12, z: 0xd } },
  },
  {
    what: '15 sixty bits',
    fields: '{ name: a, type: u64, bits: [{ name: x, at: "0..59" }, { name: y, at: "60..63" }] }',
    bytes: '5fffffffffffffff',
    values: { a: { x: '1152921504606846975', y: 5 } },
  },
  {
    what: '16 several numbers that say "no value"',
    fields:
      '{ name: a, type: i16, invalid: [0x7fff, 0x8000] }, { name: b, type: i16, invalid: [0x7fff, 0x8000] }',
    bytes: '7fff 8000',
    values: {},
    sent: '7fff 7fff',
  },
  {
    what: '17 a NaN that says "no value", and another one',
    fields: '{ name: a, type: f32, invalid: 0x7fc00000 }, { name: b, type: f32 }',
    bytes: '7fc00000 7fc00001',
    values: {},
    issues: ['b not_finite'],
  },
  { what: '18 minus zero', fields: '{ name: a, type: f32 }', bytes: '80000000', values: { a: -0 } },
  {
    what: '19 BCD',
    fields: '{ name: a, type: bcd, length: 3, scale: 0.01 }',
    bytes: '012345',
    values: { a: 123.45 },
  },
  {
    what: '20 a time in BCD',
    fields: '{ name: a, type: bcd_time, zone: "+08:00" }',
    bytes: '260131120000',
    values: { a: '2026-01-31T12:00:00+08:00' },
  },
  {
    what: '21 varints',
    fields: '{ name: a, type: varint }, { name: b, type: varint, sign: zigzag }',
    bytes: 'ac02 03',
    values: { a: 300, b: -2 },
  },
  {
    what: '22 a scale that is sent',
    fields: '{ name: a, type: i16, scale: { field: sf }, unit: W }, { name: sf, type: i16 }',
    bytes: '1770 ffff',
    values: { a: 600, sf: -1 },
  },
  {
    what: '23 a decimal number in text',
    fields: '{ name: a, type: number, length: rest, decimals: 3, unit: V }',
    bytes: hexText(new TextEncoder().encode('-12.500')),
    values: { a: -12.5 },
  },
  {
    what: '24 a hexadecimal number in text',
    fields: '{ name: a, type: hex_number, length: 4, digits: 4 }',
    bytes: hexText(new TextEncoder().encode('1AF8')),
    values: { a: 0x1af8 },
  },
  {
    what: '25 UTF-8 of four bytes',
    fields: '{ name: a, type: text, length: rest }',
    bytes: 'f09f9880',
    values: { a: '😀' },
  },
  {
    what: '26 GBK',
    fields: '{ name: a, type: text, length: rest, encoding: gbk }',
    bytes: 'b2e2cad441',
    values: { a: '测试A' },
  },
  {
    what: '27 a C string with garbage behind its end',
    fields: '{ name: a, type: text, length: 6 }',
    bytes: '616200 78797a',
    values: { a: 'ab' },
    sent: '616200000000',
  },
  {
    what: '28 a character that is cut',
    fields: '{ name: a, type: text, length: 4 }, { name: b, type: u8 }',
    bytes: 'e6b8a9e5 07',
    values: { a: '温\uFFFD', b: 7 },
    issues: ['a bad_text'],
  },
  {
    what: '29 text at the right',
    fields: '{ name: a, type: text, length: 10, align: right }',
    bytes: hexText(new TextEncoder().encode('    100.00')),
    values: { a: '100.00' },
  },
  {
    what: '30 text filled up with FF',
    fields: '{ name: a, type: text, length: 4, pad: 255 }',
    bytes: '6162ffff',
    values: { a: 'ab' },
  },
  {
    what: '31 text that ends at a CR, or where its room ends',
    fields:
      '{ name: a, type: text, length: 4, terminator: 13 }, { name: b, type: text, length: 4, terminator: 13 }',
    bytes: '61620d00 61626364',
    values: { a: 'ab', b: 'abcd' },
  },
  {
    what: '37 a length that counts itself',
    fields: '{ name: n, type: u8 }, { name: a, type: text, length: { field: n, adjust: -1 } }',
    bytes: '03 6162',
    values: { n: 3, a: 'ab' },
  },
  {
    what: '38 a list by its bytes, with fields behind it',
    fields:
      '{ name: n, type: u8 }, { name: a, type: array, length: { field: n }, of: { type: u16 } }, { name: b, type: u8 }',
    bytes: '04 0001 0002 09',
    values: { n: 4, a: [1, 2], b: 9 },
  },
  {
    what: '39 a list to the rest, with fixed fields behind it',
    fields: '{ name: a, type: array, count: rest, of: { type: u8 } }, { name: b, type: u16 }',
    bytes: '010203 0004',
    values: { a: [1, 2, 3], b: 4 },
  },
  {
    what: '40 a structure with a length, of which the rest is passed over',
    fields:
      '{ name: s, type: struct, length: u8, extra: ignore, fields: [{ name: a, type: u8 }] }, { name: b, type: u8 }',
    bytes: '03 01 aabb 09',
    values: { s: { a: 1 }, b: 9 },
    sent: '01 01 09',
  },
  {
    what: '41 two dimensions',
    fields: '{ name: a, type: array, count: 2, of: { type: array, count: 2, of: { type: u8 } } }',
    bytes: '01020304',
    values: {
      a: [
        [1, 2],
        [3, 4],
      ],
    },
  },
  {
    what: '42 a list of tag, length and value, of any tags',
    fields:
      '{ name: a, type: array, count: rest, of: { type: struct, fields: [{ name: t, type: u8 }, { name: v, type: bytes, length: u8 }] } }',
    bytes: '01 02 6162 30 00',
    values: {
      a: [
        { t: 1, v: bytes('6162') },
        { t: 0x30, v: bytes('', 0) },
      ],
    },
  },
  {
    what: '43 a list of tag, length and value, typed by tag',
    fields:
      '{ name: x, type: tlv, tag: u8, length: u8, tags: { 1: { name: mileage, type: u32, scale: 0.1, unit: km }, 0x30: { name: signal, type: u8 } } }',
    bytes: '01 04 0000000a 30 01 15 77 02 aabb',
    values: { x: { mileage: 1, signal: 0x15, tag_77: bytes('aabb') } },
  },
  {
    what: '44 one of several contents, by a type',
    fields:
      '{ name: k, type: u8 }, { name: c, type: switch, on: k, cases: { 1: [{ name: a, type: u16 }], 2: [{ name: b, type: u8 }] } }',
    bytes: '02 07',
    values: { k: 2, c: { b: 7 } },
  },
  {
    what: '45 conditions by mask and comparison',
    fields:
      '{ name: k, type: u8 }, { name: a, type: u8, when: { field: k, mask: 0x80 } }, { name: b, type: u8, when: { field: k, gt: 3, lt: 10 } }',
    bytes: '81 07',
    values: { k: 0x81, a: 7 },
  },
  {
    what: '46 fields that older firmware lacks',
    fields: '{ name: a, type: u8 }, { name: b, type: u8, optional: true }',
    bytes: '01',
    values: { a: 1 },
  },
  {
    what: '47 newer firmware that sends more',
    fields: '{ name: a, type: u8 }',
    message: ', extra: keep',
    bytes: '01 aabb',
    values: { a: 1, extra: bytes('aabb') },
  },
  {
    what: '48 zeros that are cut off at the end',
    fields: '{ name: a, type: u32le }, { name: b, type: u16le }',
    protocol: ', zero_tail: drop',
    bytes: '0102',
    values: { a: 0x0201, b: 0 },
  },
  {
    what: '49 a list up to an element that ends it',
    fields: '{ name: a, type: array, until: [0xff], of: { type: u8 } }, { name: b, type: u8 }',
    bytes: '0102 ff 09',
    values: { a: [1, 2], b: 9 },
  },
  {
    what: '59 a checksum in front of what it covers',
    fields:
      '{ name: c, type: crc, algorithm: sum-8, covers: [a, b] }, { name: a, type: u8 }, { name: b, type: u8 }',
    bytes: '03 01 02',
    values: { a: 1, b: 2 },
  },
  {
    what: '60 a checksum in hexadecimal text',
    fields: '{ name: a, type: text, length: 3 }, { name: c, type: crc, algorithm: sum-8, hex: true }',
    bytes: `${hexText(new TextEncoder().encode('abc'))} 3236`,
    values: { a: 'abc' },
  },
  {
    what: '72 an id in text',
    fields: '{ name: a, type: number, length: rest, decimals: 0 }',
    protocol: ', id: { type: text, length: 3 }',
    message: ', id: ABC',
    bytes: '414243 3132',
    values: { a: 12 },
  },
  {
    what: '73 an id of four bits',
    fields: '{ name: h, type: u8, bits: [{ name: qos, at: "1..2" }] }, { name: a, type: u8 }',
    protocol: ', id: { type: u8, bits: "4..7" }',
    message: ', id: 3',
    bytes: '32 07',
    values: { h: { qos: 1 }, a: 7 },
  },
  {
    what: '74 a function and a subfunction',
    fields: '{ name: a, type: u8 }',
    protocol: ', id: [{ type: u8, at: 0 }, { type: u8, at: 1 }]',
    message: ', id: [0x2b, 0x0e]',
    bytes: '2b0e 07',
    values: { a: 7 },
  },
];

describe('what real protocols have', () => {
  test.each(VALUES)('$what', ({ bytes: hex, values, sent = hex, issues = [], ...rest }) => {
    const protocol = inMessage(rest);
    const message = protocol.decode(bytesOf(hex));
    if (message.name !== 'declared') throw new Error(JSON.stringify(message));
    expect(message.fields).toEqual(values);
    expect(message.issues.map(({ field, reason }) => `${field} ${reason}`)).toEqual(issues);
    // What has an issue is sent as it was found only where its raw value is given.
    if (issues.length === 0)
      expect(hexText(protocol.encode('m', message.fields))).toBe(hexText(bytesOf(sent)));
  });

  test('32 an end within a text that is sent is refused', () => {
    const protocol = inMessage({ fields: '{ name: a, type: text, terminator: 0 }' });
    expect(() => protocol.encode('m', { a: 'a\0b' })).toThrow(/a: /);
  });
});
