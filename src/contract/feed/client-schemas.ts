import {
  CLIENT_MESSAGE_TYPES,
  type ClientMessageType,
  clientMessageContract,
  payloadObject,
} from './client-messages.ts';
import { jsonSchemaOf, type Schema } from './json-schema.ts';
import { MAX_ID_LENGTH } from './parse-client-message.ts';

const ENVELOPE = {
  id: {
    type: 'string',
    minLength: 1,
    maxLength: MAX_ID_LENGTH,
    description: 'Names the message; comes back as `reply_to`.',
  },
  timestamp: { type: 'number', description: 'Milliseconds since the Unix epoch.' },
} as const satisfies Readonly<Record<string, Schema>>;

/** One message that a client may send. */
export interface ClientMessageSchema {
  readonly type: ClientMessageType;
  readonly summary: string;
  readonly schema: Schema;
}

/** Every message that a client may send: with its `payload`, or with the keys of the payload beside `type`. */
export function clientSchemas(): readonly ClientMessageSchema[] {
  return CLIENT_MESSAGE_TYPES.map((type) => {
    const object = payloadObject(type);
    const payload = object && jsonSchemaOf(object);
    const schema = { anyOf: [enveloped(type, payload ?? {}), flat(type, payload)] };
    return { type, summary: clientMessageContract(type).summary, schema };
  });
}

function enveloped(type: string, payload: Schema): Schema {
  return {
    type: 'object',
    properties: { type: { const: type }, ...ENVELOPE, payload },
    required: ['type', 'payload'],
    additionalProperties: false,
  };
}

function flat(type: string, payload: Schema | undefined): Schema {
  // What the envelope has a meaning for is the envelope's.
  const own = Object.entries(payload?.properties ?? {}).filter(([key]) => !Object.hasOwn(ENVELOPE, key));
  return {
    type: 'object',
    properties: {
      type: { const: type },
      ...ENVELOPE,
      ...Object.fromEntries(own),
      // Where everything else goes, this would be the other way to say it.
      ...(payload === undefined ? { payload: { not: {} } } : {}),
    },
    required: ['type', ...(payload?.required ?? [])],
    ...(payload?.oneOf === undefined ? {} : { oneOf: payload.oneOf }),
    additionalProperties: payload === undefined,
  };
}
