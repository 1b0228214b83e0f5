import { z } from 'zod';
import {
  ADDRESS_KEYS,
  ANSWER_KEYS,
  MAP_KEYS,
  MESSAGE_KEYS,
  MODBUS_PROTOCOLS,
  PROTOCOL_KEYS,
  REGISTER_KEYS,
} from '../../protocol/index.ts';
import { choiceField, flagField, textField } from '../field.ts';
import { idField } from './id-field.ts';
import { shapesOf } from './keys.ts';
import { framingShape, framingsShape } from './read-framing.ts';
import { enumField, namesField } from './value-shapes.ts';

// Their names and shapes are those of the table.
const exchangeKeys = shapesOf(PROTOCOL_KEYS) as Record<keyof typeof PROTOCOL_KEYS, z.ZodType>;

const protocolKeys = {
  ...exchangeKeys,
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
  answers: z
    .array(z.strictObject(shapesOf(ANSWER_KEYS)))
    .optional()
    .meta({ description: 'Answers that are sent by rule, in either direction; the first that fits counts.' }),
  errors: namesField('Names of error codes in replies.', [{ '-1': 'error', 5: 'busy' }]).optional(),
};

/** The file without its messages, which are checked one by one; `readFraming` knows what is wrong with a framing. */
export const headShape = z.strictObject({
  ...commonKeys,
  protocol: z
    .strictObject({ ...protocolKeys, framing: z.unknown().optional(), framings: z.unknown().optional() })
    .optional(),
  messages: z.array(messageShape),
});

/** One register of a map, as it stands in the file. */
export const registerShape = z.strictObject({
  ...shapesOf(REGISTER_KEYS),
  write: flagField({
    description: 'A command `write_NAME` writes it, and it is read back.',
    default: false,
  }).optional(),
  read: flagField({
    description: '`false` for a register that can only be written.',
    default: true,
  }).optional(),
});

const modbus = choiceField(MODBUS_PROTOCOLS, { description: 'How Modbus goes over the line.' });

/** A file with a map of registers instead of messages, without the registers, which are checked one by one. */
export const mapShape = z.strictObject({
  version: commonKeys.version,
  enums: commonKeys.enums,
  protocol: modbus,
  ...shapesOf(MAP_KEYS),
  registers: z.array(registerShape).meta({ description: 'The registers.' }),
});

/** The same as an editor should see it. */
export const editorShape = z.strictObject({
  ...commonKeys,
  protocol: z
    .strictObject({ ...protocolKeys, framing: framingShape.optional(), framings: framingsShape.optional() })
    .optional()
    .meta({
      description:
        'How frames are delimited and messages distinguished; as in the built-in protocol where it is left out.',
    }),
  messages: z.array(messageShape).meta({ description: 'The messages.' }),
});

export type FileShape = z.infer<typeof headShape>;
