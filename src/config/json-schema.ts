import { documentSchema } from './document-schema.ts';
import { fileShape } from './shape.ts';

/** JSON Schema (2020-12) of `devices.yaml`, for editors: completion, descriptions, and most of the checks. */
export function devicesJsonSchema(): Readonly<Record<string, unknown>> {
  return documentSchema(
    fileShape,
    'Heartwire devices.yaml',
    'Which devices Heartwire talks to, where it listens, and where it serves what it hears.',
  );
}

/** The schema as the file `schemas/devices.schema.json` holds it. */
export function devicesJsonSchemaText(): string {
  return `${JSON.stringify(devicesJsonSchema(), null, 2)}\n`;
}
