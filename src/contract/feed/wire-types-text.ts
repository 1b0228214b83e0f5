import type { Schema } from './json-schema.ts';
import { SERVER_MESSAGE_TYPES, serverMessageContract, serverMessageSchema } from './server-messages.ts';
import { TOPICS } from './topic-documents.ts';

/** The documents of topics that have a type of their own. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  deviceState: 'StateDocument',
  declaration: 'DeclarationDocument',
};

/** A type that `npm run generate` writes for the client, whose declarations are to need nothing but TypeScript. */
export function wireTypesText(): string {
  const documents = TOPICS.flatMap(({ name, document }) => {
    const type = DOCUMENTS[name];
    return type === undefined ? [] : [`export type ${type} = ${typeText(document())};`];
  });
  const payloads = SERVER_MESSAGE_TYPES.map((type) => {
    const payload = serverMessageSchema(type).properties?.payload ?? {};
    const ack = serverMessageContract(type).acked ? 'readonly ack_required?: true; ' : '';
    return `  | { readonly type: '${type}'; readonly id: string; readonly timestamp: number; ${ack}readonly payload: ${typeText(payload)} }`;
  });
  return [
    '// Written by `npm run generate` from the contracts beside it.',
    "import type { Json, JsonObject } from './json.ts';",
    '',
    ...documents,
    `export type ServerMessage =\n${payloads.join('\n')};`,
    'type PayloadOf<Type extends ServerMessage["type"]> = Extract<ServerMessage, { readonly type: Type }>["payload"];',
    'export type UpdatePayload = PayloadOf<"update">;',
    'export type SnapshotItem = PayloadOf<"snapshot">["items"][number];',
    'export type ClientEntry = PayloadOf<"clients_list">["clients"][number];',
    '',
  ].join('\n');
}

function typeText(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((each) => JSON.stringify(each)).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
      return schema.type;
    case 'number':
    case 'integer':
      return 'number';
    case 'array':
      return `readonly (${typeText(schema.items ?? {})})[]`;
    case 'object':
      return objectText(schema);
    default:
      return 'Json';
  }
}

function objectText({ properties, required = [], additionalProperties }: Schema): string {
  if (properties === undefined) {
    return typeof additionalProperties === 'object'
      ? `Readonly<Record<string, ${typeText(additionalProperties)}>>`
      : 'JsonObject';
  }
  const members = Object.entries(properties).map(
    ([key, value]) => `readonly ${key}${required.includes(key) ? '' : '?'}: ${typeText(value)}`,
  );
  return `{ ${members.join('; ')} }`;
}
