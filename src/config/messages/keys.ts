import { z } from 'zod';
import type { ByteOrder } from '../../protocol/framing/byte-order.ts';
import type { Declared, Key, KeyTable } from '../../protocol/keys.ts';
import { badType, choiceField, type FieldMeta, field, numberField, textField } from '../field.ts';

const LONGEST_BYTES = 64;
/** Types of a length that take the byte order of the protocol. */
const OPEN_LENGTH_TYPES = ['u16', 'u24', 'u32'];

/** The shape of each key of a table, for a group of keys. */
export function shapesOf(keys: KeyTable): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(keys).map(([name, key]) => [
      name,
      key.required === true ? shapeOf(key) : shapeOf(key).optional(),
    ]),
  );
}

function shapeOf(key: Key): z.ZodType {
  const { description = '', examples, default: preset } = key;
  const meta = {
    description,
    ...(examples === undefined ? {} : { examples }),
    ...(preset === undefined ? {} : { default: preset }),
  };
  switch (key.kind) {
    case 'number':
      return numberField(key.least, key.greatest, meta);
    case 'choice':
      return choiceField(key.values, meta);
    case 'length type':
      return choiceField([...key.values, ...OPEN_LENGTH_TYPES], meta);
    case 'byte order':
      return choiceField(['big', 'little'], meta);
    case 'word':
      return textField(key.what, key.example, meta, () => undefined);
    case 'bytes':
      return bytesField(meta);
    case 'group':
      return z.strictObject(shapesOf(key.keys)).meta(meta);
    case 'groups':
      return z.array(z.strictObject(shapesOf(key.keys))).meta(meta);
  }
}

/** Fixed bytes: a text stands for its UTF-8 bytes, a number for one byte, a list of numbers for several. */
function bytesField(meta: FieldMeta) {
  const byte = { type: 'integer', minimum: 0, maximum: 255 };
  const json = {
    anyOf: [
      { type: 'string', minLength: 1, maxLength: LONGEST_BYTES },
      byte,
      { type: 'array', items: byte, minItems: 1, maxItems: LONGEST_BYTES },
    ],
    ...meta,
  };
  return field<GivenBytes>(json, (value) => {
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

type GivenBytes = string | number | readonly number[];
type Given = Readonly<Record<string, unknown>>;

/** What a group of keys declares, once the shapes of the table have passed it. */
export function declareKeys<T extends KeyTable>(keys: T, given: Given, byteOrder: ByteOrder): Declared<T> {
  const declared = Object.entries(keys).flatMap(([name, key]) => {
    const value = declareKey(key, given[name], byteOrder);
    return value === undefined ? [] : [[camelCase(name), value]];
  });
  return Object.fromEntries(declared) as Declared<T>; // each value is of the kind that its shape lets pass
}

function declareKey(key: Key, value: unknown, byteOrder: ByteOrder): unknown {
  if (value === undefined) return key.kind === 'byte order' ? byteOrder : undefined;
  switch (key.kind) {
    case 'bytes':
      return bytesOf(value as GivenBytes);
    case 'length type':
      return OPEN_LENGTH_TYPES.includes(String(value))
        ? `${value}${byteOrder === 'big' ? 'be' : 'le'}`
        : value;
    case 'group':
      return declareKeys(key.keys, value as Given, byteOrder);
    case 'groups':
      return (value as readonly Given[]).map((each) => declareKeys(key.keys, each, byteOrder));
    case 'number':
    case 'choice':
    case 'byte order':
    case 'word':
      return value;
  }
}

const camelCase = (name: string): string =>
  name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

function bytesOf(given: GivenBytes): Uint8Array {
  if (typeof given === 'string') return new TextEncoder().encode(given);
  return Uint8Array.from(typeof given === 'number' ? [given] : given);
}
