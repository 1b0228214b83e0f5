import { describe, expect, it } from 'vitest';
import { CLIENT_MESSAGE_TYPES } from '../../src/contract/feed/client-messages.ts';
import { DEVICE_REASONS } from '../../src/contract/feed/device-reason.ts';
import { FEED_ERROR_CODES } from '../../src/contract/feed/feed-error.ts';
import { SERVER_MESSAGE_TYPES } from '../../src/contract/feed/server-messages.ts';
import { LEVELS, TOPICS } from '../../src/contract/feed/topic-documents.ts';
import { ROLES } from '../../src/contract/role.ts';
import { TRANSPORTS } from '../../src/contract/transport.ts';
import { CLOSE_CODES } from '../../src/contract/wire/close-code.ts';
import { DEVICE_STATUSES, LINK_STATUSES } from '../../src/contract/wire/statuses.ts';
import { ERROR_CODES } from '../../src/error-codes.ts';
import type { SourceFile } from '../support/import-law.ts';
import { projectFiles, readProjectFile } from '../support/project-files.ts';
import { lineOf, scanSource } from '../support/source-text.ts';

/** The words of each contract, under what they are. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  'statuses of devices': Object.keys(DEVICE_STATUSES),
  'statuses of links': Object.keys(LINK_STATUSES),
  'types of client messages': CLIENT_MESSAGE_TYPES,
  'types of server messages': SERVER_MESSAGE_TYPES,
  'codes of the feed': Object.keys(FEED_ERROR_CODES),
  'codes of closing': Object.keys(CLOSE_CODES),
  'reasons of devices': Object.keys(DEVICE_REASONS),
  'codes of errors': Object.keys(ERROR_CODES),
  topics: Object.keys(TOPICS),
  transports: TRANSPORTS,
  levels: LEVELS,
  roles: ROLES,
};
/** Of a few words two together say nothing: `alarm` and `warn` are those that are not good. */
const FEWEST = 3;

/**
 * Second lists of what a contract lists, as `path:line: what`: unions and arrays that hold more than half of its words,
 * and types of messages in text that is sent. One word where a type expects it is no copy: the compiler holds it equal.
 */
function copies({ path, text }: SourceFile): readonly string[] {
  const { code, strings } = scanSource(text);
  const lists = [...code.matchAll(/"§\d+"(?:\s*[|,]\s*"§\d+")+/g)].flatMap(({ 0: whole, index }) => {
    const words = [...whole.matchAll(/§(\d+)/g)].map(([, at]) => strings[Number(at)] ?? '');
    return Object.entries(WORDS)
      .filter(([, known]) => {
        const held = new Set(words.filter((word) => known.includes(word))).size;
        return held >= FEWEST && held > known.length / 2;
      })
      .map(([what]) => `${path}:${lineOf(code, index)}: lists ${what}`);
  });
  const types: readonly string[] = [...CLIENT_MESSAGE_TYPES, ...SERVER_MESSAGE_TYPES];
  const sent = text.split('\n').flatMap((line, at) => {
    const type = /"type": ?"(\w+)"/.exec(line)?.[1] ?? '';
    // Comments show messages to people.
    return types.includes(type) && !/^\s*(?:\*|\/\/|\/\*)/.test(line)
      ? [`${path}:${at + 1}: writes the type "${type}" as text`]
      : [];
  });
  return [...lists, ...sent];
}

describe('every contract stands once', () => {
  it('outside contract/ nothing lists its words again', () => {
    const files = projectFiles(['src', 'bin'], ['.ts'])
      .filter((path) => !path.startsWith('src/contract/') && path !== 'src/error-codes.ts')
      .map((path) => ({ path, text: readProjectFile(path) }));
    expect(files.length).toBeGreaterThan(100);
    expect(files.flatMap(copies)).toEqual([]);
  });

  it.each([
    ["const all = ['online', 'offline', 'stale', 'unknown'];", 'lists statuses of devices'],
    ["type Status = 'connected' | 'connecting' | 'backoff' | 'failed' | string;", 'lists statuses of links'],
    ["const of: ReadonlySet<string> = new Set(['read',\n  'command',\n  'admin',\n]);", 'lists roles'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is program text.
    ['const head = `{"type":"synced","id":${id}`;', 'writes the type "synced" as text'],
  ])('has teeth: %s', (text, what) => {
    expect(copies({ path: 'src/a.ts', text })).toEqual([`src/a.ts:1: ${what}`]);
  });

  it.each([
    "if (status === 'online' || status === 'stale') beat();",
    "const SETS_LINE: ReadonlySet<Transport> = new Set(['serial', 'rfc2217']);",
    '// As in {"type":"synced"}.',
    "const x = ['online', 'a', 'b', 'c'];",
  ])('lets pass: %s', (text) => {
    expect(copies({ path: 'src/a.ts', text })).toEqual([]);
  });
});
