import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { halfBits, halfOf } from '../../../src/protocol/declared/half.ts';
import type { Value } from '../../../src/protocol/declared/value.ts';
import { complaints, decoded, encoded, protocolOf } from './declared-case.ts';

type Field = Omit<FieldDeclaration, 'name'>;

/** What the bytes of one field are; both ways unless `lossy`. */
function reads(field: Field, hex: string, value: Value | undefined, issues: readonly string[] = []): void {
  const protocol = protocolOf([
    { ...field, name: 'a' },
    { name: 'end', type: 'u8' },
  ]);
  expect(decoded(protocol, `${hex}7e`)).toMatchObject({
    fields: { ...(value === undefined ? {} : { a: value }), end: 0x7e },
    issues,
    found: true,
  });
}

function both(field: Field, hex: string, value: Value | undefined): void {
  reads(field, hex, value);
  const protocol = protocolOf([{ ...field, name: 'a' }]);
  expect(encoded(protocol, value === undefined ? {} : { a: value })).toBe(hex);
}

describe('words in another order', () => {
  test.each([
    ['f32cdab', '077a429b', 77.5146],
    ['f32badc', '9b427a07', 77.5146],
    ['u32cdab', '56781234', 0x12345678],
    ['u32badc', '34127856', 0x12345678],
    ['i32cdab', 'fffeffff', -2],
    ['u64cdab', '0708050603040102', '72623859790382856'],
    ['u64badc', '0201040306050807', '72623859790382856'],
    ['i64cdab', 'fffeffffffffffff', -2],
    ['f64cdab', '000000000000c05e', -120],
    ['f64badc', '5ec0000000000000', -120],
  ])('%s', (type, hex, value) => {
    both({ type }, hex, value);
  });

  test('there are none of other sizes', () => {
    expect(complaints({ name: 'a', type: 'u16cdab' })).toEqual(['type: There is no type `u16cdab`.']);
    expect(complaints({ name: 'a', type: 'u24badc' })).toEqual(['type: There is no type `u24badc`.']);
  });

  test('law: a number is the same whatever the order of its words', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (whole) => {
        const value = Number.isSafeInteger(Number(whole)) ? Number(whole) : whole.toString();
        const [big, low] = ['u64', 'u64cdab'].map((type) =>
          encoded(protocolOf([{ name: 'a', type }]), { a: value }),
        );
        expect(low).toBe(big?.match(/.{4}/g)?.reverse().join(''));
        expect(decoded(protocolOf([{ name: 'a', type: 'u64cdab' }]), low ?? '').fields).toEqual({ a: value });
      }),
    );
  });
});

describe('half precision', () => {
  test.each([
    ['3c00', 1],
    ['c000', -2],
    ['3555', 0.3333],
    ['7bff', 65_504],
    ['0001', 6e-8],
    ['0400', 6.104e-5],
    ['4248', 3.14],
    ['8000', -0],
  ])('%s is %d', (hex, value) => {
    both({ type: 'f16' }, hex, value);
  });

  test('what is beyond it is refused', () => {
    expect(() => encoded(protocolOf([{ name: 'a', type: 'f16' }]), { a: 70_000 })).toThrow(
      'too large for f16',
    );
  });

  test('law: every half is written as it was read', () => {
    for (let bits = 0; bits < 0x1_0000; bits++) {
      const value = halfOf(bits);
      if (!Number.isNaN(value)) expect(halfBits(value)).toBe(bits);
    }
  });
});

describe('signs', () => {
  test.each<[string, Field, string, Value]>([
    ['the top bit', { type: 'i16', sign: 'magnitude' }, '8005', -5],
    ['none', { type: 'i16', sign: 'magnitude' }, '0005', 5],
    ['minus zero', { type: 'i16', sign: 'magnitude' }, '8000', -0],
    ['of 64 bits', { type: 'i64le', sign: 'magnitude' }, '0100000000000080', -1],
    ['scaled', { type: 'i16', sign: 'magnitude', scale: 0.1 }, '80ff', -25.5],
    ['minus zero of a float', { type: 'f32' }, '80000000', -0],
    ['minus zero of eight bytes', { type: 'f64' }, '8000000000000000', -0],
  ])('%s', (_, field, hex, value) => {
    both(field, hex, value);
  });

  test('in another field', () => {
    const protocol = protocolOf([
      { name: 'course', type: 'u8', bits: [{ name: 'south', at: 2 }] },
      {
        name: 'latitude',
        type: 'u32',
        scale: 1e-6,
        range: [-90, 90],
        negative: { field: 'course.south', is: true },
      },
    ]);
    expect(decoded(protocol, '04 0158aa00')).toMatchObject({ fields: { latitude: -22.587904 }, issues: [] });
    expect(decoded(protocol, '00 0158aa00')).toMatchObject({ fields: { latitude: 22.587904 } });
    expect(encoded(protocol, { course: { south: true }, latitude: -22.587904 })).toBe('040158aa00');
    expect(encoded(protocol, { course: { south: false }, latitude: 0 })).toBe('0000000000');
    expect(() => encoded(protocol, { course: { south: false }, latitude: -1 })).toThrow(
      'must be at least 0, as `course.south` says',
    );
  });

  test('in a field behind it', () => {
    const protocol = protocolOf([
      { name: 'latitude', type: 'u16', scale: 0.1, negative: { field: 'course.north', is: false } },
      { name: 'speed', type: 'u8' },
      {
        name: 'course',
        type: 'u16',
        bits: [
          { name: 'degrees', at: '0..9' },
          { name: 'north', at: 10 },
        ],
      },
      { name: 'east', type: 'u8', enum: { 0: 'no', 1: 'yes' } },
    ]);
    const south = { latitude: -2.5, speed: 1, course: { degrees: 143, north: false }, east: 'yes' };
    expect(decoded(protocol, '0019 01 008f 01')).toMatchObject({ fields: south, issues: [] });
    expect(encoded(protocol, south)).toBe('001901008f01');
    expect(decoded(protocol, '0019 01 048f 01')).toMatchObject({ fields: { latitude: 2.5 } });
    expect(() => encoded(protocol, { ...south, course: { degrees: 0, north: true } })).toThrow(
      'latitude: must be at least 0, as `course.north` says',
    );
  });

  test('is not found behind a field of unknown length', () => {
    const fields = [
      { name: 'x', type: 'u8', negative: { field: 'south', is: 1 } },
      { name: 'note', type: 'text', length: 'u8' },
      { name: 'south', type: 'u8' },
    ];
    expect(complaints({ name: 'all', type: 'struct', fields })).toEqual([
      'fields.0.negative.field: Where `south` stands depends on `note`.',
    ]);
  });
});

test('a scale that is a part of one divides', () => {
  // GT06: the raw number is 30,000 in a minute of arc.
  both({ type: 'u32', scale: 5.555555555555556e-7, unit: '°' }, '0c4657e6', 114.40923);
  both({ type: 'u32', scale: 5.555555555555555e-7, unit: '°' }, '0c4657e6', 114.40923);
  both({ type: 'u8', scale: 0.3333333333333333 }, '05', 5 / 3);
});

describe('varints', () => {
  test.each<[Field, string, Value]>([
    [{ type: 'varint' }, '00', 0],
    [{ type: 'varint' }, '7f', 127],
    [{ type: 'varint' }, '8001', 128],
    [{ type: 'varint', scale: 0.1 }, 'ac02', 30],
    [{ type: 'varint' }, 'ffffffffffffffffff01', '18446744073709551615'],
    [{ type: 'varint', sign: 'zigzag' }, '01', -1],
    [{ type: 'varint', sign: 'zigzag' }, 'ffffffffffffffffff01', '-9223372036854775808'],
  ])('%j of %s', (field, hex, value) => {
    both(field, hex, value);
  });

  test('longer than 64 bits, or cut, is no message', () => {
    const protocol = protocolOf([{ name: 'a', type: 'varint' }]);
    expect(() => decoded(protocol, 'ffffffffffffffffff02')).toThrow(/a varint of at most 64 bits/);
    expect(() => decoded(protocol, 'ff'.repeat(12))).toThrow(/a varint of at most 64 bits/);
    expect(() => decoded(protocol, '8080')).toThrow(/too_short/);
  });
});

describe('binary-coded decimals', () => {
  test.each<[string, Field, string, Value | undefined]>([
    [
      'of a meter, the least significant first',
      { type: 'bcd', length: 4, byteOrder: 'little', scale: 0.01 },
      '78563412',
      123_456.78,
    ],
    ['of an odd number of digits', { type: 'bcd', digits: 5 }, '012345', 12_345],
    ['of ten bytes', { type: 'bcd', length: 10 }, '12345678901234567890', '12345678901234567890'],
    ['with the sign in the top bit', { type: 'bcd', length: 2, sign: 'magnitude' }, '8123', -123],
    ['with F in front', { type: 'bcd', length: 2, sign: 'first_nibble' }, 'f123', -123],
    ['with a sign behind', { type: 'bcd', length: 2, sign: 'last_nibble' }, '123d', -123],
    ['with a plus behind', { type: 'bcd', length: 2, sign: 'last_nibble' }, '123c', 123],
    ['that names something', { type: 'bcd', length: 6, as: 'text' }, '013812345678', '013812345678'],
    ['that says "no value"', { type: 'bcd', length: 2, invalid: [0xffff, 0xeeee] }, 'ffff', undefined],
  ])('%s', (_, field, hex, value) => {
    both(field, hex, value);
  });

  test('a nibble that is no digit is an issue, and the message counts', () => {
    reads({ type: 'bcd', length: 2 }, '12a4', undefined, [
      'a not_a_number: 0x12a4 is not all decimal digits',
    ]);
    expect(encoded(protocolOf([{ name: 'a', type: 'bcd', length: 2 }]), { a: '0x12a4' })).toBe('12a4');
  });

  test('what has more digits is refused', () => {
    const protocol = protocolOf([{ name: 'a', type: 'bcd', length: 1 }]);
    expect(() => encoded(protocol, { a: 100 })).toThrow('must be 0 to 99');
    expect(() => encoded(protocol, { a: -1 })).toThrow('must be 0 to 99');
  });

  test('law: all numbers of some digits come back', () => {
    const sign = fc.constantFrom<FieldDeclaration['sign']>('magnitude', 'first_nibble', 'last_nibble');
    fc.assert(
      fc.property(
        sign,
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom('big', 'little'),
        fc.nat(),
        (kind, length, byteOrder, seed) => {
          const protocol = protocolOf([{ name: 'a', type: 'bcd', length, byteOrder, sign: kind }]);
          const value = -(seed % 10 ** (2 * length - 1));
          expect(decoded(protocol, encoded(protocol, { a: value })).fields).toEqual({ a: value });
        },
      ),
    );
  });
});

describe('raw values that say "no value"', () => {
  test.each<[string, Field, string, string]>([
    ['one of several', { type: 'i16', invalid: [0x7fff, 0x8000] }, '8000', '7fff'],
    [
      'of 64 bits',
      { type: 'u64', invalid: ['0xffffffffffffffff', 0] },
      '0000000000000000',
      'ffffffffffffffff',
    ],
    ['the bits of a float', { type: 'f32', invalid: [0x7fc00000, 0xffc00000] }, 'ffc00000', '7fc00000'],
    ['any NaN', { type: 'f32', invalid: 'nan' }, '7fa00001', '7fc00000'],
    ['any NaN of two bytes', { type: 'f16', invalid: 'nan' }, '7e01', '7e00'],
    ['in another order of words', { type: 'f32cdab', invalid: 0x7fc00000 }, '00007fc0', '00007fc0'],
  ])('%s', (_, field, hex, sent) => {
    reads(field, hex, undefined);
    expect(encoded(protocolOf([{ ...field, name: 'a' }]), {})).toBe(sent);
  });

  test('a NaN that is none of them is an issue, and goes back as its bits', () => {
    const protocol = protocolOf([{ name: 'a', type: 'f32', invalid: 0x7fc00000 }]);
    expect(decoded(protocol, '7fc00001').issues).toEqual([
      'a not_finite: NaN is no number that JSON can carry',
    ]);
    expect(encoded(protocol, { a: '0x7fc00001' })).toBe('7fc00001');
    expect(encoded(protocol, { a: '-Infinity' })).toBe('ff800000');
    expect(() => encoded(protocol, { a: '0x17fc00001' })).toThrow('must be a number');
  });

  test('each of a list is checked', () => {
    expect(complaints({ name: 'a', type: 'i8', invalid: [127, 300] })).toEqual([
      'invalid.1: The type cannot carry this raw value.',
    ]);
  });
});

describe('bits', () => {
  const fields: FieldDeclaration[] = [
    {
      name: 'word',
      type: 'u16',
      bits: [
        {
          name: 'temperature',
          at: '0..11',
          signed: true,
          scale: 0.0625,
          unit: '°C',
          invalid: 0x800,
          limits: { alarm: [null, 100] },
        },
        { name: 'fault', at: 12 },
        { name: 'level', at: '13..15', scale: 10, unit: '%' },
      ],
    },
  ];

  test('are signed and scaled, and may say "no value"', () => {
    const protocol = protocolOf(fields);
    expect(decoded(protocol, '7e70').fields).toEqual({ word: { temperature: -25, fault: true, level: 30 } });
    expect(encoded(protocol, { word: { temperature: -25, fault: true, level: 30 } })).toBe('7e70');
    expect(decoded(protocol, '0800')).toMatchObject({
      fields: { word: { fault: false, level: 0 } },
      issues: [],
    });
    expect(encoded(protocol, { word: { fault: false, level: 0 } })).toBe('0800');
    expect(encoded(protocol, { word: { temperature: '21.5 °C', fault: false, level: 0 } })).toBe('0158');
    expect(() => encoded(protocol, { word: { temperature: 200, fault: false, level: 0 } })).toThrow(
      /word\.temperature: is beyond/,
    );
  });

  test('are up to 64, beyond 2^53 as text', () => {
    const protocol = protocolOf([
      {
        name: 'w',
        type: 'u64',
        bits: [
          { name: 'serial', at: '0..59' },
          { name: 'kind', at: '60..63' },
        ],
      },
    ]);
    const values = { w: { serial: '1152921504606846975', kind: 10 } };
    expect(decoded(protocol, 'afffffffffffffff').fields).toEqual(values);
    expect(encoded(protocol, values)).toBe('afffffffffffffff');
    expect(decoded(protocol, 'a000000000000007').fields).toEqual({ w: { serial: 7, kind: 10 } });
  });

  test.each([
    [{ name: 'b', at: 3, scale: 2 }, 'bits.0.scale: `scale` has no meaning for a single bit.'],
    [{ name: 'b', at: '0..3', scale: 0 }, 'bits.0.scale: A scale is a number other than 0.'],
    [{ name: 'b', at: '0..3', invalid: 16 }, 'bits.0.invalid: The bits can never be this.'],
    [
      { name: 'b', at: '0..3', unit: 'V', enum: { 1: 'x' } },
      'bits.0.unit: `unit` has no meaning beside `enum`.',
    ],
    [
      { name: 'b', at: '0..3', limits: { warn: [0, 20] as const } },
      'bits.0.limits.warn.1: The field can never be 20.',
    ],
  ])('%j is refused', (bit, complaint) => {
    expect(complaints({ name: 'a', type: 'u8', bits: [bit] })).toEqual([complaint]);
  });
});

describe('a scale that another field says', () => {
  const sunspec: FieldDeclaration[] = [
    { name: 'a', type: 'u16', scale: { field: 'sf' }, unit: 'A', invalid: 0xffff },
    { name: 'b', type: 'i16', scale: { field: 'sf' }, unit: 'A' },
    { name: 'sf', type: 'i16', invalid: 0x8000 },
  ];

  test('stands behind it', () => {
    const protocol = protocolOf(sunspec);
    expect(decoded(protocol, '1770 fff6 ffff').fields).toEqual({ a: 600, b: -1, sf: -1 });
    expect(decoded(protocol, '0258 000a 0000').fields).toEqual({ a: 600, b: 10, sf: 0 });
    expect(decoded(protocol, '0003 0003 fffe').fields).toEqual({ a: 0.03, b: 0.03, sf: -2 });
    expect(encoded(protocol, { a: 600, b: -1, sf: -1 })).toBe('1770fff6ffff');
    expect(encoded(protocol, { a: 600, b: 10, sf: 0 })).toBe('0258000a0000');
    expect(encoded(protocol, { b: 10, sf: 1 })).toBe('ffff00010001');
  });

  test('says none, and there is no value', () => {
    const protocol = protocolOf(sunspec);
    expect(decoded(protocol, 'ffff 0001 8000')).toMatchObject({
      fields: {},
      issues: ['b unknown_value: `sf` says no scale'],
    });
    expect(decoded(protocol, '0001 0001 7fff')).toMatchObject({
      issues: [
        'a not_finite: 1 in its scale is no number that JSON can carry',
        'b not_finite: 1 in its scale is no number that JSON can carry',
      ],
    });
    expect(() => encoded(protocol, { a: 1, b: 1 })).toThrow('a: has no scale: give the field that says it');
  });

  test('is a factor in front of it, of a list too', () => {
    const protocol = protocolOf([
      { name: 'ratio', type: 'u8' },
      {
        name: 'volts',
        type: 'array',
        count: 2,
        of: { type: 'u16', scale: { field: 'ratio', as: 'factor', times: 0.1 } },
      },
    ]);
    expect(decoded(protocol, '0a 08fc 0001').fields).toEqual({ ratio: 10, volts: [2_300, 1] });
    expect(encoded(protocol, { ratio: 3, volts: [690, 0.3] })).toBe('0308fc0001');
  });

  test('is a constant', () => {
    const protocol = protocolOf([
      { name: 'a', type: 'u16', scale: { field: 'sf' } },
      { name: 'sf', type: 'i8', value: -2 },
    ]);
    expect(decoded(protocol, '0064 fe').fields).toEqual({ a: 1 });
    expect(encoded(protocol, { a: 1 })).toBe('0064fe');
  });

  test.each<[string, readonly FieldDeclaration[], string]>([
    ['there is none', [], 'scale.field: There is no field `sf`.'],
    [
      'it is scaled itself',
      [{ name: 'sf', type: 'i16', scale: 2 }],
      'scale.field: `sf` is no plain whole number.',
    ],
    [
      'it is no number',
      [{ name: 'sf', type: 'text', length: 2 }],
      'scale.field: `sf` is no plain whole number.',
    ],
  ])('%s', (_, front, complaint) => {
    expect(
      complaints({ name: 'a', type: 'u16', scale: { field: 'sf' } }, ...front).map((each) => each),
    ).toContain(complaint);
  });
});
