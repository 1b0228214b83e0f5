import { z } from 'zod';
import { fileShape } from './shape.ts';

/** JSON Schema (2020-12) of `devices.yaml`, for editors: completion, descriptions, and most of the checks. */
export function devicesJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(fileShape, { io: 'input', unrepresentable: 'any' });
  return {
    $schema,
    title: 'Heartwire devices.yaml',
    description: 'Which devices Heartwire talks to, where it listens, and where it serves what it hears.',
    ...rest,
  };
}

/** The schema as the file `schemas/devices.schema.json` holds it. */
export function devicesJsonSchemaText(): string {
  return `${JSON.stringify(devicesJsonSchema(), null, 2)}\n`;
}
