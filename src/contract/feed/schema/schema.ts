import type { Json } from '../json.ts';

/** The part of JSON Schema (draft 7, as AsyncAPI takes it) that says what goes over the feed. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: SchemaType | readonly SchemaType[];
  readonly description?: string;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly properties?: { readonly [key: string]: Schema };
  readonly required?: readonly string[];
  /** Left out where further keys may come one day; `false` where they are an error. */
  readonly additionalProperties?: boolean | Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly anyOf?: readonly Schema[];
  readonly not?: Schema;
  readonly examples?: readonly Json[];
}

export type SchemaType = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];

/** A schema for every key of a type, those that may be absent by themselves; the compiler wants each of them. */
export type Properties<T> = {
  readonly required: { readonly [K in Exclude<keyof T, OptionalKeys<T>>]: Schema };
  readonly optional: { readonly [K in OptionalKeys<T>]: Schema };
};

/** The schema of an object of ours, held to its type by the compiler. */
export function objectOf<T>({ required, optional }: Properties<T>, description?: string): Schema {
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    required: Object.keys(required),
    properties: { ...required, ...optional },
  };
}

export const string = (description?: string): Schema => described({ type: 'string' }, description);
export const number = (description?: string): Schema => described({ type: 'number' }, description);
export const boolean = (description?: string): Schema => described({ type: 'boolean' }, description);
export const integer = (description?: string): Schema =>
  described({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, description);
export const listOf = (items: Schema, description?: string): Schema =>
  described({ type: 'array', items }, description);
export const oneOf = (values: readonly (string | number)[], description?: string): Schema =>
  described({ enum: values }, description);
export const anyObject = (description?: string): Schema => described({ type: 'object' }, description);
export const anything = (description?: string): Schema => described({}, description);
/** An instant on the wire. */
export const instant = (description = 'Milliseconds since the Unix epoch.'): Schema => number(description);

function described(schema: Schema, description: string | undefined): Schema {
  return description === undefined ? schema : { ...schema, description };
}
