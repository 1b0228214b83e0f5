import type { KeyTable } from '../keys.ts';

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
