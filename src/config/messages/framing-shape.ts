import { z } from 'zod';
import { FRAMING_TYPES, type FramingType, LENGTH_TYPES } from '../../protocol/framing/declaration.ts';
import { badType, choiceField, type FieldMeta, field, numberField } from '../field.ts';

const GREATEST = 0x1000_0000;
const LONGEST_MARK = 64;

/** Fixed bytes: a text stands for its UTF-8 bytes, a number for one byte, a list of numbers for several. */
function bytesField(meta: FieldMeta) {
  const byte = { type: 'integer', minimum: 0, maximum: 255 };
  const json = {
    anyOf: [
      { type: 'string', minLength: 1, maxLength: LONGEST_MARK },
      byte,
      { type: 'array', items: byte, minItems: 1, maxItems: LONGEST_MARK },
    ],
    ...meta,
  };
  return field<string | number | readonly number[]>(json, (value) => {
    const fix = `Write a text, a byte such as 0x7e, or a list of 1 to ${LONGEST_MARK} bytes such as [0xb5, 0x62].`;
    if (typeof value === 'string' && value !== '') return undefined;
    if (
      value === undefined ||
      (typeof value !== 'number' && typeof value !== 'string' && !Array.isArray(value))
    )
      return badType('bytes', value, fix);
    const each: readonly unknown[] = Array.isArray(value) ? value : [value];
    const wrong = each.findIndex(
      (byte) => typeof byte !== 'number' || !Number.isInteger(byte) || byte < 0 || byte > 255,
    );
    if (wrong < 0 && each.length > 0) return undefined;
    const finding = { code: 'config_bad_value', message: 'These are no bytes.', fix } as const;
    return Array.isArray(value) && wrong >= 0 ? { ...finding, path: [wrong] } : finding;
  });
}

const algorithm = field<string>(
  {
    type: 'string',
    description: 'A name of the CRC catalogue, or one of the simple sums: see the table of checksums.',
    examples: ['crc-16/modbus', 'crc-32', 'fletcher-8-ubx', 'sum-8', 'xor-8'],
  },
  (value) =>
    typeof value === 'string' && value !== ''
      ? undefined
      : badType('the name of a checksum', value, 'Write for example crc-16/modbus.'),
);

const order = choiceField(['big', 'little'], {
  description:
    'Order of its bytes, `big` with the most significant one first; `byte_order` where it is left out.',
}).optional();

const encoding = choiceField(['binary', 'hex'], {
  description: '`hex` for two ASCII digits a byte.',
  default: 'binary',
}).optional();

const separator = bytesField({
  description: 'Bytes between the payload and the checksum that belong to neither, such as "*".',
}).optional();

const checksum = z
  .strictObject({ algorithm, order, encoding, separator })
  .meta({ description: 'A checksum behind the payload, and over all of it.' });

const frameChecksum = z
  .strictObject({
    algorithm,
    order,
    encoding,
    separator,
    covers: z
      .array(
        z.strictObject({
          from: numberField(0, 1024, { description: 'The first byte, counted from the front of the frame.' }),
          to: numberField(-1024, 1024, {
            description:
              'The byte behind the last one; negative to count back from the checksum, up to which it goes where this is left out.',
          }).optional(),
        }),
      )
      .meta({
        description: 'What it covers; all between the sync word and the checksum where it is left out.',
      })
      .optional(),
  })
  .meta({ description: 'A checksum behind the payload.' });

const maxFrame = (preset: number) =>
  numberField(1, GREATEST, { description: 'The longest payload, in bytes.', default: preset }).optional();

const lengthWords = [...LENGTH_TYPES, 'u16', 'u24', 'u32'] as const;

const lengthField = {
  length: choiceField(lengthWords, {
    description:
      'Width of the length and, with `be` or `le`, its byte order; `byte_order` where that is left out.',
  }),
  at: numberField(0, 1020, {
    description:
      'Where the length stands, counted from the front of the frame; at the front, or behind the sync word, where it is left out.',
  }).optional(),
  adjust: numberField(-1024, 1024, {
    description: 'Added to the length to get the bytes between it and the checksum.',
    default: 0,
  }).optional(),
};

const tail = {
  checksum: frameChecksum.optional(),
  trailer: bytesField({ description: 'Bytes that end every frame, behind the checksum.' }).optional(),
};

const first = choiceField(['skip', 'take'], {
  description:
    'What arrives first after the link was opened may be half a frame. `skip` sets it aside, `take` trusts it. Left out, on a serial line without a checksum it is `skip`, unless a reply is awaited by then: what comes first after we have asked is taken.',
}).optional();

const sync = bytesField({ description: 'Bytes that begin every frame and belong to nothing.' });

/** The keys of every type of framing, without `type`. */
export const framingShapes = {
  length: z.strictObject({
    type: z.literal('length'),
    ...lengthField,
    ...tail,
    max_frame: maxFrame(1_048_576),
  }),
  sync: z.strictObject({
    type: z.literal('sync'),
    sync,
    ...lengthField,
    ...tail,
    max_frame: maxFrame(65_536),
  }),
  fixed: z.strictObject({
    type: z.literal('fixed'),
    length: numberField(1, 65_536, {
      description: 'Bytes of the whole frame, with sync word, checksum and trailer.',
    }),
    sync: sync.optional(),
    ...tail,
  }),
  slip: z.strictObject({
    type: z.literal('slip'),
    checksum: checksum.optional(),
    first,
    max_frame: maxFrame(65_536),
  }),
  cobs: z.strictObject({
    type: z.literal('cobs'),
    checksum: checksum.optional(),
    first,
    max_frame: maxFrame(65_536),
  }),
  delimiter: z.strictObject({
    type: z.literal('delimiter'),
    delimiter: bytesField({ description: 'Bytes that end every frame.' }),
    start: bytesField({
      description:
        'Bytes that begin every frame and belong to nothing; the same as `delimiter` for a flag, which does both.',
    }).optional(),
    escape: z
      .strictObject({
        byte: numberField(0, 255, { description: 'The byte behind this one is content, whatever it is.' }),
        xor: numberField(0, 255, {
          description: 'That byte is sent with these bits turned.',
          default: 0,
        }).optional(),
      })
      .meta({ description: 'How a delimiter is sent that belongs to the payload.' })
      .optional(),
    checksum: checksum.optional(),
    first,
    max_frame: maxFrame(65_536),
  }),
  gap: z.strictObject({
    type: z.literal('gap'),
    checksum: checksum.optional(),
    max_frame: maxFrame(4096),
  }),
} as const satisfies Readonly<Record<FramingType, z.ZodType>>;

/** `protocol.framing`, for the JSON Schema; `readFraming` says what is wrong in better words. */
export const framingShape = z
  .discriminatedUnion('type', [
    framingShapes.length,
    framingShapes.sync,
    framingShapes.fixed,
    framingShapes.slip,
    framingShapes.cobs,
    framingShapes.delimiter,
    framingShapes.gap,
  ])
  .meta({ description: 'How frames are told apart.' });

/** The one key that all framings have. */
export const framingTypeField = choiceField(FRAMING_TYPES, { description: 'How frames are told apart.' });
