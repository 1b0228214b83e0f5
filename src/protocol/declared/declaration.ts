import type { ByteOrder } from '../framing/byte-order.ts';
import type { FramingDeclaration } from '../framing/declaration.ts';
import type { Declared, KeyTable } from '../keys.ts';
import type { AddressDeclaration } from './address-declaration.ts';
import { ASSEMBLE_KEYS } from './assemble-keys.ts';
import { description, group, label } from './label-keys.ts';
import { MESSAGE_FRAMING_KEYS, MESSAGE_TIME_KEYS } from './message-keys.ts';
import { BIT_KEYS, type LIMITS_KEYS, QUANTITY_KEYS } from './number-keys.ts';
import type { AnswerDeclaration, CopyDeclaration, ExchangeDeclaration } from './session-declaration.ts';
import { COLUMN_KEYS, SPLIT_KEYS } from './split-keys.ts';
import { CONDITION_KEYS, STRUCTURE_KEYS } from './structure-keys.ts';
import type { Values as FieldValues } from './value.ts';

export type { ByteOrder } from '../framing/byte-order.ts';
export type { FramingDeclaration } from '../framing/declaration.ts';
export { ADDRESS_KEYS, type AddressDeclaration } from './address-declaration.ts';

/**
 * A name of a number type: `u8` to `u64` and `i8` to `i64` in steps of 8 bits, `f16`, `f32`, `f64`; `le` or `be` may
 * follow, and of 32 and 64 bits `cdab` or `badc`.
 */
export type NumberTypeName = string;

/** A count or a length: fixed, a number in front of it, the value of an earlier field, or all that is left. */
export type Extent = number | NumberTypeName | ExtentElsewhere | 'rest';

/** The number in an earlier field, or in front, and what is added to it where it counts other bytes as well. */
export interface ExtentElsewhere {
  readonly field?: string;
  readonly type?: NumberTypeName;
  readonly adjust?: number;
}

/** Values by name; keys are whole numbers in decimal. */
export type EnumDeclaration = Readonly<Record<string, string>>;

/** Whole numbers beyond 2^53 are written as text, decimal or `0x...`. */
export type WholeNumber = number | string;

/** Least and greatest value; null is no bound. */
export type Range = readonly [number | null, number | null];

/** A factor, or another field of the message that says it, as a power of ten or as it is, times a number. */
export interface ScaleDeclaration {
  readonly field: string;
  readonly as?: 'exponent' | 'factor';
  readonly times?: number;
}

/** A raw number, the name of an enum's value, or the state of a bit. */
export type ConditionValue = number | string | boolean;

/** What of the state shows that a command was carried out. */
export interface ConfirmDeclaration {
  /** `message.field` of the state. */
  readonly field: string;
  /** Numbers may differ by so much, in the unit of the state; a number, or text with that unit. */
  readonly within?: number | string;
}

/** What answers a message: nothing, an error code, or an error code and (on success) fields. */
export type ReplyDeclaration = 'none' | 'status' | Declared<typeof REPLY_KEYS, Values>;

/** Values of the kinds of keys that only fields and messages have. */
interface Values {
  readonly extent: Extent;
  readonly range: Range;
  readonly margin: number | string;
  readonly scale: number | ScaleDeclaration;
  readonly constants: number | string | readonly (number | string)[];
  readonly enum: string | EnumDeclaration;
  readonly names: EnumDeclaration;
  readonly 'bit range': number | string;
  readonly 'condition value': ConditionValue | readonly ConditionValue[];
  readonly confirms: Readonly<Record<string, string | ConfirmDeclaration>>;
  readonly reply: ReplyDeclaration;
  readonly requests: 'any' | readonly string[];
  readonly copy: CopyDeclaration;
  readonly values: FieldValues;
  readonly field: FieldDeclaration;
  readonly fields: readonly FieldDeclaration[];
  readonly 'message id': number;
  readonly cases: Readonly<Record<string, readonly FieldDeclaration[]>>;
  readonly tags: Readonly<Record<string, FieldDeclaration>>;
}

/** The keys of a field. Which of them have a meaning depends on `type`. */
export const FIELD_KEYS = {
  name: {
    kind: 'word',
    what: 'a name',
    example: 'temperature',
    description: 'The name of the value; reserved bytes and elements of an array have none.',
    examples: ['temperature'],
  },
  type: {
    kind: 'word',
    what: 'a type',
    example: 'u16',
    required: true,
    description:
      'A number (`u8` to `u64`, `i8` to `i64` in steps of 8 bits, `f16`, `f32`, `f64`; with `le` or `be` behind it in another byte order, with `cdab` or `badc` in another order of words; `bcd`, `varint`), a number in text (`number`, `hex_number`), a time (`time` in text, `bcd_time`, `byte_time`), `text`, `bytes`, `array`, `struct`, `switch`, `tlv`, `crc`, `reserved`, `bit` (true or false, of the `reserved` byte in front) or `coil` (ff00 or 0000).',
    examples: ['u16', 'i24le', 'f32cdab', 'number', 'text', 'array'],
  },
  label,
  group,
  description,
  when: {
    kind: 'group',
    keys: CONDITION_KEYS,
    description: 'The field is there only where an earlier one has a certain value.',
  },
  ...QUANTITY_KEYS,
  negative: {
    kind: 'group',
    keys: CONDITION_KEYS,
    description:
      'Number: its sign stands in an earlier field, or in one behind it in the same structure; negative where that has a certain value.',
  },
  range: {
    kind: 'range',
    description: 'Number: what can be sent. A received value outside is reported with the message.',
  },
  enum: {
    kind: 'enum',
    description:
      'Whole number: names of its values, an enum from `enums:` or written out. Text in a column: names by text, written out.',
  },
  at: {
    kind: 'number',
    least: 0,
    greatest: 7,
    description: '`bit`: which one of the byte in front, 0 the least significant.',
  },
  bits: {
    kind: 'groups',
    keys: BIT_KEYS,
    description: 'Unsigned number: its bits by name. A single bit without names is true or false.',
  },
  value: {
    kind: 'constant',
    type: 'number',
    what: 'a number or a text',
    description: 'Number, text or bytes: what stands there always; it is no part of the values.',
    examples: [0x55, '0xdd03'],
  },
  length: {
    kind: 'extent',
    what: 'a length',
    description:
      'Text, bytes: a number, the type of a number in front of it, an earlier field, or all the rest. Array, structure, switch: their bytes. TLV list: the length of each element. Reserved, `bcd`: how many bytes.',
  },
  max: {
    kind: 'number',
    least: 0,
    greatest: 0x1000_0000,
    description: 'Text, bytes: most bytes. Array: most elements.',
  },
  encoding: {
    kind: 'choice',
    values: [
      'ascii',
      'utf8',
      'latin1',
      'utf16le',
      'utf16be',
      'gbk',
      'gb18030',
      'big5',
      'shift_jis',
      'euc_kr',
      'cp1250',
      'cp1251',
      'cp1252',
      'cp1253',
      'cp1254',
      'cp1255',
      'cp1256',
      'cp1257',
      'cp1258',
    ],
    description: 'Text: its encoding; `ascii` for numbers and times in text.',
    default: 'utf8',
  },
  terminator: {
    kind: 'number',
    least: 0,
    greatest: 255,
    description: 'Text: the byte that ends it, instead of a length, or within a fixed one.',
  },
  pad: {
    kind: 'number',
    least: 0,
    greatest: 255,
    description: 'Text of a fixed length: what it is filled up with; a blank where it stands at the right.',
    default: 0,
  },
  align: {
    kind: 'choice',
    values: ['left', 'right'],
    description: 'Text of a fixed length: where it stands; numbers in text stand at the right.',
    default: 'left',
  },
  content: {
    kind: 'choice',
    values: ['uuid', 'digits', 'datetime', 'printable'],
    description: 'Text: what it must look like.',
  },
  count: {
    kind: 'extent',
    what: 'a count',
    description: 'Array: how many elements, in the same ways as `length`.',
  },
  of: { kind: 'field', description: 'Array: what each element is, a field without a name.' },
  fields: { kind: 'fields', description: 'Structure: its fields.' },
  ...STRUCTURE_KEYS,
  ...SPLIT_KEYS,
  ...COLUMN_KEYS,
  algorithm: {
    kind: 'checksum',
    description:
      'Checksum: its name in the reveng catalogue, one of the simple sums, or the parameters of a CRC, as in `framing`.',
    examples: ['crc-16/modbus', { width: 16, poly: 0x1021, init: 0xffff }],
  },
  covers: {
    kind: 'words',
    of: {
      kind: 'word',
      what: 'the name of a field',
      example: 'data',
      description: 'An earlier field, or `id`.',
      examples: ['data'],
    },
    description:
      'Checksum: fields as they stand on the wire, with a length in front, and `id`; all that stands in front of it where it is left out. It may stand in front of what it covers.',
  },
  hex: {
    kind: 'flag',
    description: 'Checksum: two ASCII hex digits stand for each byte.',
    default: false,
  },
  byte_order: {
    kind: 'choice',
    values: ['big', 'little'],
    description:
      "Checksum, `bcd`, `bcd_time`, `byte_time`, `hex_number`: order of its bytes, where it is not the protocol's.",
  },
} as const satisfies KeyTable;

/** One field. */
export type FieldDeclaration = Declared<typeof FIELD_KEYS, Values>;

export type TextEncoding = NonNullable<FieldDeclaration['encoding']>;

/** What text must look like, beyond its encoding. */
export type TextContent = NonNullable<FieldDeclaration['content']>;

/** Present only where an earlier field has one of these values (`is`), or none of them (`not`). */
export type Condition = Declared<typeof CONDITION_KEYS, Values>;

/** How a text is split into fields. */
export type SplitDeclaration = Declared<typeof SPLIT_KEYS, Values>;

/** A value outside of a range is doubtful (`warn`) or dangerous (`alarm`). */
export type LimitsDeclaration = Declared<typeof LIMITS_KEYS, Values>;

export type BitDeclaration = Declared<typeof BIT_KEYS, Values>;

/** The keys of a reply that has fields. */
export const REPLY_KEYS = {
  fields: {
    kind: 'fields',
    required: true,
    description: 'Its fields, behind the error code; they are there where that is 0.',
  },
  id: {
    kind: 'number',
    least: -(2 ** 47),
    greatest: 2 ** 48,
    description: 'Its id, where that is not the one of the message.',
    examples: [0x90],
  },
  copy: {
    kind: 'copy',
    description:
      'Its fields that repeat fields of the message. With it, or with `set`, the bridge makes the reply to a message of the device.',
    examples: [['serial']],
  },
  set: {
    kind: 'values',
    description: 'Its other fields. Where the device replies, another value is a refusal.',
    examples: [{ result: 0 }],
  },
  ...SPLIT_KEYS,
} as const satisfies KeyTable;

/** The keys of a message. */
export const MESSAGE_KEYS = {
  name: {
    kind: 'word',
    what: 'a name',
    example: 'telemetry',
    required: true,
    description: 'The name of the message in topics, state and commands.',
    examples: ['telemetry'],
  },
  label: { ...label, examples: ['Messwerte'] },
  group,
  description: { ...description, example: 'Once a second.', examples: ['Once a second.'] },
  id: {
    kind: 'message id',
    description:
      'Its id; 0xF0 and -16 are the same id of one byte. A text or a list where `protocol.id` says so.',
    examples: [16],
  },
  from: { kind: 'choice', values: ['device', 'host', 'any'], description: 'Who sends it.', default: 'any' },
  reply: {
    kind: 'reply',
    description: 'What answers it: nothing, an error code, or an error code and on success fields.',
    default: 'none',
  },
  ...MESSAGE_TIME_KEYS,
  confirms: {
    kind: 'confirms',
    description:
      'Own field, or a bit of it, to `message.field`, or to that `field` and how near it must come (`within`): the command is observed when these agree.',
  },
  rejects: {
    kind: 'group',
    keys: {
      request: {
        kind: 'requests',
        required: true,
        description: 'The requests that it may refuse: `any`, or their names.',
        examples: ['any'],
      },
      code: {
        kind: 'word',
        what: 'the name of a field',
        example: 'code',
        description: 'The field of this message that says why.',
        examples: ['code'],
      },
    },
    description:
      'The device sends it instead of a reply: it ends the request that is awaited, with the reason of the device.',
    examples: [{ request: ['read_power'] }],
  },
  errors: {
    kind: 'names',
    description: "Names of error codes in its reply, beside the protocol's.",
    examples: [{ 2: 'too_hot' }],
  },
  ...MESSAGE_FRAMING_KEYS,
  fields: { kind: 'fields', description: 'Its fields, one behind the other.' },
  ...SPLIT_KEYS,
  assemble: {
    kind: 'group',
    keys: ASSEMBLE_KEYS,
    description: 'It is no message on the wire, but a group of the fields of several ones.',
  },
} as const satisfies KeyTable;

export type MessageDeclaration = Declared<typeof MESSAGE_KEYS, Values> & {
  /** Its ids where the protocol has a `selector`. */
  readonly selects?: readonly (number | string)[] | undefined;
  /**
   * Where its values stand in the state, beside those of other messages that say the same; false: they are no values of
   * the device. Under its own name where it is left out. What is compiled to messages says it; no key of a file does.
   */
  readonly into?: string | false | undefined;
};

/** One of the places that tell messages apart, where that is no single number. */
export interface SelectorPart {
  /** `text`, or a number type. */
  readonly type: string;
  readonly at: number;
  /** Of text: how many bytes it has always, or what ends it. */
  readonly length?: number | undefined;
  readonly until?: Uint8Array | undefined;
  /** Of a number that is a field: the bits that count. */
  readonly bits?: number | string | undefined;
}

export type Sender = NonNullable<MessageDeclaration['from']>;

export interface IdDeclaration {
  readonly type: NumberTypeName;
  /** Offset in the payload, in bytes. */
  readonly at: number;
}

/** A register of a map in its place. */
export interface HeldRegister {
  readonly table: 'input' | 'holding' | 'coil' | 'discrete';
  readonly address: number;
  /** Registers, or coils. */
  readonly size: number;
  readonly writable: boolean;
  readonly field: FieldDeclaration;
}

export interface ProtocolDeclaration extends ExchangeDeclaration<FieldDeclaration> {
  readonly byteOrder: ByteOrder;
  readonly framing: FramingDeclaration;
  /** The longest payload, in bytes. */
  readonly maxFrame: number;
  /** Absent: messages carry no id. */
  readonly id?: IdDeclaration;
  /** What tells messages apart instead of an id. */
  readonly selector?: readonly SelectorPart[] | undefined;
  /** Missing bytes at the end read as zeros; with `drop` zeros at the end are not sent. */
  readonly zeroTail?: 'read' | 'drop' | undefined;
  /** Absent: messages name no device. */
  readonly address?: AddressDeclaration;
  /** Type of the error code that follows the id in a reply; absent: replies carry none. */
  readonly error?: NumberTypeName;
  readonly enums: Readonly<Record<string, EnumDeclaration>>;
  /** Names of error codes. */
  readonly errors: EnumDeclaration;
  readonly messages: readonly MessageDeclaration[];
  /** What answers what by rule, the first that fits. */
  readonly answers?: readonly AnswerDeclaration[];
  /** What is asked of a device that is configured without a word about it: that of a register map. */
  readonly polls?: readonly { readonly message: string; readonly everyMs: number }[] | undefined;
  /** The registers of a map, for a slave that answers whatever part of them a master reads or writes. */
  readonly registers?: readonly HeldRegister[] | undefined;
}

/** Its longest payload, in bytes. */
const BUILTIN_MAX_FRAME = 65_536;

/** The protocol of the built-in messages, to which declared ones are added where a file says nothing else. */
export const DEFAULT_PROTOCOL = {
  byteOrder: 'big',
  framing: { type: 'length', length: 'u32be', maxFrame: BUILTIN_MAX_FRAME },
  maxFrame: BUILTIN_MAX_FRAME,
  id: { type: 'i8', at: 0 },
  error: 'i8',
  enums: {},
  errors: {},
} as const satisfies Omit<ProtocolDeclaration, 'messages'>;
