import { z } from 'zod';
import { deferredDefaultOf } from './keys.ts';
import { fileShape } from './shape.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** JSON Schema (2020-12) of a YAML file, as an editor wants it. */
export function documentSchema(
  shape: z.ZodType,
  title: string,
  description: string,
): Readonly<Record<string, unknown>> {
  const { $schema, ...document } = inputSchema(shape);
  const { properties = {}, required = [] } = document;
  const keys = Object.entries(properties).map(([key, each]) => [
    key,
    required.includes(key) || typeof each === 'boolean' ? each : orNothing(each),
  ]);
  return { $schema, title, description, ...document, properties: Object.fromEntries(keys) };
}

/** JSON Schema of what is written, before anything is filled in or converted. */
export const inputSchema = (shape: z.ZodType): JsonSchema =>
  z.toJSONSchema(shape, {
    io: 'input',
    unrepresentable: 'any',
    // zod drops these of a key whose value is converted.
    override({ zodSchema, jsonSchema }) {
      const { examples, default: stated } = z.globalRegistry.get(zodSchema) ?? {};
      const byDefault = deferredDefaultOf(zodSchema) ?? stated;
      if (byDefault !== undefined) jsonSchema.default = byDefault as JsonSchema['default'];
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });

/** A key of the file with nothing behind it counts as absent, as when all its entries are comments. */
function orNothing(schema: JsonSchema): JsonSchema {
  const { type, enum: values, anyOf } = schema;
  if (values !== undefined) return { ...schema, enum: [...values, null] };
  // The type says one word, and JSON Schema knows lists of them.
  if (type !== undefined)
    return { ...schema, type: [type, 'null'] as unknown as NonNullable<JsonSchema['type']> };
  return anyOf === undefined ? schema : { ...schema, anyOf: [...anyOf, { type: 'null' }] };
}

/** JSON Schema (2020-12) of `devices.yaml`, for editors: completion, descriptions, and most of the checks. */
export function devicesJsonSchema(): Readonly<Record<string, unknown>> {
  return documentSchema(
    fileShape,
    'Heartwire devices.yaml',
    'Which devices Heartwire talks to, where it listens, and where it serves what it receives.',
  );
}

/** The schema as the file `schemas/devices.schema.json` holds it. */
export function devicesJsonSchemaText(): string {
  return `${JSON.stringify(devicesJsonSchema(), null, 2)}\n`;
}
