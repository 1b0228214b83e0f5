import type { KeyTable } from '../keys.ts';

const DAY_MS = 24 * 60 * 60_000;

/** When a message is awaited, or asked for. */
export const MESSAGE_TIME_KEYS = {
  every: {
    kind: 'duration',
    least: 10,
    greatest: 30 * DAY_MS,
    description: 'Values are stale when the message stays away for longer.',
  },
  poll: {
    kind: 'duration',
    least: 10,
    greatest: 30 * DAY_MS,
    description:
      'From the host: it is asked so often, unless `poll` of the device asks it in its own way. For a message that needs no values.',
  },
} as const satisfies KeyTable;
