import type { ByteOrder } from '../framing/byte-order.ts';
import type { FramingDeclaration } from '../framing/declaration.ts';

export type { ByteOrder } from '../framing/byte-order.ts';
export type { FramingDeclaration } from '../framing/declaration.ts';

/** A name of a number type: `u8` to `u64` and `i8` to `i64` in steps of 8 bits, `f32`, `f64`; `le` or `be` may follow. */
export type NumberTypeName = string;

/** A count or a length: fixed, a number in front of it, the value of an earlier field, or all that is left. */
export type Extent = number | NumberTypeName | { readonly field: string } | 'rest';

/** Values by name; keys are whole numbers in decimal. */
export type EnumDeclaration = Readonly<Record<string, string>>;

/** Whole numbers beyond 2^53 are written as text, decimal or `0x...`. */
export type WholeNumber = number | string;

/** Least and greatest value; null is no bound. */
export type Range = readonly [number | null, number | null];

export type TextEncoding = 'ascii' | 'utf8' | 'latin1' | 'utf16le' | 'utf16be';

/** What text must look like, beyond its encoding. */
export type TextContent = 'uuid' | 'digits' | 'datetime' | 'printable';

/** Present only where an earlier field has one of these values (`is`), or none of them (`not`). */
export interface Condition {
  /** An earlier field of the same structure or one around it, or one of its bits: `status.door_open`. */
  readonly field: string;
  readonly is?: ConditionValue | readonly ConditionValue[];
  readonly not?: ConditionValue | readonly ConditionValue[];
}

/** A raw number, the name of an enum's value, or the state of a bit. */
export type ConditionValue = number | string | boolean;

/** A value outside of a range is doubtful (`warn`) or dangerous (`alarm`). */
export interface LimitsDeclaration {
  readonly warn?: Range;
  readonly alarm?: Range;
  /** So far within a limit an exceeded one is over; a number, or text with the field's unit. 0 where it is left out. */
  readonly hysteresis?: number | string;
  /** So long a value is beyond a limit, or back, before it counts, in ms; 0 where it is left out. */
  readonly forMs?: number;
}

/** What of the state shows that a command was carried out. */
export interface ConfirmDeclaration {
  /** `message.field` of the state. */
  readonly field: string;
  /** Numbers may differ by so much, in the unit of the state; a number, or text with that unit. */
  readonly within?: number | string;
}

export interface BitDeclaration {
  readonly name: string;
  /** A bit, 0 the least significant, or a range: `2..3`. */
  readonly at: number | string;
  readonly enum?: string | EnumDeclaration;
  readonly description?: string;
}

/**
 * One field. Which keys have a meaning depends on `type`: a number type, `text`, `bytes`, `array`, `struct`, `crc` or
 * `reserved`.
 */
export interface FieldDeclaration {
  /** Every field but a reserved one and the elements of an array has a name. */
  readonly name?: string;
  readonly type: string;
  readonly description?: string;
  readonly when?: Condition;
  // numbers
  readonly scale?: number;
  readonly offset?: number;
  readonly unit?: string;
  /** The raw value that says "no value". */
  readonly invalid?: WholeNumber;
  readonly limits?: LimitsDeclaration;
  /** Values outside are refused when encoded, and an issue when decoded. */
  readonly range?: Range;
  readonly enum?: string | EnumDeclaration;
  readonly bits?: readonly BitDeclaration[];
  /** What stands there always: a number, text, or for `bytes` hex digits. Such a field is no part of the values. */
  readonly value?: WholeNumber;
  // text, bytes, reserved
  readonly length?: Extent;
  /** Longest content, in bytes; of an array, most elements. */
  readonly max?: number;
  readonly encoding?: TextEncoding;
  /** A byte that ends the text instead of a length. */
  readonly terminator?: number;
  /** The byte that fills text of a fixed length; 0 where it is left out. */
  readonly pad?: number;
  readonly content?: TextContent;
  // arrays and structures
  readonly count?: Extent;
  readonly of?: FieldDeclaration;
  readonly fields?: readonly FieldDeclaration[];
  // checksums
  readonly algorithm?: string;
  /** Names of earlier fields, and `id`; everything in front of it where it is left out. */
  readonly covers?: readonly string[];
  /** Of this checksum, where it is not the protocol's. */
  readonly byteOrder?: ByteOrder;
}

export type Sender = 'device' | 'host' | 'any';

/** What answers a message: nothing, an error code, or an error code and (on success) fields. */
export type ReplyDeclaration = 'none' | 'status' | { readonly fields: readonly FieldDeclaration[] };

/** A message of the device that ends a request instead of its reply. */
export interface RejectsDeclaration {
  readonly request: 'any' | readonly string[];
  /** A field of the message, or of a structure in it: `error.code`. */
  readonly code?: string;
}

export interface MessageDeclaration {
  readonly name: string;
  readonly description?: string;
  /** Absent where the protocol has no ids. */
  readonly id?: number;
  readonly from?: Sender;
  readonly reply?: ReplyDeclaration;
  /** Values are stale when the message stays away for longer, in ms. */
  readonly everyMs?: number;
  /** Own field to that of the state, `message.field` where nothing else is said: the command is observed when these agree. */
  readonly confirms?: Readonly<Record<string, string | ConfirmDeclaration>>;
  /** It refuses the request that is awaited: which ones, and the field that says why. */
  readonly rejects?: RejectsDeclaration;
  /** Names of error codes in its reply, beside those of the protocol. */
  readonly errors?: EnumDeclaration;
  readonly fields?: readonly FieldDeclaration[];
}

export interface IdDeclaration {
  readonly type: NumberTypeName;
  /** Offset in the payload, in bytes. */
  readonly at: number;
}

export interface ProtocolDeclaration {
  readonly byteOrder: ByteOrder;
  readonly framing: FramingDeclaration;
  /** The longest payload, in bytes. */
  readonly maxFrame: number;
  /** Absent: messages carry no id. */
  readonly id?: IdDeclaration;
  /** Type of the error code that follows the id in a reply; absent: replies carry none. */
  readonly error?: NumberTypeName;
  readonly enums: Readonly<Record<string, EnumDeclaration>>;
  /** Names of error codes. */
  readonly errors: EnumDeclaration;
  readonly messages: readonly MessageDeclaration[];
}

/** The protocol of the built-in messages, to which declared ones are added where a file says nothing else. */
export const DEFAULT_PROTOCOL = {
  byteOrder: 'big',
  framing: { type: 'length', length: 'u32be', maxFrame: 65_536 },
  maxFrame: 65_536,
  id: { type: 'i8', at: 0 },
  error: 'i8',
  enums: {},
  errors: {},
} as const satisfies Omit<ProtocolDeclaration, 'messages'>;
