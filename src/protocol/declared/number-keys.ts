import type { KeyTable } from '../keys.ts';
import { description, label } from './label-keys.ts';

const DAY_MS = 24 * 60 * 60_000;

export const LIMITS_KEYS = {
  warn: { kind: 'range', description: 'Outside of this, the value is doubtful.' },
  alarm: { kind: 'range', description: 'Outside of this, it is an alarm.' },
  hysteresis: {
    kind: 'margin',
    description:
      'A value that was outside is good again once it is so far within the limit, in its own unit.',
  },
  for: {
    kind: 'duration',
    least: 1,
    greatest: DAY_MS,
    description: 'A value counts as outside, or as good again, once it has been so for so long.',
  },
} as const satisfies KeyTable;

const SCALE_KEYS = {
  offset: {
    kind: 'number',
    least: -Number.MAX_VALUE,
    greatest: Number.MAX_VALUE,
    fraction: true,
    description: 'Number: see `scale`.',
    examples: [-40],
  },
  unit: {
    kind: 'word',
    what: 'a unit',
    example: '"\u00b0C"',
    description: 'Number: the unit of the value.',
    examples: ['\u00b0C', 'mA', 's'],
  },
  limits: {
    kind: 'group',
    keys: LIMITS_KEYS,
    description: 'What is good, and what is dangerous, in the unit of the value.',
  },
} as const satisfies KeyTable;

export const BIT_KEYS = {
  name: {
    kind: 'word',
    what: 'a name',
    example: 'door_open',
    required: true,
    description: 'The name of the bits.',
    examples: ['door_open'],
  },
  at: {
    kind: 'bit range',
    required: true,
    description: 'A bit, 0 the least significant, or a range of them.',
    examples: [0, '2..3'],
  },
  enum: { kind: 'enum', description: 'Names of their values.' },
  signed: {
    kind: 'flag',
    description: "The bits are a number in two's complement.",
    default: false,
  },
  scale: {
    kind: 'number',
    least: -Number.MAX_VALUE,
    greatest: Number.MAX_VALUE,
    fraction: true,
    description: 'value = raw * scale + offset.',
    examples: [0.0625],
  },
  ...SCALE_KEYS,
  invalid: {
    kind: 'constants',
    type: 'integer',
    what: 'a whole number',
    description: 'The raw value of the bits that says "no value", or a list of them.',
    examples: [0xfff],
  },
  label,
  description: { ...description, example: 'The door is open.', examples: ['The door is open.'] },
} as const satisfies KeyTable;

const TIME_KEYS = {
  epoch: {
    kind: 'constant',
    type: 'number',
    what: 'an epoch',
    description: '`unix`, `gps` (which counts leap seconds), `ntp`, a year, or a date such as 2000-01-01.',
    examples: ['unix', 2000, '1904-01-01'],
    default: 'unix',
  },
  unit: {
    kind: 'choice',
    values: ['s', 'ms', 'us', 'ns', 'min', 'h', 'd'],
    description: 'What is counted.',
    default: 's',
  },
  zone: {
    kind: 'word',
    what: 'an offset from UTC',
    example: '"+08:00"',
    description: 'Where the clock of the device stands, if it counts local time.',
    examples: ['+08:00'],
    default: 'Z',
  },
} as const satisfies KeyTable;

/** Keys of numbers and times. */
export const QUANTITY_KEYS = {
  scale: {
    kind: 'scale',
    description:
      'Number: value = raw * scale + offset. `{ field: x }` takes ten to the power of another field; with `as: factor` that field itself; with `times` so many times as much.',
    examples: [0.01, { field: 'power_sf' }],
  },
  ...SCALE_KEYS,
  sign: {
    kind: 'choice',
    values: ['magnitude', 'zigzag', 'first_nibble', 'last_nibble', 'twos_complement'],
    description:
      'Whole number, `bcd`: `magnitude` (the top bit is the sign); `varint`: `zigzag`; `bcd`: `first_nibble` (F is minus) or `last_nibble` (D is minus); `hex_number`: `twos_complement`.',
  },
  digits: {
    kind: 'number',
    least: 1,
    greatest: 20,
    description: '`bcd`, `hex_number`: how many digits it has.',
  },
  as: {
    kind: 'choice',
    values: ['number', 'text'],
    description: '`bcd`: `text` keeps the zeros in front, as in the number of a phone.',
    default: 'number',
  },
  time: {
    kind: 'group',
    keys: TIME_KEYS,
    description: 'Whole number: it counts time; the value is a time in ISO 8601.',
  },
  decimals: {
    kind: 'number',
    least: 0,
    greatest: 20,
    description: '`number`: digits behind the point when it is sent.',
  },
  format: {
    kind: 'word',
    what: 'a format',
    example: '"%.3f"',
    description:
      '`number`, `hex_number`: how it is sent, as `printf` has it. Time: its parts, `YYYY` `YY` `MM` `MMM` `DD` `hh` `mm` `ss` `f` `F` `Z` `W` `E` `x`.',
    examples: ['%+.3E', '%04X', 'YYYY-MM-DD hh:mm:ss'],
  },
  angle: {
    kind: 'choice',
    values: ['ddmm', 'dddmm'],
    description:
      '`number`: degrees and minutes in one, as in NMEA 0183; the value is in degrees. `dddmm` is sent with three digits of degrees.',
  },
  hemisphere: {
    kind: 'choice',
    values: ['NS', 'EW'],
    description:
      '`number`: the letter behind it, in a text of columns the next column, says its sign; S and W are below zero.',
  },
  zone: {
    kind: 'word',
    what: 'an offset from UTC',
    example: '"+08:00"',
    description: 'Time: where the clock of the device stands; without it, times have no offset.',
    examples: ['+08:00', 'Z'],
  },
  thousands: {
    kind: 'word',
    what: 'a character',
    example: '","',
    description:
      '`number`: what may stand between groups of three digits when it is received. `hex_number`: what stands between two bytes.',
    examples: [','],
  },
  decimal_mark: {
    kind: 'word',
    what: 'a character',
    example: '","',
    description: '`number`: what stands in front of the decimals.',
    examples: [','],
    default: '.',
  },
  invalid: {
    kind: 'constants',
    type: 'integer',
    what: 'a whole number',
    description:
      'Number: the raw value that says "no value", or a list of them; of a float its bits, or `nan` for all; of `bcd` and `bcd_time` its bytes; of text that text. The first one is sent.',
    examples: [0x7fff, 'nan', [0x7fff, 0x8000]],
  },
} as const satisfies KeyTable;
