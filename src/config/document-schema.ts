import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** JSON Schema (2020-12) of a YAML file, as an editor wants it. */
export function documentSchema(
  shape: z.ZodType,
  title: string,
  description: string,
): Readonly<Record<string, unknown>> {
  const { $schema, ...document } = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' });
  const { properties = {}, required = [] } = document;
  const keys = Object.entries(properties).map(([key, each]) => [
    key,
    required.includes(key) || typeof each === 'boolean' ? each : orNothing(each),
  ]);
  return { $schema, title, description, ...document, properties: Object.fromEntries(keys) };
}

/** A key of the file with nothing behind it counts as absent, as when all its entries are comments. */
function orNothing(schema: JsonSchema): JsonSchema {
  const { type, enum: values, anyOf } = schema;
  if (values !== undefined) return { ...schema, enum: [...values, null] };
  // The type says one word, and JSON Schema knows lists of them.
  if (type !== undefined)
    return { ...schema, type: [type, 'null'] as unknown as NonNullable<JsonSchema['type']> };
  return anyOf === undefined ? schema : { ...schema, anyOf: [...anyOf, { type: 'null' }] };
}
