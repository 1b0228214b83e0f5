import type { ClientRequest } from '../client-message.ts';
import { MAX_LEVELS, MAX_TOPIC_LENGTH } from '../topic.ts';
import {
  anyObject,
  anything,
  boolean,
  listOf,
  number,
  type Schema,
  type SchemaType,
  string,
} from './schema.ts';

const LEVEL = '[^/+#\\u0000-\\u001f\\u007f]+';
const further = (level: string, most: number) => `(?:${level}/){0,${most}}`;

/** A topic without wildcards. */
const TOPIC: Schema = {
  type: 'string',
  maxLength: MAX_TOPIC_LENGTH,
  pattern: `^${further(LEVEL, MAX_LEVELS - 1)}${LEVEL}$`,
  description: `Up to ${MAX_LEVELS} levels with \`/\` between them.`,
};
const PATTERN: Schema = {
  type: 'string',
  maxLength: MAX_TOPIC_LENGTH,
  pattern: `^${further(`(?:\\+|${LEVEL})`, MAX_LEVELS - 1)}(?:\\+|#|${LEVEL})$`,
  description: 'A topic in which `+` stands for one level, and `#`, as the last one, for the rest.',
};
const some = (items: Schema): Schema => ({ type: 'array', items, minItems: 1 });
const filled = (description: string): Schema => ({ type: 'string', minLength: 1, description });

/** What one type of message holds. */
interface ClientSchema {
  readonly summary: string;
  /** The keys of the payload; absent where it may be anything. */
  readonly keys?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const CLIENT: Readonly<Record<ClientRequest['type'], ClientSchema>> = {
  auth: {
    summary: 'Shows a token; the first message where one is required and none came with the handshake.',
    keys: { token: { type: 'string', minLength: 1, maxLength: 16_384 } },
    required: ['token'],
  },
  subscribe: {
    summary: 'Asks for the present documents of topics, and for all that happens from then on.',
    keys: {
      topics: { ...some(PATTERN), description: 'With those that there are, at most `limits.max_patterns`.' },
      json_ping: boolean('JSON pings are wanted beside those of the protocol.'),
      ack: boolean('Events are acknowledged, and sent again until they are.'),
      max_hz: { type: 'number', minimum: 0.01, maximum: 1_000, description: 'Documents at most so often.' },
      since: {
        type: 'object',
        maxProperties: 64,
        additionalProperties: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
        description: 'The last position that was told, to get only what changed since.',
      },
    },
    required: ['topics'],
  },
  unsubscribe: {
    summary: 'Gives up patterns, as they were subscribed to.',
    keys: { topics: some(PATTERN) },
    required: ['topics'],
  },
  resync: {
    summary: 'Asks for the present documents of topics of which something was missed.',
    keys: { topics: { ...some(TOPIC), maxItems: 256 } },
    required: ['topics'],
  },
  ping: {
    summary: 'Asks for a `pong` that carries the same `timestamp`.',
    keys: { timestamp: ofTypes('number', 'null') },
  },
  pong: {
    summary: 'Answers a `ping` of the server.',
    keys: { timestamp: anything(), server_time: anything(), reply_to: anything() },
  },
  echo: { summary: 'Comes back as it is.' },
  get_clients: { summary: 'Asks who is connected.', keys: {} },
  broadcast: {
    summary: 'Tells something to every client.',
    keys: { data: anything('Any JSON.') },
    required: ['data'],
  },
  command: {
    summary: 'Sends a message to a device, and waits for its answer.',
    keys: {
      device: filled('The id of the device.'),
      message: filled('The name of the message.'),
      fields: anyObject('Its fields.'),
      timeout_ms: { type: 'number', minimum: 1, maximum: 600_000 },
      ack: boolean('The outcome is to be acknowledged, and told again until it is.'),
    },
    required: ['device', 'message'],
  },
  ack: {
    summary: 'Acknowledges events by their ids.',
    keys: { ids: { ...listOf(string()), maxItems: 256 } },
    required: ['ids'],
  },
  resume: {
    summary: 'Goes on with the session of an earlier connection.',
    keys: { session: filled('The secret that a `welcome` gave.') },
    required: ['session'],
  },
  kick: {
    summary: 'Closes the connection of another client.',
    keys: { client_id: filled('As `get_clients` lists it.') },
    required: ['client_id'],
  },
};

const ENVELOPE = {
  id: {
    type: 'string',
    minLength: 1,
    maxLength: 128,
    description: 'Names the message; comes back as `reply_to`.',
  },
  timestamp: number('Milliseconds since the Unix epoch.'),
} as const satisfies Readonly<Record<string, Schema>>;

/** One message that a client may send. */
export interface ClientMessageSchema {
  readonly type: ClientRequest['type'];
  readonly summary: string;
  readonly schema: Schema;
}

/** Every message that a client may send: with its `payload`, or with the keys of the payload beside `type`. */
export const CLIENT_MESSAGES: readonly ClientMessageSchema[] = entries(CLIENT).map(([type, each]) => ({
  type,
  summary: each.summary,
  schema: { anyOf: [enveloped(type, each), flat(type, each)] },
}));

function enveloped(type: string, { keys, required = [] }: ClientSchema): Schema {
  const payload: Schema =
    keys === undefined ? {} : { type: 'object', properties: keys, required, additionalProperties: false };
  return {
    type: 'object',
    properties: { type: { const: type }, ...ENVELOPE, payload },
    required: ['type', 'payload'],
    additionalProperties: false,
  };
}

function flat(type: string, { keys, required = [] }: ClientSchema): Schema {
  // What the envelope has a meaning for is the envelope's.
  const own = Object.entries(keys ?? {}).filter(([key]) => !Object.hasOwn(ENVELOPE, key));
  return {
    type: 'object',
    properties: {
      type: { const: type },
      ...ENVELOPE,
      ...Object.fromEntries(own),
      // Where everything else goes, this would be the other way to say it.
      ...(keys === undefined ? { payload: { not: {} } } : {}),
    },
    required: ['type', ...required],
    additionalProperties: keys === undefined,
  };
}

function ofTypes(...type: readonly SchemaType[]): Schema {
  return { type };
}

/** `Object.entries` with the keys that the type of a table of ours says; it has no others. */
function entries<K extends string, V>(table: Readonly<Record<K, V>>): (readonly [K, V])[] {
  return (Object.keys(table) as K[]).map((key) => [key, table[key]]);
}
