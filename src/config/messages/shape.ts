import { z } from 'zod';
import { badType, choiceField, durationField, field, numberField } from '../field.ts';
import { confirmsField } from './confirms-shape.ts';
import { enumField, fieldShape, namesField, wordField } from './field-shape.ts';
import { framingShape } from './read-framing.ts';

const DAY = 24 * 60 * 60_000;

const idField = field<string | { readonly type: string; readonly at?: number }>(
  {
    anyOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: { type: { type: 'string' }, at: { type: 'integer', minimum: 0 } },
        required: ['type'],
        additionalProperties: false,
      },
    ],
    description:
      'Type of the message id, and its offset in the payload; messages have none where `framing` is given and this is left out.',
    examples: ['i8', { type: 'u16be', at: 2 }],
  },
  (value) => {
    const fix = 'Write for example i8, or { type: u16be, at: 2 }.';
    if (typeof value === 'string') return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return badType('the type of the id', value, fix);
    const known = Object.keys(value).every((key) => key === 'type' || key === 'at');
    const typed = 'type' in value && typeof value.type === 'string';
    const placed = !('at' in value) || typeof value.at === 'number';
    if (known && typed && placed) return undefined;
    return { code: 'config_bad_value', message: 'This is no message id.', fix };
  },
);

const protocolKeys = {
  byte_order: choiceField(['big', 'little'], {
    description: 'Order of the bytes in numbers that do not say their own.',
    default: 'big',
  }).optional(),
  id: idField.optional(),
  error: wordField(
    'the type of the error code',
    'i8',
    'Type of the error code behind the id of a reply, or `none`; `i8` for length-prefixed frames with an id, else `none`.',
    ['i8', 'u16', 'none'],
  ).optional(),
};

const reply = z
  .union([
    z.literal('none'),
    z.literal('status'),
    z.strictObject({
      fields: z
        .array(fieldShape)
        .meta({ description: 'Its fields, behind the error code; they are there where that is 0.' }),
    }),
  ])
  .meta({
    description: 'What answers it: nothing, an error code, or an error code and on success fields.',
    default: 'none',
  });

/** One message, as it stands in the file. */
export const messageShape = z.strictObject({
  name: wordField('a name', 'telemetry', 'The name of the message in topics, state and commands.'),
  description: wordField('a text', 'Once a second.', 'For people.').optional(),
  id: numberField(-(2 ** 47), 2 ** 48, {
    description: 'Its id; 0xF0 and -16 are the same id of one byte.',
    examples: [16],
  }).optional(),
  from: choiceField(['device', 'host', 'any'], { description: 'Who sends it.', default: 'any' }).optional(),
  reply: reply.optional(),
  every: durationField(10, 30 * DAY, {
    description: 'Values are stale when the message stays away for longer.',
  }).optional(),
  confirms: confirmsField().optional(),
  rejects: z
    .strictObject({
      request: z
        .union([z.literal('any'), z.array(z.string()).min(1)])
        .meta({ description: 'The requests that it may refuse: `any`, or their names.', examples: ['any'] }),
      code: wordField('the name of a field', 'code', 'The field of this message that says why.').optional(),
    })
    .optional()
    .meta({
      description:
        'The device sends it instead of a reply: it ends the request that is awaited, with the reason of the device.',
      examples: [{ request: ['read_power'] }],
    }),
  errors: namesField("Names of error codes in its reply, beside the protocol's.", {
    2: 'too_hot',
  }).optional(),
  fields: z.array(fieldShape).optional().meta({ description: 'Its fields, one behind the other.' }),
});

const commonKeys = {
  version: choiceField([1], { description: 'Version of this language.', default: 1 }).optional(),
  enums: z
    .record(z.string(), enumField('Names by raw value.'))
    .optional()
    .meta({
      description: 'Names of raw values, for fields to refer to.',
      examples: [{ mode: { 0: 'idle', 1: 'heating' } }],
    }),
  errors: namesField('Names of error codes in replies.', { '-1': 'error', 5: 'busy' }).optional(),
};

/** The file without its messages, which are checked one by one; `readFraming` knows what is wrong with a framing. */
export const headShape = z.strictObject({
  ...commonKeys,
  protocol: z.strictObject({ ...protocolKeys, framing: z.unknown().optional() }).optional(),
  messages: z.array(messageShape),
});

/** The same as an editor should see it. */
export const editorShape = z.strictObject({
  ...commonKeys,
  protocol: z
    .strictObject({ ...protocolKeys, framing: framingShape.optional() })
    .optional()
    .meta({
      description:
        'How frames and messages are told apart; as in the built-in protocol where it is left out.',
    }),
  messages: z.array(messageShape).meta({ description: 'The messages.' }),
});

export type FileShape = z.infer<typeof headShape>;
export type MessageShape = z.infer<typeof messageShape>;
