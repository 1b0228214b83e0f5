import { z } from 'zod';
import { choiceField, durationField, textField } from './field.ts';

const DAY_MS = 24 * 60 * 60_000;

const pollKeys = z.strictObject({
  message: textField(
    'the name of a message',
    'read_power',
    { description: 'A message that is declared from the host.', examples: ['read_power'] },
    () => undefined,
  ),
  every: durationField(10, DAY_MS, { description: 'Time from one such request to the next.' }),
  fields: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'Its fields by name.', examples: [{ address: 1 }] }),
  as: textField(
    'a name',
    'voltage',
    {
      description:
        'The name under which the values of its reply stand in the state, where that is not the name of the message.',
      examples: ['voltage'],
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$',
    },
    (value) =>
      /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(value)
        ? undefined
        : {
            code: 'config_bad_value',
            message: 'Values have no name like this.',
            fix: 'Use letters, digits and underscores, at most 64, not a digit first.',
          },
  ).optional(),
});

/** How a device without register and heartbeat lives. */
export const BARE_KEYS = {
  session: choiceField(['standard', 'none'], {
    description:
      '`none` is for devices that know neither register nor heartbeat; `standard`, for those that do, where it is left out.',
  }).optional(),
  silence: z
    .union([
      z.literal(false),
      durationField(100, DAY_MS, { description: 'Time without a valid frame until it is offline.' }),
    ])
    .optional()
    .meta({
      description:
        'With `session: none`: so long without a valid frame, and the device is offline; 10 s, or where that is longer three polls, or a lost reply (`request_timeout`, `late_window` and 2 s). `false`: it is online as long as its link is open.',
    }),
  poll: z
    .array(pollKeys)
    .optional()
    .meta({ description: 'What is asked of a device that only answers, one request at a time.' }),
  late_window: durationField(10, DAY_MS, {
    description:
      'So long after its time-out a reply may still come; half of `request_timeout` and at least 2 s where it is left out. Until then nothing is asked whose reply may look like it.',
  }).optional(),
  turnaround: durationField(0, 60_000, {
    description:
      'Pause between the end of one exchange and the next on the line of a polled device; 10 ms where it is left out.',
  }).optional(),
};
