import type { ByteOrder, EnumDeclaration, FieldDeclaration } from './declaration.ts';
import type { Reading } from './reading.ts';
import type { Split } from './split.ts';
import type { Value } from './value.ts';
import type { Writing } from './writing.ts';

/** One field, compiled. */
export interface FieldCodec {
  /** Bounds of its length in bytes. */
  readonly min: number;
  readonly max: number;
  /** No part of the values, and what it is instead. */
  readonly silent?: 'constant' | 'reserved' | 'checksum' | 'error code' | 'address';
  /**
   * Moves on past the field and returns its value, undefined where it is invalid, or where `reading.failure` was set.
   * Leaves `reading.raw` where the raw value differs.
   */
  read(reading: Reading): Value | undefined;
  /**
   * Moves on past the field as `read` does, and says whether that would succeed. Allocates nothing: bytes in which a
   * frame is searched are looked at again and again.
   */
  check(reading: Reading): boolean;
  /** @throws FieldError where the value cannot be carried. */
  write(writing: Writing, value: unknown): void;
  /** What a length or count that lies in another field must be for this value. */
  measure?(value: unknown): number;
}

/** Numbers for texts, by which conditions know the text of a field: those that no condition names have none. */
export type TextNumbers = Map<string, number>;

/** What fields can refer to. */
export interface Target {
  readonly slot: number;
  readonly declaration: FieldDeclaration;
  /** Numbers of the texts that it may have, for conditions. */
  readonly texts: TextNumbers;
}

/** A field further behind, at a distance that never changes. */
export interface Ahead {
  readonly declaration: FieldDeclaration;
  /** Its raw number, where `reading.at` is the end of the field that looks; NaN beyond the end. */
  peek(reading: Reading): number;
  /** Its raw number in the values that are written; NaN where it is not given. */
  written(writing: Writing): number;
}

/** Where a field stands while it is compiled. */
export interface Scope {
  readonly byteOrder: ByteOrder;
  readonly enums: Readonly<Record<string, EnumDeclaration>>;
  /** The longest payload, in bytes. */
  readonly limit: number;
  /** Names that some length, count or condition of the message refers to. */
  readonly referred: ReadonlySet<string>;
  /** Names that some checksum covers. */
  readonly covered: ReadonlySet<string>;
  /** Earlier fields of this structure and of those around it. */
  readonly targets: ReadonlyMap<string, Target>;
  /** Fields behind this one to which it may refer. */
  readonly ahead: ReadonlyMap<string, Ahead>;
  /** Marks of earlier fields that are covered. */
  readonly marks: ReadonlyMap<string, number>;
  /** Hands out numbers of slots and of marks. */
  readonly next: { slot: number; mark: number };
  /** How the text around is split into columns, one of which the field is; absent among bytes. */
  readonly columns?: Split | undefined;
  /** Columns behind a list without an end that may be missing. */
  readonly columnsBehind?: number | undefined;
  /** The separator within a number that takes the next column too, for its sign. */
  readonly joint?: string | undefined;
  /** Bytes behind the field up to the end of the payload, for what takes all the rest. */
  readonly tail: number;
  /** The slot in which a number keeps its raw value, and a text its number; -1 for none. */
  readonly slot: number;
  /** Numbers of the texts that conditions on the field name. */
  readonly texts?: TextNumbers | undefined;
  /** The bits of a number of so many bytes that are an id, where the field is that number. */
  readonly idBits?: ((bytes: number) => bigint) | undefined;
}
