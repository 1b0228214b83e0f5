import { z } from 'zod';
import { coversPattern, patternProblem } from '../contract/wire/index.ts';
import { badValue, textField } from './field.ts';
import type { Finding } from './problem.ts';

/** Bytes of a key for A256GCM. */
const KEY_BYTES = 32;

/** What subscribers without a key shall not read. */
export interface EncryptionConfig {
  /** 32 bytes each, by id. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  /** The first pattern that covers a topic says with which key; a topic that none covers is not encrypted. */
  readonly rules: readonly EncryptionRule[];
}

export interface EncryptionRule {
  readonly pattern: string;
  readonly key: string;
}

/** The file of a key, as far as it could be read. */
export type KeyFile = { readonly text: string } | { readonly unreadable: string };

/** By the names that stand in the configuration. */
export type KeyFiles = ReadonlyMap<string, KeyFile>;

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
        : badValue(
            'This cannot be the id of a key.',
            'Use 1 to 64 letters, digits, dots, underscores and hyphens.',
          ),
  ),
  file: textField('a file', 'keys/bench-2026.key', {
    description: 'The file of the key, as `heartwire key` writes it: 32 bytes in base64.',
  }),
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
  key: textField('the id of a key', 'bench-2026', { description: 'With which key of `keys`.' }),
});

/** The key `secrecy`, as it is written. */
export const secrecyShape = z.strictObject({
  keys: z.array(key).meta({ description: 'The keys.' }),
  topics: z.array(rule).meta({
    description:
      'What is encrypted, and with which key; of several patterns that cover a topic the first one counts.',
  }),
});

/** What devices say, by the last level of its topic. */
const KINDS = ['state', 'stats', 'messages', 'alarms', 'bytes'];

/** A pattern that covers nothing would leave in the clear what shall be secret. */
function checkPattern(text: string) {
  const problem = patternProblem(text);
  if (problem !== undefined) return badValue(`Not a pattern: ${problem}.`, EXAMPLES);
  const [root, , kind, ...more] = text.split('/');
  if (root !== 'devices') return badValue('Only what devices say is encrypted.', EXAMPLES);
  if (text === 'devices/#') return undefined;
  if (kind === undefined)
    return badValue('No topic is matched by this pattern.', `Write ${text.replace(/\/$/, '')}/#.`);
  if (more.join('/') !== '' && more.join('/') !== '#')
    return badValue('No topic has so many levels.', EXAMPLES);
  if (kind === '#' || kind === '+' || KINDS.includes(kind)) return undefined;
  return badValue(
    `Devices say nothing under "${kind}".`,
    `Write one of ${KINDS.join(', ')}, or # for all of them.`,
  );
}

const EXAMPLES = 'Write a pattern such as devices/#, devices/psu-1/# or devices/+/messages.';

/** Ids of devices that dial in unannounced. */
const NAMED_BY_US = /^(?:.{15}$|hex-|addr-)/;

/** Puts keys and patterns together, beside the ids of all devices; what contradicts itself has then been added. */
export function completeEncryption(
  given: z.infer<typeof secrecyShape>,
  files: KeyFiles,
  devices: ReadonlySet<string>,
  add: (finding: Finding) => void,
): EncryptionConfig {
  const keys = new Map<string, Uint8Array>();
  const ids = new Set<string>();
  for (const [index, { id, file }] of given.keys.entries()) {
    const bytes = keyIn(files.get(file));
    if (typeof bytes !== 'string') keys.set(id, bytes);
    else {
      add({
        code: 'config_bad_key',
        path: ['secrecy', 'keys', index, 'file'],
        message: bytes,
        fix: `A key is 32 bytes in base64. Make one with: heartwire key > ${file}`,
      });
    }
    if (ids.has(id)) {
      add({
        code: 'config_conflict',
        path: ['secrecy', 'keys', index, 'id'],
        message: 'Another key has the same id.',
        fix: 'Give each key an id of its own.',
      });
    }
    ids.add(id);
  }
  for (const [index, { pattern, key }] of given.topics.entries()) {
    if (!ids.has(key)) {
      const known = [...ids].join(', ');
      add({
        code: 'config_bad_value',
        path: ['secrecy', 'topics', index, 'key'],
        message: 'There is no key of this id.',
        fix: known === '' ? 'Add it to `keys`.' : `Add it to \`keys\`, or name one of: ${known}.`,
      });
    }
    const hidden = given.topics.slice(0, index).find((before) => coversPattern([before.pattern], pattern));
    const [, device = ''] = pattern.split('/');
    if (!/^[+#]$/.test(device) && !devices.has(device) && !NAMED_BY_US.test(device)) {
      add({
        severity: 'warning',
        code: 'config_no_effect',
        path: ['secrecy', 'topics', index, 'pattern'],
        message: `No device of this file is called ${device}.`,
        fix: 'Write the id as it stands below `devices:`.',
      });
    }
    if (hidden === undefined) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: ['secrecy', 'topics', index, 'pattern'],
      message: `${hidden.pattern} stands before it and covers the same topics.`,
      fix: 'Put the narrower pattern first.',
    });
  }
  return { keys, rules: given.topics };
}

/** The key in a file, or what is wrong with it. */
function keyIn(file: KeyFile | undefined): Uint8Array | string {
  if (file === undefined) return 'The file was not read.';
  if ('unreadable' in file) return file.unreadable;
  const key = keyOfText(file.text.trim());
  return typeof key === 'string' ? `The file holds ${key}.` : key;
}

/**
 * The key that a text is, as `heartwire key` prints one, or what it is instead; the text may be a secret all the same,
 * and is not said.
 */
export function keyOfText(text: string): Uint8Array | string {
  const digits = text
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  // A single character behind the last four says nothing, and `atob` throws at it.
  if (!/^[A-Za-z0-9+/]+$/.test(digits) || digits.length % 4 === 1) return 'something else than base64';
  const bytes = Uint8Array.from(atob(digits), (character) => character.charCodeAt(0));
  return bytes.length === KEY_BYTES ? bytes : `${bytes.length} bytes in base64`;
}

/** The files of keys that the text of a configuration names, each once. */
export function namedKeyFiles(value: unknown): readonly string[] {
  const parsed = fileNames.safeParse(value);
  const named = parsed.data?.secrecy.keys.map(({ file }) => file) ?? [];
  return [...new Set(named.filter((each): each is string => typeof each === 'string' && each !== ''))];
}

/** Enough of a configuration to find the files; what is wrong with it is said elsewhere. */
const fileNames = z.object({ secrecy: z.object({ keys: z.array(z.object({ file: z.unknown() })) }) });

/**
 * The id of the key with which a topic is encrypted; undefined where it is not. Patterns are read literally here: unlike
 * in a subscription, `#` is raw bytes too.
 */
export function keyOf(rules: readonly EncryptionRule[], topic: string): string | undefined {
  return rules.find(({ pattern }) => coversPattern([pattern], topic))?.key;
}
