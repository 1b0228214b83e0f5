import { z } from 'zod';
import type { Role } from '../role.ts';
import type { Json } from '../wire/index.ts';
import { filledText, flag, json, jsonObject, patterns, topics } from './field-types.ts';
import type { ServerMessageType } from './server-messages.ts';

/** Topics whose documents one `resync` may ask for. */
const MAX_RESYNC = 256;
const MAX_TIMEOUT_MS = 600_000;
/** How long a command waits for its answer where it does not say. */
export const COMMAND_TIMEOUT_MS = 5_000;
const MAX_ACKS = 256;
const MAX_EPOCHS = 64;
const MAX_TOKEN_LENGTH = 16 * 1024;
const LOWEST_HZ = 0.01;
const HIGHEST_HZ = 1_000;

const BAD_TOKEN = `"token" must be the token, a string of at most ${MAX_TOKEN_LENGTH} characters.`;
const BAD_HZ = `"max_hz" must be a number from ${LOWEST_HZ} to ${HIGHEST_HZ}.`;
const BAD_SINCE = '"since" must be a position: {"<epoch>": <rev>}, as "synced" and "position" tell it.';
const BAD_TIMEOUT = `"timeout_ms" must be a number from 1 to ${MAX_TIMEOUT_MS}.`;
const MAX_LINES_LENGTH = 16 * 1024;
const BAD_LINES = `"lines" must be the YAML of one entry, at most ${MAX_LINES_LENGTH} characters.`;
const BAD_SECTION = '"section" must be "devices" or "listeners".';
const BAD_BASE = '"base" must be what the answer with "dry_run" gave; without "dry_run" it is needed.';
const BAD_IDS = `"ids" must be a list of at most ${MAX_ACKS} strings.`;

/** What one type of message is, for the parser, the rights, the schemas and the documents. */
interface ClientMessageContract {
  readonly summary: string;
  /** The keys as docs/reference/feed.md lists them, and what comes back. */
  readonly keysText: string;
  readonly answerText: string;
  /** The role that a token needs for it; absent: no token is needed. */
  readonly role?: Role;
  /** Which topics must be among those of the token. */
  readonly topics?: 'those named' | 'clients' | 'of the device' | 'all';
  /** The messages that answer it; an `error` may always come instead. Empty: it has no answer. */
  readonly replies: readonly ServerMessageType[];
  /** The keys of its payload; absent: any JSON is, as `data`. */
  readonly fields?: z.ZodType<object>;
}

const kicked = (key: string, what: string) =>
  filledText(`"${key}" must name ${what}, as "get_clients" lists them.`, 'As `get_clients` lists it.');

const table = <const T extends Readonly<Record<string, ClientMessageContract>>>(messages: T): T => messages;

/** Every message that a client may send. */
export const CLIENT_MESSAGES = table({
  auth: {
    summary: 'Shows a token; the first message where one is required and none came with the handshake.',
    keysText: '`token`',
    answerText: '`response` with `subject`, `role`, `topics` and `expires_at`; see [below](#who-may-do-what)',
    replies: ['response'],
    fields: z.strictObject({ token: z.string(BAD_TOKEN).min(1, BAD_TOKEN).max(MAX_TOKEN_LENGTH, BAD_TOKEN) }),
  },
  subscribe: {
    summary: 'Asks for the present documents of topics, and for all that happens from then on.',
    keysText: '`topics`; `since`, `max_hz`, `ack`, `raw`, `json_ping`',
    answerText: '`snapshot` (as many as needed), then `synced`',
    role: 'read',
    topics: 'those named',
    replies: ['snapshot', 'synced'],
    fields: z.strictObject({
      topics: patterns().meta({ description: 'With those that there are, at most `limits.max_patterns`.' }),
      json_ping: flag(
        '"json_ping" must be true or false.',
        'JSON pings are wanted beside those of the protocol.',
      ).exactOptional(),
      ack: flag(
        '"ack" must be true or false.',
        'Events are acknowledged, and sent again until they are.',
      ).exactOptional(),
      raw: flag(
        '"raw" must be true or false.',
        'Messages of devices come with `raw`: the values on the wire of fields that are scaled or named.',
      ).exactOptional(),
      since: z
        .custom<Readonly<Record<string, number>>>((value) => isPosition(value as Json), BAD_SINCE)
        .meta({
          type: 'object',
          maxProperties: MAX_EPOCHS,
          additionalProperties: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          description: 'The last position that was received, to get only what changed since.',
        })
        .exactOptional(),
      max_hz: z
        .number(BAD_HZ)
        .min(LOWEST_HZ, BAD_HZ)
        .max(HIGHEST_HZ, BAD_HZ)
        .meta({ description: 'Documents at most so often.' })
        .exactOptional(),
    }),
  },
  unsubscribe: {
    summary: 'Gives up patterns, as they were subscribed to.',
    keysText: '`topics`, as they were subscribed',
    answerText: '`response`',
    role: 'read',
    replies: ['response'],
    fields: z.strictObject({ topics: patterns() }),
  },
  resync: {
    summary: 'Asks for the present documents of topics of which something was missed.',
    keysText: '`topics`, without wildcards',
    answerText: '`response`, then the document of each topic',
    role: 'read',
    topics: 'those named',
    replies: ['response'],
    fields: z.strictObject({ topics: topics(MAX_RESYNC) }),
  },
  ping: {
    summary: 'Asks for a `pong` that carries the same `timestamp`.',
    keysText: '`timestamp`',
    answerText: '`pong` with the same `timestamp`',
    replies: ['pong'],
    fields: z
      .strictObject({ timestamp: z.number('"timestamp" must be a number.').nullable().exactOptional() })
      .transform(({ timestamp }): { readonly timestamp?: number } =>
        typeof timestamp === 'number' ? { timestamp } : {},
      ),
  },
  pong: {
    summary: 'Answers a `ping` of the server.',
    keysText: '',
    answerText: 'none',
    replies: [],
    // Whatever the ping held may come back; none of it is read.
    fields: z
      .strictObject({
        timestamp: json().exactOptional(),
        server_time: json().exactOptional(),
        reply_to: json().exactOptional(),
      })
      .transform(() => ({})),
  },
  echo: {
    summary: 'Comes back as it is.',
    keysText: 'anything',
    answerText: '`echo` with the same as `data`',
    role: 'read',
    replies: ['echo'],
  },
  get_clients: {
    summary: 'Asks who is connected.',
    keysText: '',
    answerText:
      '`clients_list` with `count`, `unreached` (instances that did not answer), and `clients`: `id`, `address`, `user`, `instance`, `connected_at`, `last_activity`, `subscriptions`, `backlog` (bytes that wait), `bytes_sent`, `bytes_received`',
    role: 'read',
    topics: 'clients',
    replies: ['clients_list'],
    fields: z.strictObject({}),
  },
  broadcast: {
    summary: 'Sends something to every client.',
    keysText: '`data`, any JSON',
    answerText: '`broadcast` to every client, the sender too; `broadcast_ack` to the sender',
    role: 'command',
    replies: ['broadcast_ack'],
    fields: z.strictObject({
      data: z
        .custom<Json>((value) => value !== undefined, '"data" is missing: what to broadcast, any JSON.')
        .meta({ description: 'Any JSON.' }),
    }),
  },
  command: {
    summary: 'Sends a message to a device, and waits for its answer.',
    keysText: `\`device\`, \`message\`, \`fields\`, \`timeout_ms\` (${COMMAND_TIMEOUT_MS} where it is left out), \`ack\``,
    answerText: '`response` with `result`',
    role: 'command',
    topics: 'of the device',
    replies: ['response'],
    fields: z.strictObject({
      device: filledText('"device" must name a device.', 'The id of the device.'),
      message: filledText('"message" must name a message.', 'The name of the message.'),
      fields: jsonObject('Its fields.', '"fields" must be an object.').default({}),
      timeout_ms: z.number(BAD_TIMEOUT).min(1, BAD_TIMEOUT).max(MAX_TIMEOUT_MS, BAD_TIMEOUT).exactOptional(),
      ack: flag(
        '"ack" must be true or false.',
        'The outcome is to be acknowledged, and sent again until it is.',
      ).exactOptional(),
    }),
  },
  ack: {
    summary: 'Acknowledges events by their ids.',
    keysText: '`ids`',
    answerText: 'none',
    role: 'read',
    replies: [],
    fields: z.strictObject({ ids: z.array(z.string(BAD_IDS), BAD_IDS).max(MAX_ACKS, BAD_IDS).readonly() }),
  },
  resume: {
    summary: 'Goes on with the session of an earlier connection.',
    keysText: '`session`',
    answerText: '`response` with `client_id` and `unacknowledged`',
    role: 'read',
    replies: ['response'],
    fields: z.strictObject({
      session: filledText(
        '"session" must be the secret that a "welcome" gave.',
        'The secret that a `welcome` gave.',
      ),
    }),
  },
  kick: {
    summary:
      'Closes the connection of another client, or of all of a token or an address, at every instance.',
    keysText: '`client_id`, `user` or `address`',
    answerText:
      '`response` with `kicked`, and `count` where it was not one `client_id`; the other connections are closed with 4503',
    role: 'admin',
    replies: ['response'],
    fields: z
      .strictObject({
        client_id: kicked('client_id', 'a client').exactOptional(),
        user: kicked('user', 'a token').exactOptional(),
        address: kicked('address', 'an address').exactOptional(),
      })
      .refine(
        ({ client_id: id, user, address }) =>
          [id, user, address].filter((each) => each !== undefined).length === 1,
        'One of "client_id", "user" and "address" must name the clients to disconnect.',
      )
      .meta({ oneOf: ['client_id', 'user', 'address'].map((key) => ({ required: [key] })) }),
  },
  add_entry: {
    summary:
      'Adds a device or a listener to the configuration file of the bridge, or shows what that changes.',
    keysText: '`section`, `lines`; `dry_run`, or `base`',
    answerText:
      '`response` with `file`, `base`, `diff`, `problems`, `written` and `reloads`; see [below](#adding-a-device)',
    role: 'admin',
    topics: 'all',
    replies: ['response'],
    fields: z.strictObject({
      section: z.enum(['devices', 'listeners'], BAD_SECTION).meta({ description: 'The list that it joins.' }),
      lines: z
        .string(BAD_LINES)
        .min(1, BAD_LINES)
        .max(MAX_LINES_LENGTH, BAD_LINES)
        .meta({ description: 'The YAML of one entry.' }),
      dry_run: flag('"dry_run" must be true or false.', 'Nothing is written.').exactOptional(),
      base: z
        .string(BAD_BASE)
        .regex(/^[0-9a-f]{64}$/, BAD_BASE)
        .meta({ description: 'The version of the file that the change was shown of; needed to write.' })
        .exactOptional(),
    }),
  },
});

type Table = typeof CLIENT_MESSAGES;
export type ClientMessageType = keyof Table;

type FieldsOf<T extends ClientMessageType> = Table[T] extends { readonly fields: infer F extends z.ZodType }
  ? z.output<F> extends Record<string, never>
    ? unknown
    : Readonly<z.output<F>>
  : { readonly data: Json };

/** What a client asks for, checked. */
export type ClientRequest = {
  [T in ClientMessageType]: { readonly type: T } & FieldsOf<T>;
}[ClientMessageType];

/** `id` names it in replies. */
export type ClientMessage = { readonly id?: string } & ClientRequest;

export const CLIENT_MESSAGE_TYPES = Object.keys(CLIENT_MESSAGES).filter(isClientMessageType);

export function isClientMessageType(type: string): type is ClientMessageType {
  return Object.hasOwn(CLIENT_MESSAGES, type);
}

/** The keys of a payload; undefined where it may be anything. */
export function payloadObject(type: ClientMessageType): z.ZodObject | undefined {
  const { fields } = clientMessageContract(type);
  if (fields === undefined) return undefined;
  const object = fields instanceof z.ZodPipe ? fields.in : fields;
  if (object instanceof z.ZodObject) return object;
  throw new TypeError(`The payload of ${type} is declared as something else than an object.`);
}

/** What one type of message is, without what only its own fields know. */
export const clientMessageContract = (type: ClientMessageType): ClientMessageContract =>
  CLIENT_MESSAGES[type];

function isPosition(value: Json): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const revs = Object.values(value);
  return revs.length <= MAX_EPOCHS && revs.every((rev) => Number.isSafeInteger(rev) && Number(rev) >= 0);
}
