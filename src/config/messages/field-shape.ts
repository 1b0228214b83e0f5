import { z } from 'zod';
import {
  badType,
  badValue,
  choiceField,
  durationField,
  type FieldFinding,
  field,
  nameKind,
  numberField,
  textField,
} from '../field.ts';

const DAY_MS = 24 * 60 * 60_000;

/** How far two values may be apart; the unit of a text is checked with the rest of the declaration. */
const marginField = (description: string) =>
  field<number | string>(
    { anyOf: [{ type: 'number', minimum: 0 }, { type: 'string' }], description, examples: [0.5, '0.5 °C'] },
    (value) => checkMargin(value),
  );

export function checkMargin(value: unknown): FieldFinding | undefined {
  const fix = 'Write for example 0.5, or "0.5 °C" with the unit of the field.';
  if (typeof value === 'number')
    return Number.isFinite(value) && value >= 0 ? undefined : badValue('This is no difference.', fix);
  return typeof value === 'string' && value !== '' ? undefined : badType('a number', value, fix);
}

/** A word whose meaning is checked with the rest of the declaration. */
export const wordField = (
  what: string,
  example: string,
  description: string,
  examples: readonly string[] = [example],
) => textField(what, example, { description, examples }, () => undefined);

const anyNumber = (description: string, example: number) =>
  numberField(-Number.MAX_VALUE, Number.MAX_VALUE, { description, examples: [example] }, true);

/** A number, or a text: numbers beyond 2^53 stand in quotes. */
const constantField = (
  type: 'integer' | 'number',
  what: string,
  description: string,
  examples: readonly (number | string)[],
) =>
  field<number | string>({ type: [type, 'string'], description, examples }, (value) => {
    const fix = `Write for example ${examples[0]}; beyond 2^53 in quotes.`;
    if (typeof value === 'number' || typeof value === 'string') return undefined;
    return badType(what, value, fix);
  });

const rangeField = (description: string) => {
  const bound = { type: ['number', 'null'] };
  const json = {
    type: 'array',
    prefixItems: [bound, bound],
    minItems: 2,
    maxItems: 2,
    description,
    examples: [[0, 40]],
  };
  return field<readonly [number | null, number | null]>(json, (value) => {
    const fix = 'Write the least and the greatest value: [0, 40]; null is no bound.';
    if (!Array.isArray(value)) return badType('two numbers', value, fix);
    if (value.length !== 2) return badValue('Two numbers are expected here.', fix);
    const wrong = value.findIndex(
      (bound) => bound !== null && !(typeof bound === 'number' && Number.isFinite(bound)),
    );
    return wrong < 0 ? undefined : { ...badValue('This is no number.', fix), path: [wrong] };
  });
};

const extentField = (what: string, description: string) => {
  const json = {
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', examples: ['u8', 'u16', 'rest'] },
      {
        type: 'object',
        properties: { field: { type: 'string' } },
        required: ['field'],
        additionalProperties: false,
      },
    ],
    description,
  };
  return field<number | string | { readonly field: string }>(json, (value) => {
    const fix = 'Write a number, u8, u16 or u32, { field: x } or rest.';
    if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return badType(what, value, fix);
    const [key, ...more] = Object.keys(value);
    if (key === 'field' && more.length === 0 && 'field' in value && typeof value.field === 'string')
      return undefined;
    return badValue(`This is no ${what.replace(/^an? /, '')}.`, fix);
  });
};

/** An enum by name, or written out. */
export const enumField = (description: string) => {
  const json = {
    anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: 'string' } }],
    description,
    examples: ['mode', { 0: 'off', 1: 'on' }],
  };
  return field<string | Readonly<Record<string, string>>>(json, (value) =>
    typeof value === 'string' && value !== ''
      ? undefined
      : checkNames(value, 'the name of an enum, or its values'),
  );
};

/** Names by raw value. */
export const namesField = (description: string, example: Readonly<Record<string, string>>) =>
  field<Readonly<Record<string, string>>>(
    { type: 'object', additionalProperties: { type: 'string' }, description, examples: [example] },
    (value) => checkNames(value, 'names by raw value'),
  );

function checkNames(value: unknown, what: string): FieldFinding | undefined {
  const fix = 'Write for example { 0: idle, 1: heating, 0x80: fault }.';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return badType(what, value, fix);
  for (const [key, name] of Object.entries(value)) {
    if (typeof name === 'string') continue;
    return {
      code: 'config_bad_type',
      message: `A name is expected here, and ${nameKind(name)} was found.`,
      fix: 'Write a word, in quotes where YAML takes it for true, false or a number.',
      path: [key],
    };
  }
  return undefined;
}

const conditionValue = (description: string) =>
  field<string | number | boolean | readonly (string | number | boolean)[]>(
    { description, examples: [1, 'heating', [1, 2], true] },
    (value) => {
      const each: readonly unknown[] = Array.isArray(value) ? value : [value];
      const plain = each.every((one) => ['string', 'number', 'boolean'].includes(typeof one));
      return plain && each.length > 0
        ? undefined
        : badType('a value, or a list of them', value, 'Write for example 1, heating or [1, 2].');
    },
  );

const condition = z
  .strictObject({
    field: wordField('the name of a field', 'mode', 'An earlier field, or one of its bits.', [
      'mode',
      'status.door_open',
    ]),
    is: conditionValue('The field is there where the other has this value, or one of these.').optional(),
    not: conditionValue('The field is there where the other has none of these values.').optional(),
  })
  .meta({ description: 'The field is there only where an earlier one has a certain value.' });

const bit = z.strictObject({
  name: wordField('a name', 'door_open', 'The name of the bits.'),
  at: field<number | string>(
    {
      type: ['integer', 'string'],
      description: 'A bit, 0 the least significant, or a range of them.',
      examples: [0, '2..3'],
    },
    (value) =>
      typeof value === 'number' || typeof value === 'string'
        ? undefined
        : badType('a bit or a range of bits', value, 'Write for example 0 or 2..3.'),
  ),
  enum: enumField('Names of their values.').optional(),
  description: wordField('a text', 'The door is open.', 'For people.').optional(),
});

const limits = z
  .strictObject({
    warn: rangeField('Outside of this, the value is doubtful.').optional(),
    alarm: rangeField('Outside of this, it is an alarm.').optional(),
    hysteresis: marginField(
      'A value that was outside is good again once it is so far within the limit, in its own unit.',
    ).optional(),
    for: durationField(1, DAY_MS, {
      description: 'A value counts as outside, or as good again, once it has been so for so long.',
    }).optional(),
  })
  .meta({ description: 'What is good, and what is dangerous, in the unit of the value.' });

/** One field of a message, as it stands in the file; what its keys mean together is checked by the lint. */
export const fieldShape = z.strictObject({
  name: wordField(
    'a name',
    'temperature',
    'The name of the value; reserved bytes and elements of an array have none.',
  ).optional(),
  type: wordField(
    'a type',
    'u16',
    'A number (`u8` to `u64`, `i8` to `i64` in steps of 8 bits, `f32`, `f64`; with `le` or `be` behind it in another byte order), `text`, `bytes`, `array`, `struct`, `crc` or `reserved`.',
    ['u16', 'i24le', 'f32', 'text', 'array'],
  ),
  description: wordField('a text', 'At the sink.', 'For people.').optional(),
  when: condition.optional(),
  scale: anyNumber('Number: value = raw * scale + offset.', 0.01).optional(),
  offset: anyNumber('Number: see `scale`.', -40).optional(),
  unit: wordField('a unit', '"°C"', 'Number: the unit of the value.', ['°C', 'mA', 's']).optional(),
  invalid: constantField(
    'integer',
    'a whole number',
    'Number: the raw value that says "no value"; of a float its bits.',
    [0x7fff, 0x7fc00000],
  ).optional(),
  limits: limits.optional(),
  range: rangeField(
    'Number: what can be sent. A received value outside is reported with the message.',
  ).optional(),
  enum: enumField('Whole number: names of its values, an enum from `enums:` or written out.').optional(),
  bits: z
    .array(bit)
    .optional()
    .meta({ description: 'Unsigned number: its bits by name. A single bit without names is true or false.' }),
  value: constantField(
    'number',
    'a number or a text',
    'Number, text or bytes: what stands there always; it is no part of the values.',
    [0x55, '0xdd03'],
  ).optional(),
  length: extentField(
    'a length',
    'Text, bytes: a number, the type of a number in front of it, an earlier field, or all the rest. Reserved: how many bytes.',
  ).optional(),
  max: numberField(0, 0x1000_0000, {
    description: 'Text, bytes: most bytes. Array: most elements.',
  }).optional(),
  encoding: choiceField(['ascii', 'utf8', 'latin1', 'utf16le', 'utf16be'], {
    description: 'Text: its encoding.',
    default: 'utf8',
  }).optional(),
  terminator: numberField(0, 255, {
    description: 'Text: the byte that ends it, instead of a length.',
  }).optional(),
  pad: numberField(0, 255, {
    description: 'Text of a fixed length: what it is filled up with.',
    default: 0,
  }).optional(),
  content: choiceField(['uuid', 'digits', 'datetime', 'printable'], {
    description: 'Text: what it must look like.',
  }).optional(),
  count: extentField('a count', 'Array: how many elements, in the same ways as `length`.').optional(),
  get of() {
    return fieldShape
      .optional()
      .meta({ description: 'Array: what each element is, a field without a name.' });
  },
  get fields() {
    return z.array(fieldShape).optional().meta({ description: 'Structure: its fields.' });
  },
  algorithm: wordField(
    'the name of a checksum',
    'crc-16/modbus',
    'Checksum: its name in the reveng catalogue, or one of the simple sums.',
  ).optional(),
  covers: z
    .array(wordField('the name of a field', 'data', 'An earlier field, or `id`.'))
    .optional()
    .meta({
      description:
        'Checksum: earlier fields as they stand on the wire, with a length in front, and `id`; all that stands in front of it where it is left out.',
    }),
  byte_order: choiceField(['big', 'little'], {
    description: "Checksum: order of its bytes, where it is not the protocol's.",
  }).optional(),
});

/** A field as it stands in the file. */
export type FieldShape = z.infer<typeof fieldShape>;
