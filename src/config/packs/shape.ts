import { z } from 'zod';
import { choiceField, flagField, numberField, oneOrMoreField, textField } from '../field.ts';

const text = (what: string, example: string, description: string) =>
  textField(what, example, { description, examples: [example] });

/** `pack.yaml`: what a pack is for, and where its bytes come from. */
export const packShape = z.strictObject({
  version: choiceField([1], { description: 'Version of this language.', default: 1 }).optional(),
  name: textField('a name', 'eastron-sdm', { description: 'As in `messages: pack:NAME`.' }),
  title: text('a title', 'Energy meters over Modbus RTU', 'What it speaks to, in a line.'),
  maker: text('a maker', 'Eastron', 'Who makes the devices, or the standard.'),
  models: oneOrMoreField('a model', 'SDM120', {
    description: 'Devices that speak it.',
    examples: [['SDM120', 'SDM630']],
  }),
  licence: text('a licence', 'MIT', 'Of the pack, as an SPDX identifier.'),
  sources: z
    .record(z.string(), text('a source', 'Data sheet, page 4', 'Title, version and page, or address.'))
    .meta({ description: 'Where each published frame stands; frames name these.' }),
  example: text('a configuration', 'devices: [...]', 'A `devices.yaml` that uses it.'),
  notes: text('a text', 'Writes are not declared.', 'What it leaves out, and what else to know.').optional(),
});

const frameShape = z.strictObject({
  from: choiceField(['host', 'device'], { description: 'Who sends it.' }),
  hex: textField('hex digits', '01 04 00 00', { description: 'The whole frame.' }, (value) =>
    /^(?:\s*[0-9a-fA-F]{2})+\s*$/.test(value)
      ? undefined
      : {
          code: 'config_bad_value',
          message: 'These are no hex digits in pairs.',
          fix: 'Write two digits for each byte.',
        },
  ).optional(),
  text: textField('a text', '"21.5,40.2\\r\\n"', {
    description: 'The whole frame, where it is text; UTF-8.',
  }).optional(),
  message: textField('the name of a message', 'telemetry', { description: 'What it is.' }),
  kind: choiceField(['request', 'reply', 'notice'], { description: 'What it is there.' }),
  error: numberField(-(2 ** 31), 2 ** 32, { description: 'The error code of a reply.' }).optional(),
  address: numberField(0, 2 ** 48, {
    description: 'The address of the device in it, where the messages place one.',
  }).optional(),
  fields: z.record(z.string(), z.unknown()).meta({ description: 'The published values.' }),
  issues: z
    .array(textField('the name of a field', 'mode', { description: 'A field.' }))
    .optional()
    .meta({ description: 'Fields whose values are doubtful, such as one outside of its range.' }),
  source: textField('a source', 'manual', { description: 'A name from `sources` of `pack.yaml`.' }),
  note: textField('a text', 'a night without sun', { description: 'For people.' }).optional(),
  encode: flagField({
    description: '`false` where these values cannot give the same bytes again.',
    default: true,
  }).optional(),
  reason: textField('a reason', 'reserved bytes that are not zero', {
    description: 'Why not; required with `encode: false`.',
  }).optional(),
});

/** `frames.json`: published frames and the values that they hold. */
export const framesShape = z.strictObject({ frames: z.array(frameShape) });

export type PackKeys = z.infer<typeof packShape>;
export type PackFrame = z.infer<typeof frameShape>;
