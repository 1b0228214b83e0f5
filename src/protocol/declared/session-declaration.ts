import type { Declared, KeyTable } from '../keys.ts';
import type { Values } from './value.ts';

/** Field of an answer to the field of the message that it answers; `id` is that message's id. */
export type CopyDeclaration = Readonly<Record<string, string>>;

/** Values of the kinds of keys that stand here. */
interface Kinds<Field = never> {
  readonly copy: CopyDeclaration;
  readonly values: Values;
  readonly requests: 'any' | readonly string[];
  readonly fields: readonly Field[];
  readonly logins: readonly LoginDeclaration[];
}

const DAY_MS = 24 * 60 * 60_000;

const message = (description: string, example: string) =>
  ({ kind: 'word', what: 'the name of a message', example, description, examples: [example] }) as const;

const copy = {
  kind: 'copy',
  description:
    'Fields of the answer that repeat fields of the message: their names, or own name to that of the message. `id` is the id of the message.',
  examples: [['serial'], { answered: 'serial', answered_id: 'id' }],
} as const;

const set = {
  kind: 'values',
  description: 'Other fields of the answer.',
  examples: [{ result: 0 }],
} as const;

/** What a message is answered with by rule. */
export const ANSWER_KEYS = {
  to: {
    kind: 'requests',
    required: true,
    description: 'The messages that are answered so: their names, or `any` that nothing else answers.',
    examples: [['location']],
  },
  with: { ...message('The message that answers; left out, it is the reply of each.', 'general_ack') },
  copy,
  set: {
    ...set,
    description:
      'Other fields of the answer. Where the device answers, another value is a refusal of what was asked.',
  },
  frame: {
    kind: 'choice',
    values: ['message', 'none'],
    description: '`none` sends the bytes of the answer as they are, without a frame.',
    default: 'message',
  },
} as const satisfies KeyTable;

/** One answer by rule. */
export type AnswerDeclaration = Declared<typeof ANSWER_KEYS, Kinds>;

const LOGIN_KEYS = {
  message: { ...message('The message with which the device says who it is.', 'login'), required: true },
  identity: {
    kind: 'word',
    what: 'the name of a field',
    example: 'imei',
    required: true,
    description: 'The field of it that names the device: text, a number, or bytes, which are shown as hex.',
    examples: ['imei'],
  },
  answer: message('The message that answers it; left out, it is its own reply, if it has one.', 'login_ack'),
  copy,
  set,
  accept: {
    kind: 'values',
    description: 'Fields of the answer where the device is accepted.',
    examples: [{ result: 0 }],
  },
  refuse: {
    kind: 'values',
    description:
      'Fields of the answer where it is refused, before the link is closed; left out, it is closed without an answer.',
    examples: [{ result: 1 }],
  },
} as const satisfies KeyTable;

/** How a device says who it is. */
export type LoginDeclaration = Declared<typeof LOGIN_KEYS, Kinds>;

const HEARTBEAT_KEYS = {
  message: { ...message('The message that is the heartbeat.', 'status'), required: true },
  from: {
    kind: 'choice',
    values: ['device', 'host'],
    description: 'Who sends it.',
    default: 'device',
  },
  every: {
    kind: 'duration',
    least: 100,
    greatest: DAY_MS,
    required: true,
    description:
      'Time from one to the next. After 1.5 of it without any valid frame the device is `stale`, after `missed` of it (and one second) offline.',
  },
  missed: {
    kind: 'number',
    least: 1,
    greatest: 1_000,
    description: 'So many in a row may be missed.',
    default: 3,
  },
  fields: { kind: 'values', description: 'From the host: its fields.', examples: [{ address: 1 }] },
  answer: message('The message that answers it; left out, it is its own reply, if it has one.', 'status_ack'),
  copy,
  set,
} as const satisfies KeyTable;

/** What shows that the other side is alive. */
export type HeartbeatDeclaration = Declared<typeof HEARTBEAT_KEYS, Kinds>;

const TIME_KEYS = {
  message: {
    ...message('The message with which the device asks for the time.', 'time_request'),
    required: true,
  },
  field: {
    kind: 'word',
    what: 'the name of a field',
    example: 'time',
    required: true,
    description:
      'The field of the answer that holds it: a number counts seconds, or with `unit: ms` milliseconds, since 1970; text is local time as YYYY-MM-DD HH:MM:SS; a `bcd_time`, `byte_time` or counted `time` is what it says.',
    examples: ['time'],
  },
  answer: message('The message that answers it; left out, it is its own reply.', 'time_reply'),
  copy,
  set,
} as const satisfies KeyTable;

/** A question of the device for the time. */
export type TimeDeclaration = Declared<typeof TIME_KEYS, Kinds>;

const SESSION_KEYS = {
  login: {
    kind: 'logins',
    keys: LOGIN_KEYS,
    description: 'How the device says who it is; a list where several messages do.',
  },
  heartbeat: { kind: 'group', keys: HEARTBEAT_KEYS, description: 'What shows that the other side is alive.' },
  time: { kind: 'group', keys: TIME_KEYS, description: 'The question of the device for the time.' },
} as const satisfies KeyTable;

export type SessionDeclaration = Declared<typeof SESSION_KEYS, Kinds>;

const accept = {
  kind: 'bytes',
  description:
    'What is sent back, without a frame, where the device is accepted; nothing where it is left out.',
  examples: [0x01],
} as const;

const refuse = {
  kind: 'bytes',
  description: 'What is sent back where it is refused.',
  examples: [0x00],
} as const;

const HELLO_KEYS = {
  fields: {
    kind: 'fields',
    required: true,
    description: 'What stands in the first bytes of a link, in front of all frames; it says where it ends.',
  },
  identity: {
    kind: 'word',
    what: 'the name of a field',
    example: 'imei',
    required: true,
    description: 'The field that names the device.',
    examples: ['imei'],
  },
  accept,
  refuse,
} as const satisfies KeyTable;

/** What a device says in front of the first frame. */
export type HelloDeclaration<Field> = Declared<typeof HELLO_KEYS, Kinds<Field>>;

const REGISTRATION_KEYS = {
  text: {
    kind: 'word',
    what: 'a text',
    example: '"DTU-*"',
    required: true,
    description:
      'The text that comes first on a link, in front of all frames; `*` stands for the identity of the device.',
    examples: ['DTU-*', 'REG,*\r\n', 'www.usr.cn'],
  },
  length: {
    kind: 'number',
    least: 1,
    greatest: 64,
    description: 'How many characters the identity has, where `*` is the end of the text.',
  },
  identity: {
    kind: 'word',
    what: 'the identity of the device',
    example: 'dtu-7',
    description: 'Who it is that sends a text without `*`; the text itself where it is left out.',
    examples: ['dtu-7'],
  },
  accept,
  refuse,
} as const satisfies KeyTable;

/** The registration text of a DTU. */
export type RegistrationDeclaration = Declared<typeof REGISTRATION_KEYS, Kinds>;

/** Keys of `protocol:` about requests, answers and sessions. */
export const PROTOCOL_KEYS = {
  sequence: {
    kind: 'group',
    keys: {
      type: {
        kind: 'word',
        what: 'a type',
        example: 'u16',
        required: true,
        description: 'Its type: `u8`, `u16`, `u24` or `u32`, with `le` or `be`.',
        examples: ['u16'],
      },
      at: {
        kind: 'number',
        least: 0,
        greatest: 65_536,
        required: true,
        description: 'Its offset in the payload, in bytes; a field of the messages stands there.',
      },
      first: {
        kind: 'number',
        least: 0,
        greatest: 0xffff_ffff,
        description: 'The first number of a link, and the one behind the greatest.',
        default: 0,
      },
    },
    description:
      'A number in each message, counted up when the bridge sends; a reply repeats that of its request.',
    examples: [{ type: 'u16', at: 0 }],
  },
  in_flight: {
    kind: 'number',
    least: 1,
    greatest: 64,
    description: 'So many requests may wait for their replies at once; needs `sequence`.',
    default: 1,
  },
  reply_id: {
    kind: 'group',
    keys: {
      or: { kind: 'number', least: 1, greatest: 2 ** 32 - 1, description: 'These bits are set.' },
      add: { kind: 'number', least: -(2 ** 31), greatest: 2 ** 32 - 1, description: 'So much is added.' },
    },
    description: 'The id of a reply, made of that of its message; the same where it is left out.',
    examples: [{ or: 0x80 }],
  },
  session: {
    kind: 'group',
    keys: SESSION_KEYS,
    description: 'How a device says who it is and that it is alive; see docs/reference/sessions.md.',
  },
  hello: {
    kind: 'group',
    keys: HELLO_KEYS,
    description: 'What a device says in the first bytes of a link, which are no frame.',
  },
  registration: {
    kind: 'group',
    keys: REGISTRATION_KEYS,
    description: 'The text with which a DTU says who it is, before all frames.',
  },
} as const satisfies KeyTable;

/** What a protocol declares about requests, answers and sessions. */
export type ExchangeDeclaration<Field> = Declared<typeof PROTOCOL_KEYS, Kinds<Field>>;

export type SequenceDeclaration = NonNullable<ExchangeDeclaration<never>['sequence']>;
