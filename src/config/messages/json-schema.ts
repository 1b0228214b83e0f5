import { documentSchema } from '../json-schema.ts';
import { editorShape } from './shape.ts';

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
  return `${JSON.stringify(messagesJsonSchema(), null, 2)}\n`;
}
