import { z } from 'zod';

/** The part of JSON Schema (draft 7, as AsyncAPI takes it) that the contracts are written in. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: SchemaType | readonly SchemaType[];
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: { readonly [key: string]: Schema };
  readonly required?: readonly string[];
  /** Absent where further keys may come one day; `false` where they are an error. */
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
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly examples?: readonly unknown[];
}

type SchemaType = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

/** What zod adds that says nothing to a reader of the schema. */
const OMITTED = ['$schema', 'readOnly', 'propertyNames', 'default'] as const;

/** The JSON Schema of a contract: of what is written, before defaults are filled in. */
export function jsonSchemaOf(type: z.ZodType): Schema {
  const schema = z.toJSONSchema(type, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      for (const key of OMITTED) delete jsonSchema[key];
    },
  });
  delete schema.$schema;
  // zod's type of a schema is wider than what our contracts use of it.
  return schema as Schema;
}
