import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { parseNumberFormat, printed } from '../../../src/protocol/declared/number-format.ts';
import type { Value } from '../../../src/protocol/declared/value.ts';
import { complaints, decoded, encoded, protocolOf } from './declared-case.ts';

type Field = Omit<FieldDeclaration, 'name'>;

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const of = (field: Field) => protocolOf([{ ...field, name: 'a' }]);
const read = (field: Field, text: string) => decoded(of(field), hexOf(text));
const write = (field: Field, value: Value | undefined): string =>
  Buffer.from(encoded(of(field), value === undefined ? {} : { a: value }), 'hex').toString('latin1');

const REST: Field = { type: 'number', length: 'rest' };

describe('numbers in text', () => {
  test.each<[string, Partial<Field>, Value | undefined]>([
    ['+5.013E+00', {}, 5.013],
    ['-12.50', {}, -12.5],
    ['  100.00', {}, 100],
    ['.5', {}, 0.5],
    ['7.', {}, 7],
    ['+ 12.3', {}, 12.3],
    ['12345678901234567890', {}, '12345678901234567890'],
    ['1e3', {}, 1_000],
    ['1,234.5', { thousands: ',' }, 1_234.5],
    ['1.234,5', { thousands: '.', decimalMark: ',' }, 1_234.5],
    ['0,5', { decimalMark: ',' }, 0.5],
    ['2314', { scale: 0.01 }, 23.14],
    ['5.013 V', { unit: 'V' }, 5.013],
    ['9.9E37', { invalid: 9.9e37 }, undefined],
    ['----', { invalid: ['----', '9.91E37'] }, undefined],
    ['9.91e+37', { invalid: ['----', '9.91E37'] }, undefined],
    ['', {}, undefined],
    ['3', { enum: { 3: 'heating' } }, 'heating'],
    ['1700000000', { time: { epoch: 'unix' } }, '2023-11-14T22:13:20Z'],
  ])('%j', (text, more, value) => {
    expect(read({ ...REST, ...more }, text)).toMatchObject({
      fields: value === undefined ? {} : { a: value },
      issues: [],
      found: true,
    });
  });

  test.each<[string, Partial<Field>]>([
    ['OVLD', {}],
    ['1,234', {}],
    ['12,34', { thousands: ',' }],
    ['1.2.3', {}],
    ['0x10', {}],
    ['5 mV', { unit: 'V' }],
    ['1e99999', {}],
    ['NaN', {}],
    ['--1', {}],
    ['9'.repeat(500), {}],
  ])('%j is none: an issue, its text as the raw value, and the message counts', (text, more) => {
    const found = read({ ...REST, ...more }, text);
    expect(found).toMatchObject({ fields: {}, raw: { a: text } });
    expect(found.issues[0]).toMatch(/^a not_a_number: /);
  });

  test('beyond all numbers is not finite', () => {
    expect(read(REST, '1e999').issues).toEqual(['a not_finite: "1e999" is no number']);
  });

  test('outside of the range is an issue', () => {
    expect(read({ ...REST, range: [0, 30] }, '31')).toMatchObject({
      fields: { a: 31 },
      issues: ['a out_of_range: 31 is not 0 to 30'],
    });
  });

  test.each<[Partial<Field>, Value | undefined, string]>([
    [{ decimals: 3 }, 12.5, '12.500'],
    [{ decimals: 0 }, 12.5, '13'],
    [{ decimals: 2, scale: 0.001 }, 1, '1000.00'],
    [{ format: '%+.3E' }, 5.013, '+5.013E+00'],
    [{ format: '%08.2f' }, -1.5, '-0001.50'],
    [{ format: '%d' }, 1.6, '2'],
    [{ decimals: 1, decimalMark: ',' }, 1.25, '1,3'],
    [{}, 1e-7, '1E-7'],
    [{ unit: 'V', decimals: 1 }, '21.5 V', '21.5'],
    [{ invalid: '----' }, undefined, '----'],
    [{ terminator: 0x2c, decimals: 1 }, 1, '1.0,'],
    [{ length: 8, decimals: 2 }, 100, '  100.00'],
    [{ length: 8, decimals: 2, pad: 0x30 }, -100, '-0100.00'],
    [{ length: 'u8' }, 100, '\x03100'],
  ])('%j: %j is sent as %j', (more, value, text) => {
    const field = { ...REST, ...more, ...(more.terminator === undefined ? {} : { length: undefined }) };
    expect(write(field, value)).toBe(text);
  });

  test('in a fixed length are read whatever fills it', () => {
    expect(read({ type: 'number', length: 8 }, '  100.00').fields).toEqual({ a: 100 });
    expect(read({ type: 'number', length: 8 }, '100.00\0z').fields).toEqual({ a: 100 });
    expect(read({ type: 'number', length: 8, pad: 0x30 }, '-0100.00').fields).toEqual({ a: -100 });
    expect(read({ type: 'number', length: 4, pad: 0x30 }, '0000').fields).toEqual({ a: 0 });
    expect(read({ type: 'number', length: 4 }, '    ')).toMatchObject({ fields: {}, issues: [] });
  });

  test('are refused where they do not fit', () => {
    expect(() => write({ type: 'number', length: 4, decimals: 2 }, 1_000)).toThrow('at most 4 bytes');
    expect(() => write({ ...REST, range: [0, 30] }, 31)).toThrow('must be 0 to 30');
    expect(() => write({ ...REST, unit: 'V' }, '5 mV')).toThrow('is given in V');
    expect(() => write(REST, undefined)).toThrow('is missing');
    expect(() => write(REST, 'abc')).toThrow('must be a number');
  });

  test.each<[string, Partial<Field>]>([
    ['format: This is no format of such a number.', { format: '%s' }],
    ['format: This is no format of such a number.', { format: '%x' }],
    ['format: This is no format of such a number.', { format: '%d %d' }],
    ['decimals: `format` says that already.', { format: '%d', decimals: 1 }],
    ['thousands: This is no single character beside digits.', { thousands: '1' }],
    ['thousands: The decimals begin with the same character.', { thousands: '.' }],
    ['sign: `sign` has no meaning for `type: number`.', { sign: 'magnitude' }],
  ])('%s', (complaint, more) => {
    expect(complaints({ ...REST, ...more, name: 'a' })).toEqual([complaint]);
  });

  test('law: any finite number comes back, and with decimals rounded to them', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // A whole number beyond 2^53 is text.
        fc.pre(!Number.isInteger(value) || Number.isSafeInteger(value));
        expect(decoded(of(REST), encoded(of(REST), { a: value })).fields).toEqual({ a: value + 0 || 0 });
      }),
    );
  });

  test('law: any bytes are read without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        const { issues, fields, raw } = decoded(of(REST), Buffer.from(bytes).toString('hex'));
        if (!('a' in fields) && issues.length === 0) expect(raw).toEqual({});
      }),
    );
  });
});

describe('hexadecimal numbers in text', () => {
  const hex: Field = { type: 'hex_number', length: 4 };
  test.each<[string, Partial<Field>, Value]>([
    ['1AF8', {}, 0x1af8],
    ['00ff', {}, 255],
    ['FFFE', { sign: 'twos_complement' }, -2],
    ['E803', { byteOrder: 'little' }, 1_000],
    ['2314', { scale: 0.1 }, 898],
    ['1A F8', { length: 5 }, 0x1af8],
    ['0x1F', {}, 31],
    ['1A F8', { length: 5, thousands: ' ' }, 0x1af8],
  ])('%j with %j', (text, more, value) => {
    expect(read({ ...hex, ...more }, text)).toMatchObject({ fields: { a: value }, issues: [] });
  });

  test.each<[Partial<Field>, Value, string]>([
    [{}, 255, '00FF'],
    [{ sign: 'twos_complement' }, -2, 'FFFE'],
    [{ byteOrder: 'little' }, 1_000, 'E803'],
    [{ length: 'rest', digits: 6 }, 255, '0000FF'],
    [{ length: 'rest', digits: 4, thousands: ' ' }, 0x1af8, '1A F8'],
    [{ length: 2, digits: 2, thousands: ' ' }, 5, '05'],
    [{ length: 'rest', format: '0x%04x' }, 255, '0x00ff'],
    [{ length: 'rest' }, '18446744073709551615', 'FFFFFFFFFFFFFFFF'],
  ])('%j: %j is sent as %j', (more, value, text) => {
    expect(write({ ...hex, ...more }, value)).toBe(text);
  });

  test('text that is none is an issue', () => {
    expect(read(hex, '12G4').issues).toEqual(['a not_a_number: "12G4" is no hexadecimal number']);
  });
});

test('a scaled number is sent without what division leaves', () => {
  expect(write({ ...REST, scale: 0.01 }, 4.56)).toBe('456');
});

describe('places', () => {
  const latitude: Field = { type: 'number', length: 'rest', angle: 'ddmm', hemisphere: 'NS', unit: '\u00b0' };
  test.each<[string, Partial<Field>, number, string?]>([
    ['4807.038N', {}, 48.1173],
    ['4807.038S', {}, -48.1173],
    ['4134.49821229N', {}, 41.5749702048],
    ['0000.5S', {}, -0.0083333333, '0000.5S'],
    ['01131.000W', { angle: 'dddmm', hemisphere: 'EW' }, -11.5166666667, '01131W'],
    ['01131.000W', { angle: 'dddmm', hemisphere: 'EW', decimals: 3 }, -11.5166666667],
    ['0559.99999E', { angle: 'ddmm', hemisphere: 'EW', decimals: 2 }, 5.9999998333, '0600.00E'],
    ['4807.038', { hemisphere: undefined }, 48.1173],
    ['11.5985W', { angle: undefined, hemisphere: 'EW' }, -11.5985],
  ])('%s', (text, more, value, sent = text) => {
    expect(read({ ...latitude, ...more }, text)).toMatchObject({ fields: { a: value }, issues: [] });
    expect(write({ ...latitude, ...more }, value)).toBe(sent);
  });

  test.each(['4860.000N', '4807.038', '4807.038E', '-4807.038N', '48N', 'N', '4807.038,N', '12345678.9N'])(
    '%s is none',
    (text) => {
      const { fields, issues } = read(latitude, text);
      expect([fields, issues.length]).toEqual([{}, 1]);
    },
  );

  test('a key without a meaning is named', () => {
    expect(complaints({ ...latitude, name: 'a', format: '%.3f' })).toEqual([
      'format: `format` has no meaning beside `angle`.',
    ]);
  });
});

test.each([
  ['%5.1f', 3.16159, '  3.2'],
  ['%-6d|', 42, '42    |'],
  ['% d', 42, ' 42'],
  ['%e', 12_345.678, '1.234568e+04'],
  ['%.2E', 1e-10, '1.00E-10'],
  ['%g', 0.0001, '0.0001'],
  ['%g', 1e-5, '1e-05'],
  ['%G', 1e20, '1E+20'],
  ['%.0f', 1e22, '10000000000000000000000'],
  ['%#x', 255, '0xff'],
  ['VOLT %.3f;', 12.5, 'VOLT 12.500;'],
])('%s prints %d as C does', (format, value, text) => {
  const spec = parseNumberFormat(format);
  expect(spec === undefined ? undefined : printed(spec, value)).toBe(text);
});
