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
        'With `session: none`: so long without a valid frame, and the device is offline; 10 s, or three polls where that is longer. `false`: it is online as long as its link is open.',
    }),
  poll: z
    .array(pollKeys)
    .optional()
    .meta({ description: 'What is asked of a device that only answers, one request at a time.' }),
  turnaround: durationField(0, 60_000, {
    description:
      'Pause between the end of one exchange and the next on the line of a polled device; 10 ms where it is left out.',
  }).optional(),
};
