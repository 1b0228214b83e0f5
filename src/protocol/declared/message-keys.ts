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

/** What a message says of the frames that it comes in. */
export const MESSAGE_FRAMING_KEYS = {
  framing: {
    kind: 'word',
    what: 'the name of a framing',
    example: 'nmea',
    description: 'Which of `framings` its frames have; the first where it is left out.',
    examples: ['nmea'],
  },
  crc_extra: {
    kind: 'number',
    least: 0,
    greatest: 255,
    description:
      'A byte that the checksum of its frame covers behind all others, though it is not on the wire (MAVLink: CRC_EXTRA).',
  },
} as const satisfies KeyTable;
