import {
  CHECKSUM_PARAMETERS,
  type ChecksumAlgorithm,
  type ConfirmDeclaration,
  type ExtentElsewhere,
  type ScaleDeclaration,
} from '../../protocol/index.ts';
import { badType, type FieldFinding, type FieldMeta, field, nameKind } from '../field.ts';

const LONGEST_BYTES = 64;

const bad = (message: string, fix: string): FieldFinding => ({ code: 'config_bad_value', message, fix });

/** A number, or a text: numbers beyond 2^53 stand in quotes. */
export const constantField = (
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

/** One of these, or a list of them. */
export const constantsField = (
  type: 'integer' | 'number',
  what: string,
  description: string,
  examples: readonly unknown[],
) => {
  const one = { type: [type, 'string'] };
  const json = {
    anyOf: [one, { type: 'array', items: one, minItems: 1, maxItems: MOST_CONSTANTS }],
    description,
    examples,
  };
  return field<number | string | readonly (number | string)[]>(json, (value) => {
    const fix = `Write for example ${examples[0]}; beyond 2^53 in quotes.`;
    const each: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (each.length === 0 || each.length > MOST_CONSTANTS)
      return bad(`A list has 1 to ${MOST_CONSTANTS} values.`, 'Write one value, or a list of them.');
    const wrong = each.findIndex((one) => typeof one !== 'number' && typeof one !== 'string');
    if (wrong < 0) return undefined;
    const finding = badType(what, each[wrong], fix);
    return Array.isArray(value) ? { ...finding, path: [wrong] } : finding;
  });
};

const MOST_CONSTANTS = 16;

/** A factor, or the field that says it. */
export const scaleField = (meta: FieldMeta) => {
  const json = {
    anyOf: [
      { type: 'number' },
      {
        type: 'object',
        properties: {
          field: { type: 'string' },
          as: { enum: ['exponent', 'factor'] },
          times: { type: 'number' },
        },
        required: ['field'],
        additionalProperties: false,
      },
    ],
    ...meta,
  };
  return field<number | ScaleDeclaration>(json, (value) => {
    const fix = 'Write a number, { field: x } or { field: x, as: factor }.';
    if (typeof value === 'number') return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return badType('a scale', value, fix);
    const { field: named, as = 'exponent', times = 1, ...rest } = value as Readonly<Record<string, unknown>>; // an object of YAML
    if (typeof named !== 'string') return { ...badType('the name of a field', named, fix), path: ['field'] };
    if (as !== 'exponent' && as !== 'factor')
      return { ...bad('It is an exponent of ten, or a factor.', fix), path: ['as'] };
    if (typeof times !== 'number' || !Number.isFinite(times) || times === 0)
      return { ...bad('This is no number other than 0.', 'Write for example 0.1.'), path: ['times'] };
    const [unknown] = Object.keys(rest);
    return unknown === undefined ? undefined : { ...bad('`scale` has no such key.', fix), path: [unknown] };
  });
};

export const rangeField = (description: string) => {
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
    if (value.length !== 2) return bad('Two numbers are expected here.', fix);
    const wrong = value.findIndex(
      (bound) => bound !== null && !(typeof bound === 'number' && Number.isFinite(bound)),
    );
    return wrong < 0 ? undefined : { ...bad('This is no number.', fix), path: [wrong] };
  });
};

export const extentField = (what: string, description: string) => {
  const json = {
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', examples: ['u8', 'u16', 'rest'] },
      {
        type: 'object',
        properties: {
          field: { type: 'string' },
          type: { type: 'string' },
          adjust: { type: 'integer' },
        },
        additionalProperties: false,
      },
    ],
    description,
  };
  return field<number | string | ExtentElsewhere>(json, (value) => {
    const fix = 'Write a number, u8, u16 or u32, { field: x } or rest.';
    if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return badType(what, value, fix);
    const { field: named, type, adjust = 0, ...more } = value as Readonly<Record<string, unknown>>; // an object of YAML
    const one =
      typeof named === 'string' ? type === undefined : named === undefined && typeof type === 'string';
    if (one && Number.isInteger(adjust) && Object.keys(more).length === 0) return undefined;
    return bad(`This is no ${what.replace(/^an? /, '')}.`, fix);
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
export const namesField = (description: string, examples: readonly unknown[]) =>
  field<Readonly<Record<string, string>>>(
    { type: 'object', additionalProperties: { type: 'string' }, description, examples },
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

/** Whole numbers by the ids that they belong to. */
export function numbersField(least: number, greatest: number, meta: FieldMeta) {
  const number = { type: 'integer', minimum: least, maximum: greatest };
  return field<Readonly<Record<string, number>>>(
    { type: 'object', additionalProperties: number, ...meta },
    (value) => {
      const fix = `Write whole numbers from ${least} to ${greatest} by id, for example { 0x01: ${least}, 0x02: ${greatest} }.`;
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return badType('numbers by id', value, fix);
      for (const [id, number] of Object.entries(value)) {
        if (!Number.isSafeInteger(Number(id))) return { ...bad(`\`${id}\` is no id.`, fix), path: [id] };
        const fits = Number.isInteger(number) && number >= least && number <= greatest;
        if (!fits) return { ...bad('This number is not possible here.', fix), path: [id] };
      }
      return undefined;
    },
  );
}

export const conditionValue = (description: string) =>
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

/** Names of fields, or own names to those of another message. */
export const copyField = (description: string, examples: readonly unknown[]) => {
  const name = { type: 'string', minLength: 1 };
  const json = {
    anyOf: [
      { type: 'array', items: name },
      { type: 'object', additionalProperties: name },
    ],
    description,
    examples,
  };
  return field<readonly string[] | Readonly<Record<string, string>>>(json, (value) => {
    const fix = 'Write for example [serial], or { answered: serial, answered_id: id }.';
    if (typeof value !== 'object' || value === null) return badType('names of fields', value, fix);
    for (const [key, each] of Object.entries(value)) {
      if (typeof each === 'string' && each !== '') continue;
      const path = [Array.isArray(value) ? Number(key) : key];
      return { ...badType('the name of a field', each, fix), path };
    }
    return undefined;
  });
};

/** A bit, 0 the least significant, or a range of them: `2..3`. */
export const bitRangeField = (meta: FieldMeta) =>
  field<number | string>({ type: ['integer', 'string'], ...meta }, (value) =>
    typeof value === 'number' || typeof value === 'string'
      ? undefined
      : badType('a bit or a range of bits', value, 'Write for example 0 or 2..3.'),
  );

/** A number or a text, or a list of them for an id at several places. */
export const messageIdField = (meta: FieldMeta) => {
  const least = -(2 ** 47);
  const greatest = 2 ** 48;
  const one = {
    anyOf: [
      { type: 'integer', minimum: least, maximum: greatest },
      { type: 'string', minLength: 1 },
    ],
  };
  const json = { anyOf: [...one.anyOf, { type: 'array', items: one, minItems: 1, maxItems: 4 }], ...meta };
  return field<number | string | readonly (number | string)[]>(json, (value) => {
    const fix = 'Write a whole number such as 0x10.';
    const each: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const one of each) {
      if (typeof one === 'string' && one !== '') continue;
      if (typeof one !== 'number') return badType('a whole number', one, fix);
      if (!Number.isInteger(one)) return bad('This is no whole number.', fix);
      if (one < least || one > greatest)
        return bad(`This is not from ${least} to ${greatest}.`, 'Write a number within this range.');
    }
    return each.length > 0 && each.length <= 4 ? undefined : bad('This is no message id.', fix);
  });
};

/** Fixed bytes: a text stands for its UTF-8 bytes, a number for one byte, a list of numbers for several. */
export function bytesField(meta: FieldMeta) {
  const byte = { type: 'integer', minimum: 0, maximum: 255 };
  const json = {
    anyOf: [
      { type: 'string', minLength: 1, maxLength: LONGEST_BYTES },
      byte,
      { type: 'array', items: byte, minItems: 1, maxItems: LONGEST_BYTES },
    ],
    ...meta,
  };
  return field<string | number | readonly number[]>(json, (value) => {
    const fix = `Write a text, a byte such as 0x7e, or a list of 1 to ${LONGEST_BYTES} bytes such as [0xb5, 0x62].`;
    if (typeof value === 'string' && value !== '') return undefined;
    if (
      value === undefined ||
      (typeof value !== 'number' && typeof value !== 'string' && !Array.isArray(value))
    )
      return badType('bytes', value, fix);
    const each: readonly unknown[] = Array.isArray(value) ? value : [value];
    const wrong = each.findIndex(
      (byte) => typeof byte !== 'number' || !Number.isInteger(byte) || byte < 0 || byte > 255,
    );
    if (wrong < 0 && each.length > 0) return undefined;
    const finding = { code: 'config_bad_value', message: 'These are no bytes.', fix } as const;
    return Array.isArray(value) && wrong >= 0 ? { ...finding, path: [wrong] } : finding;
  });
}

/** Whether a list is several words, rather than the bytes of one: it has texts or lists in it, and not only `any`. */
export function isListOfWords(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.some((each) => typeof each !== 'number' && each !== ANY);
}

const ANY = 'any';

/** Fixed bytes, or a list of several words of them; with `wild`, `any` stands for whatever byte is there. */
export function byteWordsField(meta: FieldMeta, wild: boolean) {
  const byte = { type: 'integer', minimum: 0, maximum: 255 };
  const text = { type: 'string', minLength: 1, maxLength: LONGEST_BYTES };
  const items = wild ? { anyOf: [byte, { const: ANY }] } : byte;
  const bytes = { type: 'array', items, minItems: 1, maxItems: LONGEST_BYTES };
  const words = { type: 'array', items: { anyOf: [text, byte, bytes] }, minItems: 1, maxItems: MOST_WORDS };
  const json = { anyOf: [text, byte, bytes, words], ...meta };
  return field<string | number | readonly unknown[]>(json, (value) => {
    const fix = wild
      ? `Write a text, a byte such as 0x7e, a list of 1 to ${LONGEST_BYTES} bytes such as [0xb5, 0x62] or [0x68, any, 0x68], or a list of such lists.`
      : `Write a text, a byte such as 0x7e, a list of 1 to ${LONGEST_BYTES} bytes such as [0xb5, 0x62], or a list of texts and such lists.`;
    if (!isListOfWords(value)) return wrongWord(value, wild, fix);
    if (value.length > MOST_WORDS) return bad(`There are more than ${MOST_WORDS} of them.`, fix);
    for (const [index, each] of value.entries()) {
      const wrong = wrongWord(each, wild, fix);
      if (wrong !== undefined) return { ...wrong, path: [index, ...(wrong.path ?? [])] };
    }
    return undefined;
  });
}

const MOST_WORDS = 16;

function wrongWord(value: unknown, wild: boolean, fix: string): FieldFinding | undefined {
  if (typeof value === 'string' && value !== '') return undefined;
  if (typeof value !== 'number' && !Array.isArray(value)) return badType('bytes', value, fix);
  const each: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (each.length === 0 || each.length > LONGEST_BYTES) return bad('These are no bytes.', fix);
  const wrong = each.findIndex(
    (byte) =>
      !(wild && byte === ANY) &&
      (typeof byte !== 'number' || !Number.isInteger(byte) || byte < 0 || byte > 255),
  );
  if (wrong < 0) return undefined;
  const finding = bad('These are no bytes.', fix);
  return Array.isArray(value) ? { ...finding, path: [wrong] } : finding;
}

/** A checksum by its name, or by its parameters; which of them go together is checked with the rest of the declaration. */
export function checksumField(meta: FieldMeta) {
  const number = { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] };
  const properties = {
    name: { type: 'string', description: 'A checksum by its name, of which `init` or `xorout` is another.' },
    width: { type: 'integer', minimum: 3, maximum: 64, description: 'Bits of a CRC.' },
    poly: { ...number, description: 'Its polynomial, without the top bit.' },
    init: { ...number, description: 'Its first register.', default: 0 },
    refin: {
      type: 'boolean',
      description: 'Bytes go in with the least significant bit first.',
      default: false,
    },
    refout: { type: 'boolean', description: 'The result is turned round bit by bit.', default: false },
    xorout: { ...number, description: 'Bits of the result that are turned.', default: 0 },
  };
  const json = {
    anyOf: [{ type: 'string' }, { type: 'object', properties, additionalProperties: false }],
    ...meta,
  };
  return field<ChecksumAlgorithm>(json, (value) => {
    const fix = 'Write for example crc-16/modbus, or { width: 16, poly: 0x1021, init: 0xffff }.';
    if (typeof value === 'string' && value !== '') return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return badType('the name of a checksum', value, fix);
    for (const [key, given] of Object.entries(value)) {
      const known = CHECKSUM_PARAMETERS.find((each) => each === key);
      if (known === undefined)
        return {
          ...bad(`There is no key \`${key}\` here.`, `Possible are ${CHECKSUM_PARAMETERS.join(', ')}.`),
          path: [key],
        };
      const type =
        known === 'name'
          ? ['string']
          : known === 'width'
            ? ['number']
            : known.startsWith('ref')
              ? ['boolean']
              : ['number', 'string'];
      if (!type.includes(typeof given)) return { ...bad(`\`${key}\` is not possible so.`, fix), path: [key] };
    }
    return undefined;
  });
}

/** How far two values may be apart; the unit of a text is checked with the rest of the declaration. */
export const marginField = (description: string) =>
  field<number | string>(
    { anyOf: [{ type: 'number', minimum: 0 }, { type: 'string' }], description, examples: [0.5, '0.5 °C'] },
    (value) => checkMargin(value),
  );

function checkMargin(value: unknown): FieldFinding | undefined {
  const fix = 'Write for example 0.5, or "0.5 °C" with the unit of the field.';
  if (typeof value === 'number')
    return Number.isFinite(value) && value >= 0 ? undefined : bad('This is no difference.', fix);
  return typeof value === 'string' && value !== '' ? undefined : badType('a number', value, fix);
}

/** Own field to the field of the state that shows it. */
export const confirmsField = (description: string) => {
  const json = {
    type: 'object',
    additionalProperties: {
      anyOf: [
        { type: 'string' },
        {
          type: 'object',
          properties: {
            field: { type: 'string' },
            within: { anyOf: [{ type: 'number', minimum: 0 }, { type: 'string' }] },
          },
          required: ['field'],
          additionalProperties: false,
        },
      ],
    },
    description,
    examples: [{ target: 'telemetry.setpoint' }, { target: { field: 'telemetry.setpoint', within: 0.01 } }],
  };
  return field<Readonly<Record<string, string | ConfirmDeclaration>>>(json, (value) => {
    const fix = 'Write for example { target: telemetry.setpoint }.';
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return badType('fields by name', value, fix);
    for (const [own, shown] of Object.entries(value)) {
      const wrong = checkConfirm(shown);
      if (wrong !== undefined) return { ...wrong, path: [own, ...(wrong.path ?? [])] };
    }
    return undefined;
  });
};

function checkConfirm(shown: unknown): FieldFinding | undefined {
  const fix = 'Write for example telemetry.setpoint, or { field: telemetry.setpoint, within: 0.01 }.';
  if (typeof shown === 'string') return undefined;
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown))
    return badType('a field of the state', shown, fix);
  const { field: named, within, ...rest } = shown as Readonly<Record<string, unknown>>; // an object of YAML
  if (typeof named !== 'string') return { ...badType('a field of the state', named, fix), path: ['field'] };
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return { ...bad('`confirms` has no such key.', fix), path: [unknown] };
  const wrong = within === undefined ? undefined : checkMargin(within);
  return wrong && { ...wrong, path: ['within'] };
}
