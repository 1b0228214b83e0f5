import type { KeyTable } from '../keys.ts';

const word = (example: string) => ({ kind: 'word', what: 'a name', example }) as const;

/** A group that takes longer is incomplete, where nothing else is declared. */
export const WITHIN_MS = 5_000;

/** How a group is assembled from several messages. */
export const ASSEMBLE_KEYS = {
  parts: {
    kind: 'words',
    required: true,
    of: { ...word('line'), description: 'A message of the device.', examples: ['line'] },
    description: 'The messages whose fields the group has; these are no values of their own.',
  },
  first: { ...word('header'), description: 'The part that begins a group.', examples: ['header'] },
  last: { ...word('checksum'), description: 'The part that ends a group.', examples: ['checksum'] },
  number: {
    ...word('sentence'),
    description: 'The field that numbers the parts, from 1.',
    examples: ['sentence'],
  },
  total: {
    ...word('sentences'),
    description: 'The field that says how many parts there are.',
    examples: ['sentences'],
  },
  same: {
    kind: 'words',
    of: { ...word('talker'), description: 'A field.', examples: ['talker'] },
    description: 'Fields that are the same in all parts of one group.',
  },
  lists: {
    kind: 'words',
    of: { ...word('satellites'), description: 'A field.', examples: ['satellites'] },
    description: 'Arrays that are joined; of other fields that come again the last one counts.',
  },
  within: {
    kind: 'duration',
    least: 10,
    greatest: 3_600_000,
    description: 'A group that takes longer is incomplete.',
    default: `${WITHIN_MS / 1_000}s`,
  },
  max: {
    kind: 'number',
    least: 1,
    greatest: 4_096,
    description: 'A group of more parts is incomplete.',
    default: 64,
  },
  checksum: {
    kind: 'group',
    keys: {
      algorithm: {
        kind: 'word',
        what: 'the name of a checksum',
        example: 'sum-8',
        required: true,
        description: 'Its name, as in a field.',
        examples: ['sum-8'],
      },
      before: { kind: 'bytes', description: 'What stands in front of each part, which its frame has not.' },
      behind: { kind: 'bytes', description: 'What stands behind each part, which its frame has not.' },
      result: {
        kind: 'number',
        least: 0,
        greatest: 0xffff_ffff,
        description: 'What the checksum of all parts is, with its own bytes.',
        default: 0,
      },
    },
    description: 'What a group must have, over the bytes of all of its parts.',
  },
} as const satisfies KeyTable;
