import { describe, expect, it, test } from 'vitest';
import {
  DEFAULT_PROTOCOL,
  type FieldDeclaration,
  type ProtocolDeclaration,
} from '../../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import { fromHex } from '../fixtures.ts';

const MODES = { mode: { 0: 'idle', 1: 'heating' } };

function protocolOf(
  fields: readonly FieldDeclaration[],
  more: Partial<ProtocolDeclaration> = {},
): DeclaredProtocol {
  return new DeclaredProtocol({
    ...DEFAULT_PROTOCOL,
    enums: MODES,
    messages: [{ name: 'm', id: 0x10, fields }],
    ...more,
  });
}

const decode = (fields: readonly FieldDeclaration[], hex: string) => protocolOf(fields).decode(fromHex(hex));
const u16: FieldDeclaration = { name: 'a', type: 'u16' };

describe('what cannot be decoded says the message, the field, the offset, and what was there', () => {
  test.each<[string, readonly FieldDeclaration[], string, object]>([
    [
      'too short',
      [u16, { name: 'b', type: 'u32' }],
      '10 0001 0000',
      { field: 'b', offset: 3, reason: 'too_short', needed: 4, available: 2 },
    ],
    [
      'too long',
      [u16],
      '10 0001 00',
      { field: 'length', offset: 3, reason: 'too_long', needed: 3, available: 4 },
    ],
    [
      'text that is no UTF-8',
      [{ name: 't', type: 'text', length: 'u8' }],
      '10 02 c328',
      { field: 't', offset: 2, reason: 'bad_text', seen: 'c328' },
    ],
    [
      'text that is no ASCII',
      [{ name: 't', type: 'text', length: 'u8', encoding: 'ascii' }],
      '10 01 80',
      { field: 't', reason: 'bad_text' },
    ],
    [
      'half a UTF-16 pair',
      [{ name: 't', type: 'text', length: 'u8', encoding: 'utf16be' }],
      '10 02 d800',
      { field: 't', reason: 'bad_text' },
    ],
    [
      'text without its end',
      [{ name: 't', type: 'text', terminator: 0 }],
      '10 6161',
      { field: 't', offset: 1, reason: 'too_short' },
    ],
    [
      'a wrong checksum',
      [u16, { name: 'c', type: 'crc', algorithm: 'crc-16/modbus' }],
      '10 0001 0000',
      { field: 'c', offset: 3, reason: 'bad_checksum', seen: '0x0000' },
    ],
    [
      'another constant',
      [{ name: 'k', type: 'u16', value: 0x55aa }],
      '10 55ab',
      { field: 'k', offset: 1, reason: 'bad_constant', expected: '55aa', seen: '55ab' },
    ],
    [
      'a count beyond the frame',
      [{ name: 'l', type: 'array', count: 'u32', of: { type: 'u8' } }],
      '10 ffffffff 01',
      { field: 'l', reason: 'bad_count' },
    ],
    [
      'a count beyond what is left',
      [{ name: 'l', type: 'array', count: 'u8', of: { type: 'u32' } }],
      '10 03 00000001',
      { field: 'l', reason: 'too_short', needed: 12, available: 4 },
    ],
    [
      'a count below zero',
      [
        { name: 'n', type: 'i8' },
        { name: 'l', type: 'bytes', length: { field: 'n' } },
      ],
      '10 ff',
      { field: 'l', reason: 'bad_count', seen: '-1' },
    ],
    [
      'a length beyond the frame',
      [{ name: 'd', type: 'bytes', length: 'u16' }],
      '10 ffff 01',
      { field: 'd', reason: 'too_short', needed: 65_535 },
    ],
    [
      'more than is admitted',
      [{ name: 'd', type: 'bytes', length: 'u8', max: 2 }],
      '10 03 010203',
      { field: 'd', reason: 'bad_count', expected: 'at most 2 bytes' },
    ],
    [
      'deep within',
      [
        {
          name: 's',
          type: 'struct',
          fields: [
            {
              name: 'l',
              type: 'array',
              count: 2,
              of: { type: 'struct', fields: [{ name: 't', type: 'text', length: 1 }] },
            },
          ],
        },
      ],
      '10 61 ff',
      { field: 's.l[1].t', offset: 2, reason: 'bad_text' },
    ],
  ])('%s', (_, fields, hex, wanted) => {
    const message = decode(fields, hex);
    expect(message).toMatchObject({ name: 'invalid', message: 'm', ...wanted });
    expect(message.name === 'invalid' && message.payload).toEqual(fromHex(hex));
  });

  it('a count that would take for ever is refused at once', () => {
    const nested: FieldDeclaration = {
      name: 'a',
      type: 'array',
      count: 'u32',
      of: { type: 'array', count: 'u32', of: { type: 'u8' } },
    };
    expect(decode([nested], '10 00000001 ffffffff')).toMatchObject({ name: 'invalid', field: 'a[0]' });
  });
});

describe('what can be decoded, with a word', () => {
  test.each<[string, FieldDeclaration, string, unknown, object | undefined]>([
    [
      'an unknown value of an enum',
      { name: 'a', type: 'u8', enum: 'mode' },
      '10 07',
      7,
      { reason: 'unknown_value' },
    ],
    [
      'a value outside its range',
      { name: 'a', type: 'u8', range: [0, 5] },
      '10 07',
      7,
      { reason: 'out_of_range' },
    ],
    [
      'text beyond 2^53 outside its range',
      { name: 'a', type: 'u64', range: [0, 100] },
      '10 ffffffffffffffff',
      '18446744073709551615',
      { reason: 'out_of_range' },
    ],
    [
      'a float that its scale makes infinite',
      { name: 'a', type: 'f64', scale: 10 },
      '10 7fe1ccf385ebc8a0',
      undefined,
      { reason: 'not_finite' },
    ],
    ['a NaN', { name: 'a', type: 'f32' }, '10 7fc00000', undefined, { reason: 'not_finite' }],
    [
      'an unknown value of a bit',
      { name: 'a', type: 'u8', bits: [{ name: 'm', at: '0..2', enum: 'mode' }] },
      '10 07',
      { m: 7 },
      { field: 'a.m', reason: 'unknown_value' },
    ],
    [
      'an element',
      { name: 'a', type: 'array', count: 1, of: { type: 'u8', enum: 'mode' } },
      '10 07',
      [7],
      { field: 'a[0]', reason: 'unknown_value' },
    ],
    ['an invalid value', { name: 'a', type: 'i16', invalid: 0xffff }, '10 ffff', undefined, undefined],
    [
      'an invalid element',
      { name: 'a', type: 'array', count: 2, of: { type: 'u8', invalid: 255 } },
      '10 01 ff',
      [1, null],
      undefined,
    ],
  ])('%s', (_, field, hex, value, issue) => {
    const message = decode([field], hex);
    expect(message.name).toBe('declared');
    if (message.name !== 'declared') return;
    expect(message.fields.a).toEqual(value);
    expect(message.issues).toEqual(
      issue === undefined ? [] : [expect.objectContaining({ field: 'a', ...issue })],
    );
  });
});

describe('what cannot be encoded', () => {
  const protocol = protocolOf([
    { name: 'scaled', type: 'i16', scale: 0.01, range: [-10, 60] },
    { name: 'mode', type: 'u8', enum: 'mode' },
    { name: 'text', type: 'text', length: 4 },
    { name: 'data', type: 'bytes', length: 'u8' },
    { name: 'list', type: 'array', count: 2, of: { type: 'u8', invalid: 255 } },
  ]);
  const good = { scaled: 23.14, mode: 'idle', text: 'abc', data: '0x01', list: [1, null] };
  test.each<[string, object, RegExp]>([
    ['a field too many', { other: 1 }, /m: other: there is no such field/],
    ['a field missing', { mode: undefined }, /m: mode: is missing/],
    ['beyond the range', { scaled: 60.01 }, /m: scaled: must be -10 to 60/],
    ['no number', { scaled: '23' }, /m: scaled: must be a number/],
    ['no such name', { mode: 'hot' }, /m: mode: must be one of idle, heating/],
    ['beyond the type', { mode: 256 }, /m: mode: must be 0 to 255/],
    ['text that is too long', { text: 'abcde' }, /m: text: must have at most 4 bytes/],
    ['text that ends in its filling', { text: 'a\u0000' }, /m: text: must not end/],
    ['no bytes', { data: 'xyz' }, /m: data: must be bytes/],
    ['another number of elements', { list: [1] }, /m: list: must have exactly 2/],
    ['the value that says "no value"', { list: [1, 255] }, /m: list\[1\]: is the value that says/],
  ])('%s', (_, change, message) => {
    expect(() => protocol.encode('m', { ...good, ...change })).toThrow(message);
    expect(protocol.decode(protocol.encode('m', good))).toMatchObject({ name: 'declared' });
  });

  it('a message that is not declared', () => {
    expect(() => protocol.encode('n')).toThrow(expect.objectContaining({ code: 'message_unknown' }));
  });
});

describe('values', () => {
  test.each<[FieldDeclaration, string, unknown]>([
    [{ name: 'a', type: 'i16', scale: 0.01 }, '10 090a', 23.14],
    [{ name: 'a', type: 'u16', scale: 0.1, offset: -273.1 }, '10 0b76', 20.3],
    [{ name: 'a', type: 'u64' }, '10 0020000000000001', '9007199254740993'],
    [{ name: 'a', type: 'i64le' }, '10 ffffffffffffffff', -1],
    [{ name: 'a', type: 'i24le' }, '10 feffff', -2],
    [{ name: 'a', type: 'f32' }, '10 43663333', 230.2],
    [{ name: 'a', type: 'f32' }, '10 7f7fc99e', 3.4e38],
    [{ name: 'a', type: 'f32' }, '10 ff7fffff', -3.4028235e38],
    [{ name: 'a', type: 'f32' }, '10 4b7fffff', 16_777_215],
    [{ name: 'a', type: 'f32' }, '10 4ceb79a3', 123_456_790],
    [{ name: 'a', type: 'f32' }, '10 00000001', 1e-45],
    [{ name: 'a', type: 'f32' }, '10 006ce3ee', 1e-38],
    [{ name: 'a', type: 'f32' }, '10 00800000', 1.1754944e-38],
    [{ name: 'a', type: 'text', length: 5, pad: 32 }, '10 6162202020', 'ab'],
    [{ name: 'a', type: 'bytes', length: 'rest' }, '10 0a0b', { $bytes: 'Cgs=', len: 2 }],
  ])('%j of %s is %j', (field, hex, value) => {
    const message = decode([field], hex);
    expect(message.name === 'declared' && message.fields.a).toEqual(value);
    expect(protocolOf([field]).encode('m', { a: value } as never)).toEqual(fromHex(hex)); // any value, on purpose
  });
});

describe('replies', () => {
  const protocol = new DeclaredProtocol({
    ...DEFAULT_PROTOCOL,
    errors: { 5: 'busy' },
    messages: [
      { name: 'ask', id: 0xf0, from: 'host', reply: { fields: [u16] }, errors: { '-2': 'too_hot' } },
      { name: 'act', id: 1, from: 'any', reply: 'status', fields: [u16] },
    ],
  });
  it('carry fields with success, and nothing with an error', () => {
    expect(protocol.decode(fromHex('f0 00 0007'))).toMatchObject({
      kind: 'reply',
      id: -16,
      error: 0,
      fields: { a: 7 },
    });
    expect(protocol.decode(fromHex('f0 fe'))).toMatchObject({
      kind: 'reply',
      error: -2,
      errorName: 'too_hot',
      fields: {},
    });
    expect(protocol.decode(fromHex('f0 05'))).toMatchObject({ errorName: 'busy' });
    expect(protocol.decode(fromHex('f0 00'))).toMatchObject({ name: 'invalid', reason: 'too_short' });
    expect(protocol.decode(fromHex('f0 fe 0007'))).toMatchObject({ name: 'invalid', reason: 'too_long' });
    expect(protocol.decode(fromHex('f0'))).toMatchObject({ kind: 'request', fields: {} });
    expect(protocol.encodeReply('ask', 0, { a: 7 })).toEqual(fromHex('f0 00 0007'));
    expect(protocol.encodeReply('act', -1)).toEqual(fromHex('01 ff'));
  });
  it('come from the other side than their message', () => {
    const bytes = fromHex('f0');
    expect(protocol.decode(bytes, 0, 1, 'host')).toMatchObject({ kind: 'request' });
    expect(protocol.decode(bytes, 0, 1, 'device')).toMatchObject({ name: 'invalid', kind: 'reply' });
  });
});

describe('numbers at the edge of what their type carries', () => {
  const wide = protocolOf([{ name: 'a', type: 'u64', range: [0, 100] }]);
  test.each(['18446744073709551615', '101', 101])('%s is beyond a range up to 100', (a) => {
    expect(() => wide.encode('m', { a })).toThrow(/a: must be 0 to 100/);
  });

  it('what a scale makes greater than any number is refused, and not a failure of ours', () => {
    const scaled = protocolOf([{ name: 'a', type: 'u64', scale: 0.01 }]);
    expect(() => scaled.encode('m', { a: 1e308 })).toThrow(/a: must be 0 to/);
    expect(() => scaled.encode('m', { a: -1e308 })).toThrow(/a: must be 0 to/);
  });

  test.each([
    ['f32', '7f7fffff'],
    ['f32', 'ff7fffff'],
    ['f64', '7fefffffffffffff'],
  ])('the greatest %s comes back the same', (type, bits) => {
    const protocol = protocolOf([{ name: 'a', type }]);
    const message = protocol.decode(fromHex(`10${bits}`));
    expect(message.name === 'declared' && protocol.encode('m', message.fields)).toEqual(fromHex(`10${bits}`));
  });

  it('a decimal scale is divided where the raw number is a float', () => {
    const protocol = protocolOf([{ name: 'a', type: 'f32', scale: 0.1 }]);
    expect(protocol.decode(fromHex('10 40400000'))).toMatchObject({ fields: { a: 0.3 }, raw: { a: 3 } });
  });

  test.each([
    ['a decimal one', 0.1, -40, -39.7],
    ['one that is no short decimal', 1 / 3, 5, 6],
  ])('%s is taken back with its offset when a float is sent', (_, scale, offset, a) => {
    const protocol = protocolOf([{ name: 'a', type: 'f32', scale, offset }]);
    expect(protocol.encode('m', { a })).toEqual(fromHex('10 40400000'));
  });

  it('a float is not sent as the bits that say "no value"', () => {
    const protocol = protocolOf([{ name: 'a', type: 'f32', invalid: 0xc61c3c00 }]);
    expect(() => protocol.encode('m', { a: -9999 })).toThrow(/"no value"/);
    expect(protocol.encode('m', {})).toEqual(fromHex('10 c61c3c00'));
  });
});

describe('text that is always the same', () => {
  test.each<[string, FieldDeclaration, string]>([
    ['ends with its terminator', { type: 'text', value: 'OK', terminator: 13 }, '4f4b 0d'],
    ['is filled up', { type: 'text', value: 'AB', length: 4, pad: 32 }, '4142 2020'],
    [
      'is filled up by units',
      { type: 'text', encoding: 'utf16be', value: 'A', length: 4, pad: 32 },
      '0041 0020',
    ],
  ])('%s', (_, field, hex) => {
    const protocol = protocolOf([{ ...field, name: 'head' }]);
    expect(protocol.encode('m', {})).toEqual(fromHex(`10 ${hex}`));
    expect(protocol.decode(fromHex(`10 ${hex}`))).toMatchObject({ name: 'declared', fields: {} });
  });
});

it('a number may be written as negative hex, wherever it is meant', () => {
  const protocol = protocolOf([
    { name: 'kind', type: 'i8', value: '-0x10' },
    { name: 'a', type: 'i8', enum: { '-0x02': 'low' }, when: { field: 'kind', is: -16 } },
  ]);
  expect(protocol.encode('m', { a: 'low' })).toEqual(fromHex('10 f0 fe'));
  expect(protocol.decode(fromHex('10 f0 fe'))).toMatchObject({ fields: { a: 'low' } });
});
