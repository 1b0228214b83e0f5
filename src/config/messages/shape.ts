import { z } from 'zod';
import { ADDRESS_KEYS, MESSAGE_KEYS } from '../../protocol/index.ts';
import { badType, choiceField, field, textField } from '../field.ts';
import { shapesOf } from './keys.ts';
import { framingShape } from './read-framing.ts';
import { enumField, namesField } from './value-shapes.ts';

/** One place of an id. */
export interface IdShape {
  readonly type: string;
  readonly at?: number;
  readonly bits?: number | string;
  readonly length?: number;
  readonly until?: string;
}

const ID_KEYS = { type: 'string', at: 'number', bits: 'number or text', length: 'number', until: 'string' };
const onePlace = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    at: { type: 'integer', minimum: 0 },
    bits: { type: ['integer', 'string'] },
    length: { type: 'integer', minimum: 1 },
    until: { type: 'string', minLength: 1 },
  },
  required: ['type'],
  additionalProperties: false,
};

const idField = field<string | IdShape | readonly IdShape[]>(
  {
    anyOf: [{ type: 'string' }, onePlace, { type: 'array', items: onePlace, minItems: 1, maxItems: 4 }],
    description:
      'Type of the message id, and its offset in the payload (`at`); some `bits` of a number; a `text` with a `length` or up to what ends it (`until`); or a list of these. Messages have none where `framing` is given and this is left out.',
    examples: ['i8', { type: 'u16be', at: 2 }, { type: 'text', until: ',' }],
  },
  (given) => {
    const list: readonly unknown[] = Array.isArray(given) ? given : [given];
    for (const each of list) {
      const wrong = checkId(each);
      if (wrong !== undefined) return wrong;
    }
    return list.length > 0 && list.length <= 4 ? undefined : checkId({});
  },
);

function checkId(value: unknown): ReturnType<typeof badType> | undefined {
  const fix = 'Write for example i8, or { type: u16be, at: 2 }.';
  if (typeof value === 'string') return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return badType('the type of the id', value, fix);
  const right = Object.entries(value).every(([key, each]) => {
    const kind = Object.hasOwn(ID_KEYS, key) ? ID_KEYS[key as keyof typeof ID_KEYS] : 'none'; // just asked
    return kind.includes(typeof each === 'string' && kind !== 'string' ? 'text' : typeof each);
  });
  if (right && 'type' in value) return undefined;
  return { code: 'config_bad_value', message: 'This is no message id.', fix };
}

const protocolKeys = {
  byte_order: choiceField(['big', 'little'], {
    description: 'Order of the bytes in numbers that do not say their own.',
    default: 'big',
  }).optional(),
  id: idField.optional(),
  zero_tail: choiceField(['read', 'drop'], {
    description:
      'Bytes that are missing at the end of a payload read as zeros, as in MAVLink 2; with `drop` zeros at the end are not sent either.',
  }).optional(),
  address: z
    .strictObject(shapesOf(ADDRESS_KEYS))
    .optional()
    .meta({
      description:
        'Where the address of a device stands in every message: written when we send, compared when we receive.',
      examples: [{ type: 'u8', at: 0, broadcast: 0 }],
    }),
  error: textField(
    'the type of the error code',
    'i8',
    {
      description:
        'Type of the error code behind the id of a reply, or `none`; `i8` for length-prefixed frames with an id, else `none`.',
      examples: ['i8', 'u16', 'none'],
    },
    () => undefined,
  ).optional(),
};

/** One message, as it stands in the file. */
export const messageShape = z.strictObject(shapesOf(MESSAGE_KEYS));

const commonKeys = {
  version: choiceField([1], { description: 'Version of this language.', default: 1 }).optional(),
  enums: z
    .record(z.string(), enumField('Names by raw value.'))
    .optional()
    .meta({
      description: 'Names of raw values, for fields to refer to.',
      examples: [{ mode: { 0: 'idle', 1: 'heating' } }],
    }),
  errors: namesField('Names of error codes in replies.', [{ '-1': 'error', 5: 'busy' }]).optional(),
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
