import { describe, expect, it } from 'vitest';
import { parseDuration } from '../src/config/duration.ts';
import { SESSION_CHOICES } from '../src/config/session-keys.ts';
import { CLIENT_MESSAGE_TYPES, COMMAND_TIMEOUT_MS } from '../src/contract/feed/client-messages.ts';
import { FEED_ERROR_CODES } from '../src/contract/feed/feed-error.ts';
import { INCIDENT_REASONS } from '../src/contract/feed/incident-documents.ts';
import { SERVER_MESSAGE_TYPES } from '../src/contract/feed/server-messages.ts';
import { LEVELS } from '../src/contract/feed/topic-documents.ts';
import { ROLES } from '../src/contract/role.ts';
import { TRANSPORTS } from '../src/contract/transport.ts';
import { CLOSE_CODES } from '../src/contract/wire/close-code.ts';
import { DEVICE_STATUSES, LINK_STATUSES } from '../src/contract/wire/statuses.ts';
import { ERROR_CODES } from '../src/error-codes.ts';
import { FIELD_TYPES } from '../src/protocol/declared/field-types.ts';
import { FRAMING_TYPES } from '../src/protocol/framing/declaration.ts';
import { projectFiles, readProjectFile } from './support/project-files.ts';

/** The words of each contract that is a set of words, and the one file that lists them. */
const CONTRACTS: Readonly<Record<string, { readonly file: string; readonly words: readonly string[] }>> = {
  'statuses of a device': { file: 'src/contract/wire/statuses.ts', words: Object.keys(DEVICE_STATUSES) },
  'statuses of a link': { file: 'src/contract/wire/statuses.ts', words: Object.keys(LINK_STATUSES) },
  'reasons to close': { file: 'src/contract/wire/close-code.ts', words: Object.keys(CLOSE_CODES) },
  'messages of clients': { file: 'src/contract/feed/client-messages.ts', words: CLIENT_MESSAGE_TYPES },
  'messages of the server': { file: 'src/contract/feed/server-messages.ts', words: SERVER_MESSAGE_TYPES },
  'errors of the feed': { file: 'src/contract/feed/feed-error.ts', words: Object.keys(FEED_ERROR_CODES) },
  'error codes': { file: 'src/error-codes.ts', words: Object.keys(ERROR_CODES) },
  'levels of values': { file: 'src/contract/feed/topic-documents.ts', words: LEVELS },
  'reasons of incidents': {
    file: 'src/contract/feed/incident-documents.ts',
    words: Object.keys(INCIDENT_REASONS),
  },
  'roles of access': { file: 'src/contract/role.ts', words: ROLES },
  transports: { file: 'src/contract/transport.ts', words: TRANSPORTS },
  framings: { file: 'src/protocol/framing/declaration.ts', words: FRAMING_TYPES },
  'types of fields': { file: 'src/protocol/declared/field-types.ts', words: Object.keys(FIELD_TYPES) },
  'senders of heartbeats': { file: 'src/config/session-keys.ts', words: SESSION_CHOICES.beats },
  'kinds of identity': { file: 'src/protocol/declared/builtin.ts', words: SESSION_CHOICES.identity },
};

/** Written by `npm run generate`. */
const GENERATED = ['src/contract/wire/wire-types.ts', 'src/cli/commands.ts'];

const LIST = /\[\s*'[\w-]+'(?:\s*,\s*'[\w-]+')+\s*,?\s*\]/g;
const UNION = /(?:\|\s*)?'[\w-]+'(?:\s*\|\s*'[\w-]+')+/g;

/** Lists and unions that say a contract, or most of it, once more. */
function copies(path: string, text: string): readonly string[] {
  return [...text.matchAll(LIST), ...text.matchAll(UNION)].flatMap(({ 0: found, index }) => {
    const words = new Set(found.match(/[\w-]+(?=')/g));
    const line = text.slice(0, index).split('\n').length;
    return Object.entries(CONTRACTS).flatMap(([name, contract]) => {
      const known = contract.words.filter((word) => words.has(word)).length;
      const most = known > 2 && known >= 0.6 * contract.words.length && known >= 0.6 * words.size;
      const all = known === contract.words.length && known === words.size;
      return contract.file !== path && (most || all)
        ? [`${path}:${line}: lists the ${name}, which ${contract.file} has`]
        : [];
    });
  });
}

describe('every contract stands once', () => {
  it('and nothing lists its words again', () => {
    const files = projectFiles(['src', 'bin'], ['.ts']).filter((path) => !GENERATED.includes(path));
    expect(files.length).toBeGreaterThan(300);
    expect(files.flatMap((path) => copies(path, readProjectFile(path)))).toEqual([]);
  });

  it.each([
    "const STATUSES = ['unknown', 'registering', 'online', 'stale', 'offline', 'away'];",
    "type Status = 'unknown' | 'registering' | 'online' | 'stale' | 'offline';",
    "type Role =\n  | 'read'\n  | 'command'\n  | 'admin';",
  ])('a copy is seen: %s', (text) => {
    expect(copies('src/app/a.ts', text)).toHaveLength(1);
  });

  it.each(["const SILENT = ['offline', 'away'];", "type End = 'end' | 'destroy';"])(
    'what picks a few of them is none: %s',
    (text) => {
      expect(copies('src/app/a.ts', text)).toEqual([]);
    },
  );
});

/** A default of a key, by the name that its value has in the code. */
type Defaults = ReadonlyMap<string, ReadonlySet<number>>;

const MIB = 1_024 * 1_024;

/** The defaults that are numbers, of all keys of a JSON Schema. */
function numbersOf(schema: unknown, found = new Map<string, Set<number>>()): Map<string, Set<number>> {
  if (typeof schema !== 'object' || schema === null) return found;
  const { properties } = schema as { properties?: Record<string, { default?: unknown }> };
  for (const [key, { default: preset }] of Object.entries(properties ?? {})) {
    const duration = typeof preset === 'string' ? parseDuration(preset) : undefined;
    const factor = key.endsWith('_mb') ? MIB : key.endsWith('_kb') ? 1_024 : 1;
    const value = duration ?? (typeof preset === 'number' ? preset * factor : undefined);
    if (value === undefined) continue;
    const name = duration === undefined ? key.replace(/_[mk]b$/, '_bytes') : `${key}_ms`;
    found.set(name, new Set([...(found.get(name) ?? []), value]));
  }
  for (const inner of Object.values(schema)) numbersOf(inner, found);
  return found;
}

/** Names that say too little: other things are called so too. */
const GENERAL = ['after', 'before', 'entries', 'every', 'for', 'keep', 'max', 'max_age', 'timeout', 'within'];

/** The contract of the line of a serial port, whose numbers `config/session-keys.ts` takes from it. */
const DEFAULT_LINE = 'src/links/serial-address.ts';

const LITERAL = String.raw`[\d_]+(?:\.\d+)?(?: \* [\d_]+(?:\.\d+)?)*`;

/** Numbers in the code that are the default of a key and are called like it. */
function copiedNumbers(path: string, text: string, defaults: Defaults): readonly string[] {
  return [...defaults].flatMap(([name, values]) => {
    const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const names = `(?:${camel}|${name}|(?:DEFAULT_)?${name.toUpperCase()})`;
    const given = new RegExp(
      String.raw`\b${names}\b(?:: number)?(?: =|:| \?\?) (${LITERAL})(?![\w.]| \*)`,
      'g',
    );
    return [...text.matchAll(given)].flatMap(({ 0: found, 1: literal = '', index }) => {
      const factors = literal.split(' * ').map((each) => Number(each.replaceAll('_', '')));
      const value = factors.reduce((product, factor) => product * factor, 1);
      const line = text.slice(0, index).split('\n').length;
      return values.has(value) ? [`${path}:${line}: \`${found}\` is the default of \`${name}\``] : [];
    });
  });
}

describe('every default stands once', () => {
  const defaults = numbersOf(
    ['devices', 'messages', 'registers'].map((name) =>
      JSON.parse(readProjectFile(`schemas/${name}.schema.json`)),
    ),
  );
  defaults.set('command_timeout_ms', new Set([COMMAND_TIMEOUT_MS]));
  for (const [name, values] of defaults) {
    // Every count begins with 0 or 1.
    for (const trifle of [0, 1]) values.delete(trifle);
    if (values.size === 0 || GENERAL.includes(name.replace(/_(ms|bytes)$/, ''))) defaults.delete(name);
  }

  it('and no number elsewhere repeats it', () => {
    expect(defaults.size).toBeGreaterThan(30);
    const contract = [
      'src/contract/feed/client-messages.ts',
      DEFAULT_LINE,
      'src/protocol/framing/framing-keys.ts',
    ];
    const files = projectFiles(['src', 'bin', 'web/src'], ['.ts', '.tsx']).filter(
      (path) => !contract.includes(path),
    );
    expect(files.flatMap((path) => copiedNumbers(path, readProjectFile(path), defaults))).toEqual([]);
  });

  it.each([
    'const limits = { maxPatterns: 256 };',
    'const { requestTimeoutMs = 5_000 } = settings;',
    'const DEFAULT_REQUEST_TIMEOUT_MS = 5_000;',
    'interval ?? settings.intervalMs ?? 3 * 1_000',
    'server: { host: 127.0.0.1, port: 8080 }',
  ])('a copy is seen: %s', (text) => {
    expect(copiedNumbers('src/app/a.ts', text, defaults)).toHaveLength(1);
  });

  it.each(['const limits = { maxPatterns: 10 };', 'maxPatterns: 256 * SCALE', 'const MOST_LISTED = 256;'])(
    'another number is none: %s',
    (text) => {
      expect(copiedNumbers('src/app/a.ts', text, defaults)).toEqual([]);
    },
  );
});
