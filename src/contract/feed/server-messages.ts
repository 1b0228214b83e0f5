import { z } from 'zod';
import { CLOSE_CODES } from '../wire/index.ts';
import { FEED_ERROR_CODES } from './feed-error.ts';
import { count, instant, json, jsonObject, list, position } from './field-types.ts';
import { jsonSchemaOf, type Schema } from './json-schema.ts';

/** The version of the protocol, as announced in `welcome`. */
export const PROTOCOL_VERSION = 1;

const replyTo = z
  .string()
  .meta({ description: 'The `id` of the message that this answers.' })
  .exactOptional();
const followed = () =>
  position('How far the feed has been followed: the last `rev` by the `epoch` of its publisher.');

/** Names one version of one topic. */
const version = {
  topic: z.string(),
  epoch: z.string().meta({ description: 'One life of the bridge.' }),
  rev: count('Counts every change of the feed.'),
  seq: count('Counts the changes of this topic.'),
};
const state = jsonObject('The document as a whole. It holds no nulls: what is unknown is absent.');

const limits = z.object({
  max_message_bytes: count(),
  messages_per_second: z.number(),
  message_burst: z.number(),
  max_patterns: count(),
  auth_timeout_ms: z.number().meta({
    description: 'How long a connection may go without a token where one is required.',
  }),
  max_connections_per_address: count("Of one address that is not the bridge's own machine."),
});

const clientEntry = z.object({
  id: z.string(),
  address: z.string(),
  user: z
    .string()
    .meta({ description: 'The `subject` of its token; absent where none was needed.' })
    .exactOptional(),
  instance: z
    .string()
    .meta({ description: 'The instance to which it is connected; absent where there is one only.' })
    .exactOptional(),
  connected_at: instant(),
  last_activity: instant(),
  subscriptions: list(z.string()),
  backlog: count('Bytes that wait for this client.'),
  bytes_sent: count(),
  bytes_received: count(),
});

const snapshotItem = z.object({ ...version, state });
const topicVersion = z.object(version);

const updates = [
  z.object({
    ...version,
    prev: count('The `seq` to which the patch applies.'),
    patch: jsonObject('RFC 7396: `null` deletes a key.'),
  }),
  z.object({ ...version, full: z.literal(true), state }),
  z.object({ ...version, removed: z.literal(true) }),
] as const;

/** `Object.keys` with the type of its table, which has no other keys. */
const CLOSE_REASONS = Object.keys(CLOSE_CODES) as (keyof typeof CLOSE_CODES)[];

/** One type of message: what it is for, what it holds, and how docs/reference/feed.md lists it. */
interface ServerMessageContract {
  readonly summary: string;
  readonly payload: z.ZodType;
  /** It may carry `ack_required`. */
  readonly acked?: true;
  /** A row in the table of what comes unasked; absent: it stands beside the message that it answers. */
  readonly keysText?: string;
}

const table = <const T extends Readonly<Record<string, ServerMessageContract>>>(messages: T): T => messages;

/** Every message of the server. */
export const SERVER_MESSAGES = table({
  welcome: {
    summary: 'The first message of every connection.',
    keysText:
      '`client_id`, `session` (a secret, to [resume](#acknowledgements-and-sessions) with), `protocol`, `position`, `auth`, `ping_interval_ms`, `ping_timeout_ms`, `limits`; first, and by itself',
    payload: z.object({
      client_id: z.string(),
      session: z
        .string()
        .meta({ description: 'A secret with which another connection can go on with this session.' }),
      protocol: count(),
      position: followed(),
      auth: z
        .enum(['none', 'required', 'ok'])
        .meta({ description: 'Whether a token is required, and whether one was shown.' }),
      ping_interval_ms: z.number(),
      ping_timeout_ms: z.number(),
      limits,
    }),
  },
  snapshot: {
    summary: 'Present documents that were asked for, in as many parts as are needed.',
    keysText:
      '`reply_to`, `items` (each `topic`, `epoch`, `rev`, `seq`, `state`), `removed`; in as many parts as are needed',
    payload: z.object({ reply_to: replyTo, items: list(snapshotItem), removed: list(topicVersion) }),
  },
  synced: {
    summary: 'What was asked for is complete.',
    keysText: '`reply_to`, `mode` (`full` or `since`), `topics`, `position`: what was asked for is complete',
    payload: z.object({
      reply_to: replyTo,
      mode: z.enum(['full', 'since']).meta({
        description: '`since`: everything that changed since the position that was given has been said.',
      }),
      topics: list(z.string()),
      position: followed(),
    }),
  },
  update: {
    summary: 'A document changed: by a merge patch (RFC 7396), as a whole, or it is gone.',
    keysText: '`topic`, `epoch`, `rev`, `seq`, and `prev` with `patch`, or `full` with `state`, or `removed`',
    payload: z.union(updates),
  },
  event: {
    summary: 'Something happened.',
    keysText:
      '`topic`, `epoch`, `rev`, `seq`, `data`; beside the payload `ack_required: true` where it is to be acknowledged',
    acked: true,
    payload: z.object({ ...version, data: jsonObject() }),
  },
  broadcast: {
    summary: "One client's word to all.",
    keysText:
      "`topic` (`broadcast/all`), `epoch`, `rev`, `seq`, `from`, `data`: one client's word to all, whatever they subscribed to",
    acked: true,
    payload: z.object({
      ...version,
      from: z.string().meta({ description: 'The id of the client.' }),
      data: json(),
    }),
  },
  gap: {
    summary: 'Events that will not come.',
    keysText:
      '`topic`, `epoch`, `from_seq`, `to_seq`, `reason`: events of this topic that will not come, because this client was too slow (`slow_consumer`), never acknowledged them (`unacked`), was away for too long (`expired`), or because they were lost on the way between instances (`lost`)',
    payload: z.object({
      topic: z.string(),
      epoch: z.string(),
      from_seq: count(),
      to_seq: count(),
      reason: z.enum(['slow_consumer', 'unacked', 'expired', 'lost']),
    }),
  },
  position: {
    summary: 'Everything up to here has been sent.',
    keysText: '`position`: everything up to here has been sent; at most once a second',
    payload: z.object({ position: followed() }),
  },
  response: {
    summary: 'A message of the client was carried out.',
    acked: true,
    payload: z.object({ reply_to: replyTo, result: jsonObject() }),
  },
  broadcast_ack: {
    summary: 'A broadcast went out.',
    payload: z.object({ reply_to: replyTo, recipients: count() }),
  },
  echo: { summary: 'What the client sent.', payload: z.object({ reply_to: replyTo, data: json() }) },
  clients_list: {
    summary: 'Who is connected.',
    payload: z.object({
      reply_to: replyTo,
      clients: list(clientEntry),
      count: count('All that are known of, those included that are not listed.'),
      unreached: list(
        z.string(),
        'Instances that did not answer: their clients are missing.',
      ).exactOptional(),
    }),
  },
  ping: { summary: 'Asks for a sign of life.', payload: z.object({ server_time: instant() }) },
  pong: {
    summary: 'Answers a `ping`.',
    payload: z.object({
      reply_to: replyTo,
      timestamp: z.number().meta({ description: 'As the `ping` carried it.' }).exactOptional(),
    }),
  },
  error: {
    summary: 'A message of the client was not carried out.',
    acked: true,
    payload: z.object({
      reply_to: replyTo,
      code: z.string().meta({
        description: `Of the feed itself: ${Object.keys(FEED_ERROR_CODES).join(', ')}. Of a command, a code of the bridge. All are explained in docs/reference/errors.md.`,
      }),
      message: z.string().meta({ description: 'For people.' }),
      retry: z.boolean().meta({ description: 'The same message may succeed later.' }),
      received_type: z.string().exactOptional(),
    }),
  },
  closing: {
    summary: 'The connection is about to end, and this is why.',
    keysText: '`code`, `reason`, `reconnect`, `retry_after_ms`: why the connection is about to end',
    payload: z.object({
      code: z
        .literal(Object.values(CLOSE_CODES).map(({ code }) => code))
        .meta({ description: 'The code with which a WebSocket is closed.' }),
      reason: z.literal([...CLOSE_REASONS, 'too_busy']),
      reconnect: z.boolean().meta({ description: 'Whether to come back.' }),
      retry_after_ms: z.number().meta({ description: 'Not before so long.' }).exactOptional(),
    }),
  },
});

type Table = typeof SERVER_MESSAGES;
export type ServerMessageType = keyof Table;

/** The payload of one type of message. */
export type PayloadOf<T extends ServerMessageType> = Readonly<z.output<Table[T]['payload']>>;

export type ServerMessage = {
  [T in ServerMessageType]: {
    readonly type: T;
    readonly id: string;
    /** ms since the Unix epoch. */
    readonly timestamp: number;
    /** The `id` is to be sent back in an `ack`. */
    readonly ack_required?: true;
    readonly payload: PayloadOf<T>;
  };
}[ServerMessageType];

export type FeedLimits = Readonly<z.output<typeof limits>>;
export type Version = Readonly<z.output<typeof topicVersion>>;
export type SnapshotItem = Readonly<z.output<typeof snapshotItem>>;
export type UpdatePayload = PayloadOf<'update'>;
export type ClientEntry = Readonly<z.output<typeof clientEntry>>;
/** The payload of an `error`. */
export type FeedError = PayloadOf<'error'>;

export const SERVER_MESSAGE_TYPES = Object.keys(SERVER_MESSAGES).filter(isServerMessageType);

export function isServerMessageType(type: string): type is ServerMessageType {
  return Object.hasOwn(SERVER_MESSAGES, type);
}

/** What one type of message is, without what only its own payload knows. */
export const serverMessageContract = (type: ServerMessageType): ServerMessageContract =>
  SERVER_MESSAGES[type];

/** A message of the server as a whole. */
export function serverMessageSchema(type: ServerMessageType): Schema {
  const { acked, payload } = serverMessageContract(type);
  const ack = { ack_required: { const: true, description: 'Send the `id` back in an `ack`.' } };
  return {
    type: 'object',
    properties: {
      type: { const: type },
      id: { type: 'string' },
      timestamp: { type: 'number', description: 'Milliseconds since the Unix epoch.' },
      ...(acked ? ack : {}),
      payload: jsonSchemaOf(payload),
    },
    required: ['type', 'id', 'timestamp', 'payload'],
  };
}
