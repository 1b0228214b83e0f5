import { z } from 'zod';
import {
  type ByteOrder,
  type Declared,
  FIELD_KEYS,
  type Key,
  type KeyTable,
  REPLY_KEYS,
} from '../../protocol/index.ts';
import { choiceField, durationField, flagField, numberField, textField } from '../field.ts';
import {
  bitRangeField,
  bytesField,
  byteWordsField,
  checksumField,
  conditionValue,
  confirmsField,
  constantField,
  constantsField,
  copyField,
  enumField,
  extentField,
  isListOfWords,
  marginField,
  messageIdField,
  namesField,
  numbersField,
  rangeField,
  scaleField,
} from './value-shapes.ts';

/** Types of a length that take the byte order of the protocol. */
const OPEN_LENGTH_TYPES = ['u16', 'u24', 'u32'];

/** The shape of each key of a table, for a group of keys. */
export function shapesOf(keys: KeyTable): Record<string, z.ZodType> {
  const shapes: Record<string, z.ZodType> = {};
  for (const [name, key] of Object.entries(keys)) {
    let shape: z.ZodType | undefined;
    // A field lies within a field: it is made when it is looked at.
    const get = () => {
      shape ??= key.required === true ? shapeOf(key) : optional(key);
      return shape;
    };
    Object.defineProperty(shapes, name, { enumerable: true, get });
  }
  return shapes;
}

/** An element of an array keeps the identity of the shape of a field. */
const optional = (key: Key): z.ZodType =>
  key.kind === 'field' ? fieldShape.optional().meta(metaOf(key)) : shapeOf(key).optional();

const metaOf = ({ description = '', examples, default: preset }: Key) => ({
  description,
  ...(examples === undefined ? {} : { examples }),
  ...(preset === undefined ? {} : { default: preset }),
});

function shapeOf(key: Key): z.ZodType {
  const meta = metaOf(key);
  const { description } = meta;
  switch (key.kind) {
    case 'number':
      return numberField(key.least, key.greatest, meta, key.fraction);
    case 'choice':
      return choiceField(key.values, meta);
    case 'flag':
      return flagField(meta);
    case 'length type':
      return choiceField([...key.values, ...OPEN_LENGTH_TYPES], meta);
    case 'byte order':
      return choiceField(['big', 'little'], meta);
    case 'word':
      return textField(key.what, key.example, meta, () => undefined);
    case 'bytes':
      return bytesField(meta);
    case 'byte words':
      return byteWordsField(meta, false);
    case 'sync words':
      return byteWordsField(meta, true);
    case 'duration':
      return durationField(key.least, key.greatest, meta);
    case 'constant':
      return constantField(key.type, key.what, description, (key.examples ?? []) as (number | string)[]);
    case 'constants':
      return constantsField(key.type, key.what, description, (key.examples ?? []) as (number | string)[]);
    case 'scale':
      return scaleField(meta);
    case 'numbers':
      return numbersField(key.least, key.greatest, meta);
    case 'checksum':
      return checksumField(meta);
    case 'extent':
      return extentField(key.what, description);
    case 'range':
      return rangeField(description);
    case 'margin':
      return marginField(description);
    case 'enum':
      return enumField(description);
    case 'names':
      return namesField(description, key.examples ?? []);
    case 'bit range':
      return bitRangeField(meta);
    case 'condition value':
      return conditionValue(description);
    case 'confirms':
      return confirmsField(description);
    case 'requests':
      return z.union([z.literal('any'), z.array(z.string()).min(1)]).meta(meta);
    case 'words':
      return z.array(shapeOf(key.of)).meta(meta);
    case 'field':
      return fieldShape;
    case 'fields':
      return z.array(fieldShape).meta(meta);
    case 'message id':
      return messageIdField(meta);
    case 'cases':
      return z.record(z.string(), z.array(fieldShape)).meta(meta);
    case 'tags':
      return z.record(z.string(), fieldShape).meta(meta);
    case 'reply':
      return replyShape.meta(meta);
    case 'group':
      return z.strictObject(shapesOf(key.keys)).meta(meta);
    case 'groups':
      return z.array(z.strictObject(shapesOf(key.keys))).meta(meta);
    case 'logins': {
      const one = z.strictObject(shapesOf(key.keys));
      return z.union([one, z.array(one).min(1)]).meta(meta);
    }
    case 'copy':
      return copyField(description, key.examples ?? []);
    case 'values':
      return z.record(z.string(), z.unknown()).meta(meta);
  }
}

/** One field of a message, as it stands in the file; what its keys mean together is checked by the lint. */
const fieldShape: z.ZodObject = z.strictObject(shapesOf(FIELD_KEYS));

const replyShape = z.union([z.literal('none'), z.literal('status'), z.strictObject(shapesOf(REPLY_KEYS))]);

type GivenBytes = string | number | readonly number[];
type Given = Readonly<Record<string, unknown>>;

/** What a group of keys declares, once the shapes of the table have passed it. */
export function declareKeys<T extends KeyTable, V = unknown>(
  keys: T,
  given: Given,
  byteOrder: ByteOrder,
): Declared<T, V> {
  const declared = Object.entries(keys).flatMap(([name, key]) => {
    const value = declareKey(key, given[name], byteOrder);
    return value === undefined ? [] : [[key.kind === 'duration' ? `${name}Ms` : camelCase(name), value]];
  });
  return Object.fromEntries(declared) as Declared<T, V>; // each value is of the kind that its shape lets pass
}

function declareKey(key: Key, value: unknown, byteOrder: ByteOrder): unknown {
  if (value === undefined) return key.kind === 'byte order' ? byteOrder : undefined;
  switch (key.kind) {
    case 'bytes':
      return bytesOf(value as GivenBytes);
    case 'byte words':
    case 'sync words':
      return isListOfWords(value)
        ? value.map((each) => wordOf(each as GivenWord))
        : wordOf(value as GivenWord);
    case 'length type':
      return OPEN_LENGTH_TYPES.includes(String(value))
        ? `${value}${byteOrder === 'big' ? 'be' : 'le'}`
        : value;
    case 'group':
      return declareKeys(key.keys, value as Given, byteOrder);
    case 'groups':
      return (value as readonly Given[]).map((each) => declareKeys(key.keys, each, byteOrder));
    case 'field':
      return declareKeys(FIELD_KEYS, value as Given, byteOrder);
    case 'fields':
      return (value as readonly Given[]).map((each) => declareKeys(FIELD_KEYS, each, byteOrder));
    case 'cases':
      return eachOf(value as Given, (fields) =>
        (fields as readonly Given[]).map((each) => declareKeys(FIELD_KEYS, each, byteOrder)),
      );
    case 'tags':
      return eachOf(value as Given, (field) => declareKeys(FIELD_KEYS, field as Given, byteOrder));
    case 'reply':
      if (typeof value === 'string') return value;
      return declareKeys(REPLY_KEYS, value as Given, byteOrder);
    case 'logins':
      return (Array.isArray(value) ? value : [value]).map((each) => declareKeys(key.keys, each, byteOrder));
    case 'copy':
      return Array.isArray(value) ? Object.fromEntries(value.map((name) => [name, name])) : value;
    default:
      return value;
  }
}

const eachOf = (given: Given, declare: (value: unknown) => unknown): Given =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, declare(value)]));

const camelCase = (name: string): string =>
  name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

type GivenWord = string | number | readonly (number | string)[];

function wordOf(given: GivenWord): Uint8Array | Int16Array {
  if (typeof given !== 'object') return bytesOf(given);
  if (given.every((each) => typeof each === 'number')) return Uint8Array.from(given);
  return Int16Array.from(given, (each) => (typeof each === 'number' ? each : -1));
}

function bytesOf(given: GivenBytes): Uint8Array {
  if (typeof given === 'string') return new TextEncoder().encode(given);
  return Uint8Array.from(typeof given === 'number' ? [given] : given);
}
