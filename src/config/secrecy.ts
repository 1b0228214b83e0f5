import { z } from 'zod';
import { matchesTopic, patternProblem } from '../feed/wire/topic.ts';
import { textField } from './field.ts';
import type { Finding } from './problem.ts';

/** What subscribers without a key shall not read. */
export interface SecrecyConfig {
  /** The file of each key by its id. */
  readonly keyFiles: ReadonlyMap<string, string>;
  /** The first pattern that covers a topic says with which key; a topic that none covers is not encrypted. */
  readonly rules: readonly { readonly pattern: string; readonly key: string }[];
}

const key = z.strictObject({
  id: textField(
    'the id of the key',
    'bench-2026',
    {
      description:
        'The name of the key; it stands in what is encrypted, and subscribers choose theirs by it.',
      pattern: '^[A-Za-z0-9._-]{1,64}$',
    },
    (text) =>
      /^[A-Za-z0-9._-]{1,64}$/.test(text)
        ? undefined
        : {
            code: 'config_bad_value',
            message: 'This cannot be the id of a key.',
            mend: 'Use 1 to 64 letters, digits, dots, underscores and hyphens.',
          },
  ),
  file: textField(
    'a file',
    'keys/bench-2026.key',
    { description: 'The file of the key, as `heartwire key` writes it: 32 bytes in base64.' },
    () => undefined,
  ),
});

const rule = z.strictObject({
  pattern: textField(
    'a pattern',
    'devices/psu-1/#',
    {
      description: 'The topics, all below `devices/`.',
      examples: ['devices/#', 'devices/psu-1/#', 'devices/+/messages'],
    },
    checkPattern,
  ),
  key: textField(
    'the id of a key',
    'bench-2026',
    { description: 'With which key of `keys`.' },
    () => undefined,
  ),
});

/** The key `secrecy`, as it is written. */
export const secrecyShape = z.strictObject({
  keys: z.array(key).meta({ description: 'The keys.' }),
  topics: z.array(rule).meta({
    description:
      'What is encrypted, and with which key; of several patterns that cover a topic the first one counts.',
  }),
});

function checkPattern(text: string) {
  const problem = patternProblem(text);
  if (problem === undefined && text.startsWith('devices/')) return undefined;
  return {
    code: 'config_bad_value' as const,
    message: problem === undefined ? 'Only what devices say is encrypted.' : `Not a pattern: ${problem}.`,
    mend: 'Write a pattern such as devices/#, devices/psu-1/# or devices/+/messages.',
  };
}

/** Puts keys and patterns together; what contradicts itself has then been added. */
export function completeSecrecy(
  given: z.infer<typeof secrecyShape>,
  add: (finding: Finding) => void,
): SecrecyConfig {
  const keyFiles = new Map<string, string>();
  for (const [index, { id, file }] of given.keys.entries()) {
    if (keyFiles.has(id)) {
      add({
        code: 'config_conflict',
        path: ['secrecy', 'keys', index, 'id'],
        message: 'Another key has the same id.',
        mend: 'Give each key an id of its own.',
      });
    }
    keyFiles.set(id, file);
  }
  for (const [index, { pattern, key }] of given.topics.entries()) {
    if (!keyFiles.has(key)) {
      const known = [...keyFiles.keys()].join(', ');
      add({
        code: 'config_bad_value',
        path: ['secrecy', 'topics', index, 'key'],
        message: 'There is no key of this id.',
        mend: known === '' ? 'Add it to `keys`.' : `Add it to \`keys\`, or name one of: ${known}.`,
      });
    }
    const hidden = given.topics.slice(0, index).find((before) => covers(before.pattern, pattern));
    if (hidden === undefined) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: ['secrecy', 'topics', index, 'pattern'],
      message: `${hidden.pattern} stands before it and covers the same topics.`,
      mend: 'Put the narrower pattern first.',
    });
  }
  return { keyFiles, rules: given.topics };
}

/** Whether a pattern without wildcards, or one that is the same, lies within another one. */
function covers(wide: string, narrow: string): boolean {
  return wide === narrow || (!/[+#]/.test(narrow) && matchesTopic(wide, narrow)) || wide === 'devices/#';
}

/** The id of the key with which a topic is encrypted; undefined where it is not. */
export function keyOf(rules: SecrecyConfig['rules'], topic: string): string | undefined {
  return rules.find(({ pattern }) => matchesTopic(pattern, topic))?.key;
}
