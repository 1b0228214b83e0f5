import type { KeyTable } from '../keys.ts';

/** When a field is there. */
export const CONDITION_KEYS = {
  field: {
    kind: 'word',
    what: 'the name of a field',
    example: 'mode',
    required: true,
    description: 'An earlier field, or one of its bits.',
    examples: ['mode', 'status.door_open'],
  },
  is: {
    kind: 'condition value',
    description: 'The field is there where the other has this value, or one of these.',
  },
  not: {
    kind: 'condition value',
    description: 'The field is there where the other has none of these values.',
  },
  gt: {
    kind: 'number',
    least: -Number.MAX_VALUE,
    greatest: Number.MAX_VALUE,
    fraction: true,
    description: 'The field is there where the raw value of the other is greater.',
  },
  lt: {
    kind: 'number',
    least: -Number.MAX_VALUE,
    greatest: Number.MAX_VALUE,
    fraction: true,
    description: 'The field is there where the raw value of the other is less.',
  },
  mask: {
    kind: 'number',
    least: 1,
    greatest: 2 ** 48 - 1,
    description:
      'Only these bits of the raw value are compared; alone: the field is there where any of them is set.',
    examples: [0x04],
  },
} as const satisfies KeyTable;

/** The keys of fields that are made of others, and of what they refer to. */
export const STRUCTURE_KEYS = {
  on: {
    kind: 'word',
    what: 'the name of a field',
    example: 'kind',
    description: 'Switch: the earlier field whose value selects one of `cases`.',
    examples: ['kind'],
  },
  cases: {
    kind: 'cases',
    description: 'Switch: the fields that go with each value, by raw number, by name or by text.',
  },
  else: {
    kind: 'fields',
    description: 'Switch: the fields that go with all other values; without it these are an error.',
  },
  tag: {
    kind: 'word',
    what: 'a number type',
    example: 'u8',
    description: 'TLV list: the type of the tag in front of each length.',
    examples: ['u8', 'u16'],
  },
  tags: {
    kind: 'tags',
    description:
      'TLV list: a field for each tag that is known; others are kept as bytes, as `tag_` and their number.',
  },
  repeat: {
    kind: 'flag',
    description: 'In `tags`: it may come several times, and is a list.',
    default: false,
  },
  until: {
    kind: 'bytes',
    description: 'Array: it ends where these bytes stand in the place of an element.',
  },
} as const satisfies KeyTable;
