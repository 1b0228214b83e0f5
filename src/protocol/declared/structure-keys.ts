import type { KeyTable } from '../keys.ts';

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
