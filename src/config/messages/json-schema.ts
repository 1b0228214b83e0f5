import { documentSchema } from '../json-schema.ts';
import { editorShape, mapShape } from './shape.ts';

/** JSON Schema (2020-12) of `messages.yaml`, for editors: completion, descriptions, and most of the checks. */
export function messagesJsonSchema(): Readonly<Record<string, unknown>> {
  return documentSchema(
    editorShape,
    'Heartwire messages.yaml',
    'The messages that devices speak, field by field.',
  );
}

/** The schema as the file `schemas/messages.schema.json` holds it. */
export function messagesJsonSchemaText(): string {
  // On one line: indented, it would be the largest file of the package by far.
  return `${JSON.stringify(messagesJsonSchema())}\n`;
}

/** JSON Schema of a map of Modbus registers. */
export function registersJsonSchema(): Readonly<Record<string, unknown>> {
  return documentSchema(
    mapShape,
    'Heartwire register map',
    'The registers of a Modbus device, which are compiled to messages.',
  );
}

/** The schema as the file `schemas/registers.schema.json` holds it. */
export function registersJsonSchemaText(): string {
  return `${JSON.stringify(registersJsonSchema())}\n`;
}
