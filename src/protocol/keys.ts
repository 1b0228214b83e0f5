import type { ChecksumAlgorithm } from './crc/parameters.ts';

/** Fixed bytes; -1 in an `Int16Array` stands for any byte. */
export type SyncWord = Uint8Array | Int16Array;

/**
 * Keys of `messages.yaml` as data. The types of the declarations are made from these tables here; the checks, the
 * JSON Schema, the tables of the documents and the conversion of a file are made from them in `config/messages`.
 */
export type KeyTable = Readonly<Record<string, Key>>;

export type Key = KeyMeta & KeyKind;

interface KeyMeta {
  readonly description?: string;
  readonly examples?: readonly unknown[];
  /** What is used where the key is left out. */
  readonly default?: unknown;
  readonly required?: true;
}

type KeyKind =
  /** Whole, unless `fraction`. */
  | {
      readonly kind: 'number';
      readonly least: number;
      readonly greatest: number;
      readonly fraction?: true;
    }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'flag' }
  /** A text whose meaning is checked with the rest of the declaration. */
  | { readonly kind: 'word'; readonly what: string; readonly example: string }
  /** A number, or a text: numbers beyond 2^53 stand in quotes. */
  | { readonly kind: 'constant'; readonly what: string; readonly type: 'integer' | 'number' }
  /** The same, or a list of them. */
  | { readonly kind: 'constants'; readonly what: string; readonly type: 'integer' | 'number' }
  /** Bounds in ms; declared in ms, as `forMs` of `for`. */
  | { readonly kind: 'duration'; readonly least: number; readonly greatest: number }
  /** A text stands for its UTF-8 bytes, a number for one byte, a list of numbers for several. */
  | { readonly kind: 'bytes' }
  /** The same, or a list of several of them, of which any will do. */
  | { readonly kind: 'byte words' }
  /** The same; `any` in a list stands for whatever byte is there. */
  | { readonly kind: 'sync words' }
  /** Left out, it is the byte order of the protocol. */
  | { readonly kind: 'byte order' }
  /** `u16`, `u24` and `u32` take the byte order of the protocol. */
  | { readonly kind: 'length type'; readonly values: readonly string[] }
  /** Whole numbers by id, of messages for example. */
  | { readonly kind: 'numbers'; readonly least: number; readonly greatest: number }
  /** The name of a checksum, or its parameters. */
  | { readonly kind: 'checksum' }
  | { readonly kind: 'extent'; readonly what: string }
  | {
      readonly kind:
        | 'range'
        | 'margin'
        | 'scale'
        | 'enum'
        | 'names'
        | 'bit range'
        | 'condition value'
        | 'confirms';
    }
  | { readonly kind: 'reply' | 'requests' | 'field' | 'fields' | 'cases' | 'tags' | 'message id' }
  /** Names of fields, each to itself or to another; values by name. */
  | { readonly kind: 'copy' | 'values' }
  | { readonly kind: 'group'; readonly keys: KeyTable }
  | { readonly kind: 'groups'; readonly keys: KeyTable }
  /** One group, or a list of them; declared as a list. */
  | { readonly kind: 'logins'; readonly keys: KeyTable }
  | { readonly kind: 'words'; readonly of: Extract<KeyKind, { kind: 'word' }> & KeyMeta };

/** What the keys of a table declare: `max_frame` of the file is `maxFrame`. `V` has the values of further kinds. */
export type Declared<T extends KeyTable, V = unknown> = Readonly<
  { [K in RequiredKey<T> as NameOf<K, T[K]>]: Value<T[K], V> } & {
    [K in Exclude<keyof T & string, RequiredKey<T>> as NameOf<K, T[K]>]?: Value<T[K], V> | undefined;
  }
>;

type RequiredKey<T extends KeyTable> = {
  [K in keyof T & string]: T[K] extends { readonly required: true } ? K : never;
}[keyof T & string];

type NameOf<K extends string, T extends Key> = T extends { readonly kind: 'duration' }
  ? `${Camel<K>}Ms`
  : Camel<K>;

type Camel<K extends string> = K extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : K;

type Value<K extends Key, V> = K extends {
  readonly kind: 'choice' | 'length type';
  readonly values: readonly (infer W)[];
}
  ? W
  : K extends { readonly kind: 'groups'; readonly keys: infer G extends KeyTable }
    ? readonly Declared<G, V>[]
    : K extends { readonly kind: 'group'; readonly keys: infer G extends KeyTable }
      ? Declared<G, V>
      : K extends { readonly kind: infer N extends keyof Values }
        ? Values[N]
        : K extends { readonly kind: infer N extends keyof V }
          ? V[N]
          : never;

interface Values {
  readonly number: number;
  readonly flag: boolean;
  readonly duration: number;
  readonly word: string;
  readonly words: readonly string[];
  readonly constant: number | string;
  readonly bytes: Uint8Array;
  readonly 'byte words': Uint8Array | readonly Uint8Array[];
  readonly 'sync words': SyncWord | readonly SyncWord[];
  readonly 'byte order': 'big' | 'little';
  readonly checksum: ChecksumAlgorithm;
  readonly numbers: Readonly<Record<string, number>>;
}
