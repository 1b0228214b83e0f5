import { z } from 'zod';
import { editorShape } from './shape.ts';

/** JSON Schema (2020-12) of `messages.yaml`, for editors: completion, descriptions, and most of the checks. */
export function messagesJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(editorShape, { io: 'input', unrepresentable: 'any' });
  return {
    $schema,
    title: 'Heartwire messages.yaml',
    description: 'The messages that devices speak, field by field.',
    ...rest,
  };
}

/** The schema as the file `schemas/messages.schema.json` holds it. */
export function messagesJsonSchemaText(): string {
  return `${JSON.stringify(messagesJsonSchema(), null, 2)}\n`;
}
