import type { PayloadOf } from '../../../feed/core/encoder.ts';
import { CLOSE_CODES } from '../close-code.ts';
import { FEED_ERROR_CODES } from '../feed-error.ts';
import type {
  ClientEntry,
  FeedLimits,
  ServerMessageType,
  SnapshotItem,
  UpdatePayload,
  Version,
} from '../server-messages.ts';
import {
  anyObject,
  anything,
  boolean,
  instant,
  integer,
  listOf,
  number,
  objectOf,
  oneOf,
  type Schema,
  string,
} from './schema.ts';

/** One message of the server; the table below has each of them. */
interface ServerSchema {
  readonly summary: string;
  readonly payload: Schema;
}

const REPLY_TO = string('The `id` of the message that this answers.');
const POSITION: Schema = {
  type: 'object',
  additionalProperties: integer(),
  description: 'How far the feed has been followed: the last `rev` by the `epoch` of its publisher.',
};
const VERSION = {
  topic: string(),
  epoch: string('One life of the bridge.'),
  rev: integer('Counts every change of the feed.'),
  seq: integer('Counts the changes of this topic.'),
};
const STATE = anyObject('The document as a whole. It holds no nulls: what is unknown is absent.');

const limits = objectOf<FeedLimits>({
  required: {
    max_message_bytes: integer(),
    messages_per_second: number(),
    message_burst: number(),
    max_patterns: integer(),
    auth_timeout_ms: number(),
    max_connections_per_address: integer(),
  },
  optional: {},
});

type Full = Extract<UpdatePayload, { readonly full: true }>;
type Patch = Extract<UpdatePayload, { readonly patch: unknown }>;
type Removal = Extract<UpdatePayload, { readonly removed: true }>;

const clientEntry = objectOf<ClientEntry>({
  required: {
    id: string(),
    address: string(),
    connected_at: instant(),
    last_activity: instant(),
    subscriptions: listOf(string()),
    backlog: integer('Bytes that wait for this client.'),
    bytes_sent: integer(),
    bytes_received: integer(),
  },
  optional: {},
});

/** The payload of every message of the server, held to its type by the compiler. */
export const SERVER_MESSAGES: Readonly<Record<ServerMessageType, ServerSchema>> = {
  welcome: {
    summary: 'The first message of every connection.',
    payload: objectOf<PayloadOf<'welcome'>>({
      required: {
        client_id: string(),
        session: string('A secret with which another connection can go on with this session.'),
        protocol: integer(),
        position: POSITION,
        auth: oneOf(['none', 'required', 'ok'], 'Whether a token is required, and whether one was shown.'),
        ping_interval_ms: number(),
        ping_timeout_ms: number(),
        limits,
      },
      optional: {},
    }),
  },
  snapshot: {
    summary: 'Present documents that were asked for, in as many parts as are needed.',
    payload: objectOf<PayloadOf<'snapshot'>>({
      required: {
        items: listOf(objectOf<SnapshotItem>({ required: { ...VERSION, state: STATE }, optional: {} })),
        removed: listOf(objectOf<Version>({ required: VERSION, optional: {} })),
      },
      optional: { reply_to: REPLY_TO },
    }),
  },
  synced: {
    summary: 'What was asked for is complete.',
    payload: objectOf<PayloadOf<'synced'>>({
      required: {
        mode: oneOf(['full', 'since']),
        topics: listOf(string()),
        position: POSITION,
      },
      optional: { reply_to: REPLY_TO },
    }),
  },
  update: {
    summary: 'A document changed: by a merge patch (RFC 7396), as a whole, or it is gone.',
    payload: {
      anyOf: [
        objectOf<Patch>({
          required: {
            ...VERSION,
            prev: integer('The `seq` to which the patch applies.'),
            patch: anyObject('RFC 7396: `null` deletes a key.'),
          },
          optional: {},
        }),
        objectOf<Full>({ required: { ...VERSION, full: { const: true }, state: STATE }, optional: {} }),
        objectOf<Removal>({ required: { ...VERSION, removed: { const: true } }, optional: {} }),
      ],
    },
  },
  event: {
    summary: 'Something happened.',
    payload: objectOf<PayloadOf<'event'>>({ required: { ...VERSION, data: anyObject() }, optional: {} }),
  },
  broadcast: {
    summary: "One client's word to all.",
    payload: objectOf<PayloadOf<'broadcast'>>({
      required: { ...VERSION, from: string('The id of the client.'), data: anything() },
      optional: {},
    }),
  },
  gap: {
    summary: 'Events that will not come.',
    payload: objectOf<PayloadOf<'gap'>>({
      required: {
        topic: string(),
        epoch: string(),
        from_seq: integer(),
        to_seq: integer(),
        reason: oneOf(['slow_consumer', 'unacked', 'expired']),
      },
      optional: {},
    }),
  },
  position: {
    summary: 'Everything up to here has been sent.',
    payload: objectOf<PayloadOf<'position'>>({ required: { position: POSITION }, optional: {} }),
  },
  response: {
    summary: 'A message of the client was carried out.',
    payload: objectOf<PayloadOf<'response'>>({
      required: { result: anyObject() },
      optional: { reply_to: REPLY_TO },
    }),
  },
  broadcast_ack: {
    summary: 'A broadcast went out.',
    payload: objectOf<PayloadOf<'broadcast_ack'>>({
      required: { recipients: integer() },
      optional: { reply_to: REPLY_TO },
    }),
  },
  echo: {
    summary: 'What the client sent.',
    payload: objectOf<PayloadOf<'echo'>>({
      required: { data: anything() },
      optional: { reply_to: REPLY_TO },
    }),
  },
  clients_list: {
    summary: 'Who is connected.',
    payload: objectOf<PayloadOf<'clients_list'>>({
      required: { clients: listOf(clientEntry), count: integer() },
      optional: { reply_to: REPLY_TO },
    }),
  },
  ping: {
    summary: 'Asks for a sign of life.',
    payload: objectOf<PayloadOf<'ping'>>({ required: { server_time: instant() }, optional: {} }),
  },
  pong: {
    summary: 'Answers a `ping`.',
    payload: objectOf<PayloadOf<'pong'>>({
      required: {},
      optional: { reply_to: REPLY_TO, timestamp: number('As the `ping` carried it.') },
    }),
  },
  error: {
    summary: 'A message of the client was not carried out.',
    payload: objectOf<PayloadOf<'error'>>({
      required: {
        code: {
          anyOf: [
            { enum: FEED_ERROR_CODES, description: 'Of the feed itself.' },
            string('Of a command, a code of the bridge. All are explained in docs/errors.md.'),
          ],
        },
        message: string('For people.'),
        retry: boolean('The same message may succeed later.'),
      },
      optional: { reply_to: REPLY_TO, received_type: string() },
    }),
  },
  closing: {
    summary: 'The connection is about to end, and this is why.',
    payload: objectOf<PayloadOf<'closing'>>({
      required: {
        code: oneOf(Object.values(CLOSE_CODES), 'The code with which a WebSocket is closed.'),
        reason: oneOf([...Object.keys(CLOSE_CODES), 'too_busy']),
        reconnect: boolean('Whether to come back.'),
      },
      optional: { retry_after_ms: number('Not before so long.') },
    }),
  },
};

/** A message of the server as a whole. */
export function serverMessageSchema(type: ServerMessageType): Schema {
  const acked = ['event', 'broadcast', 'response', 'error'].includes(type);
  const ack = { ack_required: { const: true, description: 'Send the `id` back in an `ack`.' } };
  return {
    type: 'object',
    properties: {
      type: { const: type },
      id: string(),
      timestamp: instant(),
      ...(acked ? ack : {}),
      payload: SERVER_MESSAGES[type].payload,
    },
    required: ['type', 'id', 'timestamp', 'payload'],
  };
}
