import { bitField, coilField } from './bit-field.ts';
import { bytesField, constantBytes, reservedField } from './bytes-field.ts';
import { checksumField } from './checksum-field.ts';
import { bcdField, varintField } from './coded-field.ts';
import { constantText } from './constant-field.ts';
import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { skippedRest } from './optional-field.ts';
import { textField } from './text-field.ts';
import { namedText, textInSlot } from './text-names.ts';
import { bcdTimeField, byteTimeField } from './time-field.ts';

/** What the values of a field are, for those that show, ask for or make them. */
export type Holds = 'text' | 'number' | 'time' | 'flag' | 'bytes' | 'list' | 'group' | 'nothing';

/** A type of field. Those that hold other fields are compiled where fields are (`compile-fields.ts`). */
interface FieldType {
  /** The keys that have a meaning for it. */
  readonly keys: readonly (keyof FieldDeclaration)[];
  readonly holds: Holds;
  /** A number or a time in bytes of its own kind: no plain number, and no text. */
  readonly coded?: true;
  readonly compile?: (declaration: FieldDeclaration, scope: Scope) => FieldCodec;
}

const COMMON = ['name', 'type', 'label', 'group', 'description', 'when', 'optional'] as const;
const TEXT = ['length', 'max', 'encoding', 'terminator', 'pad', 'align'] as const;
const QUANTITY = [
  'scale',
  'offset',
  'unit',
  'negative',
  'invalid',
  'limits',
  'range',
  'enum',
  'time',
] as const;
const CLOCK = ['format', 'zone', 'invalid'] as const;
const PRINTED = ['decimals', 'format', 'thousands', 'decimalMark', 'angle', 'hemisphere'] as const;
const SPLIT = ['separator', 'keyValue', 'quotes', 'columns', 'extra'] as const;

/** The types that have a name of their own; the others are numbers of so many bytes. */
export const FIELD_TYPES = {
  bcd: {
    keys: [...COMMON, ...QUANTITY, 'length', 'digits', 'byteOrder', 'sign', 'as'],
    holds: 'number',
    coded: true,
    compile: bcdField,
  },
  varint: { keys: [...COMMON, ...QUANTITY, 'sign'], holds: 'number', coded: true, compile: varintField },
  number: { keys: [...COMMON, ...TEXT, ...QUANTITY, ...PRINTED], holds: 'number', compile: textField },
  hex_number: {
    keys: [...COMMON, ...TEXT, ...QUANTITY, 'format', 'sign', 'digits', 'byteOrder', 'thousands'],
    holds: 'number',
    compile: textField,
  },
  time: { keys: [...COMMON, ...TEXT, ...CLOCK], holds: 'time', compile: textField },
  bcd_time: {
    keys: [...COMMON, ...CLOCK, 'byteOrder'],
    holds: 'time',
    coded: true,
    compile: (declaration, { byteOrder }) => bcdTimeField(declaration, byteOrder),
  },
  byte_time: {
    keys: [...COMMON, ...CLOCK, 'byteOrder'],
    holds: 'time',
    coded: true,
    compile: (declaration, { byteOrder }) => byteTimeField(declaration, byteOrder),
  },
  text: { keys: [...COMMON, ...TEXT, 'content', 'value', 'enum'], holds: 'text', compile: compileText },
  bytes: {
    keys: [...COMMON, 'length', 'max', 'value'],
    holds: 'bytes',
    compile: (declaration, scope) =>
      declaration.value === undefined ? bytesField(declaration, scope) : constantBytes(declaration.value),
  },
  array: {
    keys: [...COMMON, 'count', 'of', 'max', 'separator', 'quotes', 'until', 'length'],
    holds: 'list',
  },
  struct: { keys: [...COMMON, 'fields', 'length', ...SPLIT], holds: 'group' },
  switch: { keys: [...COMMON, 'on', 'cases', 'else', 'length', 'extra'], holds: 'group' },
  tlv: { keys: [...COMMON, 'tag', 'length', 'count', 'tags'], holds: 'group' },
  crc: {
    keys: [...COMMON, 'algorithm', 'covers', 'byteOrder', 'hex'],
    holds: 'nothing',
    compile: checksumField,
  },
  reserved: {
    keys: [...COMMON, 'length'],
    holds: 'nothing',
    compile: (declaration, { tail, limit }) =>
      declaration.length === 'rest' ? skippedRest(tail, limit) : reservedField(declaration, limit),
  },
  bit: {
    keys: ['name', 'type', 'label', 'group', 'description', 'at'],
    holds: 'flag',
    compile: ({ at = 0 }) => bitField(at),
  },
  coil: { keys: COMMON, holds: 'flag', compile: () => coilField },
} as const satisfies Readonly<Record<string, FieldType>>;

/** Numbers of so many bytes. */
const NUMBER: FieldType = { keys: [...COMMON, ...QUANTITY, 'sign', 'bits', 'value'], holds: 'number' };

export const isNamedType = (type: string): type is keyof typeof FIELD_TYPES =>
  Object.hasOwn(FIELD_TYPES, type);

/** What is known of a type; of a number where it has no name of its own. */
export const fieldType = (type: string): FieldType => (isNamedType(type) ? FIELD_TYPES[type] : NUMBER);

/** What the values of a type are. */
export const holdsOf = (type: string): Holds => fieldType(type).holds;

function compileText(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const { value, enum: names } = declaration;
  if (value !== undefined) return constantText(declaration, value, scope.limit);
  const plain = textField(declaration, scope);
  const text =
    scope.slot < 0 || scope.texts === undefined ? plain : textInSlot(plain, scope.slot, scope.texts);
  return typeof names === 'object' ? namedText(text, names) : text;
}
