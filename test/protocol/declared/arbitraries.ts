import fc from 'fast-check';
import {
  DEFAULT_PROTOCOL,
  type FieldDeclaration,
  type ProtocolDeclaration,
} from '../../../src/protocol/declared/declaration.ts';
import { bytesValue, type Value, type Values } from '../../../src/protocol/declared/value.ts';

/** A field without a name, and values that it can carry; undefined is "absent". */
interface Sample {
  readonly field: FieldDeclaration;
  readonly value: fc.Arbitrary<Value | undefined>;
}

const order = fc.constantFrom('', 'le', 'be');
const sizes = [8, 16, 24, 32, 40, 48] as const;
const MODES = { 0: 'idle', 1: 'heating', 5: 'cooling' };

const number = (signed: boolean, bits: number) => {
  const limit = 2 ** (signed ? bits - 1 : bits);
  return fc.integer({ min: signed ? -limit : 0, max: limit - 1 });
};
const wholeType = fc.tuple(fc.boolean(), fc.constantFrom(...sizes), order);
const typeName = (signed: boolean, bits: number, suffix: string) => `${signed ? 'i' : 'u'}${bits}${suffix}`;

const plain: fc.Arbitrary<Sample> = wholeType.map(([signed, bits, suffix]) => ({
  field: { type: typeName(signed, bits, suffix) },
  value: number(signed, bits),
}));

/** What a scale makes of raw numbers; decimals are divided, so that they are the decimals that one would write. */
const scaled: fc.Arbitrary<Sample> = fc
  .tuple(wholeType, fc.constantFrom(0.1, 0.01, 0.001, 0.5, 0.25, 2, 10), fc.constantFrom(0, -40, 273.1))
  .map(([[signed, bits, suffix], scale, offset]) => ({
    field: { type: typeName(signed, Math.min(bits, 32), suffix), scale, offset },
    value: number(signed, Math.min(bits, 32)).map((raw) => {
      const power = 1_000;
      return (raw * Math.round(scale * power) + Math.round(offset * power)) / power;
    }),
  }));

const invalid: fc.Arbitrary<Sample> = fc.constantFrom('u8', 'u16', 'u32le').map((type) => ({
  field: { type, invalid: 0x7f },
  value: fc.option(
    fc.integer({ min: 0, max: 255 }).filter((raw) => raw !== 0x7f),
    { nil: undefined },
  ),
}));

const named: fc.Arbitrary<Sample> = fc.constantFrom('u8', 'i16', 'u32', 'u64').map((type) => ({
  field: { type, enum: 'mode' },
  value: fc.oneof(fc.constantFrom(...Object.values(MODES)), fc.integer({ min: 6, max: 127 })),
}));

const wide: fc.Arbitrary<Sample> = fc
  .tuple(fc.boolean(), fc.constantFrom(56, 64), order)
  .map(([signed, bits, suffix]) => {
    const limit = 1n << BigInt(signed ? bits - 1 : bits);
    const asJson = (whole: bigint) =>
      Number.isSafeInteger(Number(whole)) ? Number(whole) : whole.toString();
    return {
      field: { type: typeName(signed, bits, suffix) },
      value: fc.bigInt({ min: signed ? -limit : 0n, max: limit - 1n }).map(asJson),
    };
  });

const f64: fc.Arbitrary<Sample> = order.map((suffix) => ({
  field: { type: `f64${suffix}` },
  value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0),
}));

const bits: fc.Arbitrary<Sample> = fc.constantFrom('u8', 'u16le', 'u24', 'u64').map((type) => ({
  field: {
    type,
    bits: [
      { name: 'low', at: 0 },
      { name: 'middle', at: '1..3' },
      { name: 'mode', at: '4..7', enum: 'mode' },
    ],
  },
  value: fc.record({
    low: fc.boolean(),
    middle: fc.integer({ min: 0, max: 7 }),
    mode: fc.constantFrom('idle', 'heating', 'cooling', 9),
  }),
}));

const characters = {
  ascii: 'az09 ~',
  latin1: 'azé ÿ',
  utf8: 'aß→😀',
  utf16le: 'aß→😀',
  utf16be: 'aß→😀',
} as const;
const text: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.constantFrom('ascii', 'latin1', 'utf8', 'utf16le', 'utf16be'),
    fc.constantFrom<number | string>('u8', 'u16le', 40, 'terminator'),
  )
  .map(([encoding, length]) => ({
    field: { type: 'text', encoding, ...(length === 'terminator' ? { terminator: 0 } : { length }) },
    value: fc.array(fc.constantFrom(...characters[encoding]), { maxLength: 8 }).map((each) => each.join('')),
  }));

const bytes: fc.Arbitrary<Sample> = fc.constantFrom<number | string>('u8', 'u24', 5).map((length) => ({
  field: { type: 'bytes', length },
  value: fc
    .uint8Array(typeof length === 'number' ? { minLength: length, maxLength: length } : { maxLength: 40 })
    .map((each) => bytesValue(each)),
}));

const silent: fc.Arbitrary<Sample> = fc
  .constantFrom<FieldDeclaration>(
    { type: 'u16', value: 0xbeef },
    { type: 'bytes', value: '0xdd03' },
    { type: 'reserved', length: 3 },
    { type: 'crc', algorithm: 'crc-16/modbus' },
    { type: 'crc', algorithm: 'crc-32', byteOrder: 'little' },
    { type: 'crc', algorithm: 'crc-64/xz' },
  )
  .map((field) => ({ field, value: fc.constant(undefined) }));

const { sample } = fc.letrec<{ sample: Sample; leaf: Sample; array: Sample; struct: Sample }>((tie) => ({
  leaf: fc.oneof(plain, scaled, invalid, named, wide, f64, bits, text, bytes),
  array: fc
    .tuple(
      fc.oneof({ maxDepth: 1 }, tie('leaf'), tie('struct')),
      fc.constantFrom<number | string>('u8', 'u16', 3),
    )
    .map(([of, count]) => ({
      field: { type: 'array', count, of: of.field },
      value: fc
        .array(
          of.value,
          typeof count === 'number' ? { minLength: count, maxLength: count } : { maxLength: 4 },
        )
        .map((each) => each.map((one) => one ?? null)),
    })),
  struct: fc.array(tie('leaf'), { minLength: 1, maxLength: 3 }).map((members) => ({
    field: { type: 'struct', fields: members.map(({ field }, index) => ({ ...field, name: `f${index}` })) },
    value: valuesOf(members),
  })),
  sample: fc.oneof({ weight: 5, arbitrary: tie('leaf') }, tie('array'), tie('struct'), silent),
}));

function valuesOf(members: readonly Sample[]): fc.Arbitrary<Values> {
  const named = Object.fromEntries(members.map(({ value }, index) => [`f${index}`, value]));
  return fc
    .record(named)
    .map((values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)));
}

/** How the last fields are found: nothing special, a count in another field, a condition, or all the rest. */
const endings: fc.Arbitrary<{ fields: readonly FieldDeclaration[]; values: fc.Arbitrary<Values> }> =
  fc.constantFrom(
    { fields: [], values: fc.constant({}) },
    {
      fields: [
        { name: 'many', type: 'u8' },
        { name: 'counted', type: 'array', count: { field: 'many' }, of: { type: 'i16', scale: 0.1 } },
      ],
      values: fc
        .array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 5 })
        .map((each) => ({ many: each.length, counted: each.map((raw) => raw / 10) })),
    },
    {
      fields: [
        { name: 'kind', type: 'u8', enum: 'mode' },
        { name: 'heat', type: 'u16', when: { field: 'kind', is: 'heating' } },
        { name: 'other', type: 'text', length: 'u8', when: { field: 'kind', not: ['heating', 0] } },
      ],
      values: fc.constantFrom<Values>(
        { kind: 'heating', heat: 7 },
        { kind: 'idle' },
        { kind: 'cooling', other: 'x' },
      ),
    },
    {
      fields: [
        { name: 'tail', type: 'bytes', length: 'rest' },
        { name: 'sum', type: 'crc', algorithm: 'crc-32', covers: ['id', 'tail'] },
      ],
      values: fc.uint8Array({ maxLength: 30 }).map((each) => ({ tail: bytesValue(each) })),
    },
  );

export interface GeneratedMessage {
  readonly declaration: ProtocolDeclaration;
  readonly values: Values;
}

/** Any declaration of one message `any`, with values that it can carry. */
export const generatedMessage: fc.Arbitrary<GeneratedMessage> = fc
  .record({
    members: fc.array(sample, { maxLength: 8 }),
    ending: endings,
    byteOrder: fc.constantFrom('big', 'little'),
    id: fc.constantFrom({ type: 'i8', at: 0 }, { type: 'u16', at: 0 }, { type: 'u32le', at: 2 }),
  })
  .chain(({ members, ending, byteOrder, id }) => {
    const front: FieldDeclaration[] = id.at === 0 ? [] : [{ name: 'front', type: 'u16' }];
    const fields = members.map(({ field }, index) => ({ ...field, name: `f${index}` }));
    const declaration: ProtocolDeclaration = {
      ...DEFAULT_PROTOCOL,
      byteOrder,
      id,
      enums: { mode: MODES },
      messages: [{ name: 'any', id: 0x10, fields: [...front, ...fields, ...ending.fields] }],
    };
    return fc.tuple(valuesOf(members), ending.values).map(([own, last]) => ({
      declaration,
      values: { ...(id.at === 0 ? {} : { front: 1 }), ...own, ...last },
    }));
  });
