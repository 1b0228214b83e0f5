import type { KeyTable } from '../keys.ts';

/** How a text is split into fields; of a structure, a message or a reply. */
export const SPLIT_KEYS = {
  separator: {
    kind: 'bytes',
    description: 'Text: stands between two columns, one for each field; with `key_value` between two pairs.',
  },
  key_value: {
    kind: 'bytes',
    description: 'Text: stands between a key and its value; fields are found by their `key`.',
  },
  quotes: {
    kind: 'bytes',
    description:
      'Text: the quote around a column that may hold the separator; doubled, it stands for itself.',
  },
  columns: {
    kind: 'choice',
    values: ['auto'],
    description:
      'Text, instead of `fields`: columns are c1, c2 and so on, pairs have the names of their keys; a number where it looks like one, else text. Without `separator` and `key_value` each line shows them itself.',
  },
  extra: {
    kind: 'choice',
    values: ['refuse', 'ignore', 'keep'],
    description:
      'What nothing is declared for behind the fields: an error, left out, or kept in the value `extra`. Unknown keys of `key_value` are left out with an issue where this is not given.',
  },
} as const satisfies KeyTable;

/** The keys of a field that is part of a text. */
export const COLUMN_KEYS = {
  key: {
    kind: 'word',
    what: 'a key',
    example: 'VPV',
    description: 'In a text with `key_value`: its key, where that is not its name.',
    examples: ['VPV', '1-0:1.7.0'],
  },
  prefix: {
    kind: 'bytes',
    description: 'In a column: what stands in front of its value always, such as "+CSQ: ".',
  },
  suffix: { kind: 'bytes', description: 'In a column: what stands behind its value always, such as "*kW)".' },
  quoted: {
    kind: 'flag',
    description: 'In a column: it is sent in quotes always, not only where it needs them.',
    default: false,
  },
  empty: {
    kind: 'flag',
    description: 'In a column: it may be empty, which is no value.',
    default: false,
  },
  optional: {
    kind: 'flag',
    description:
      'It may be missing at the end, or among pairs; there it may be missing unless this is false.',
  },
} as const satisfies KeyTable;
