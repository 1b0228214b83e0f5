import { describe, expect, it } from 'vitest';
import { DEVICE_REASONS } from '../src/contract/feed/device-reason.ts';
import { FEED_ERROR_CODES } from '../src/contract/feed/feed-error.ts';
import { CLOSE_CODES, mayReconnect } from '../src/contract/wire/close-code.ts';
import { type CodeText, ERROR_CODES, HeartwireError } from '../src/errors.ts';
import { projectFiles, readProjectFile } from './support/project-files.ts';
import { scanSource } from './support/source-text.ts';

const TABLES: Readonly<Record<string, Readonly<Record<string, CodeText>>>> = {
  'the errors': ERROR_CODES,
  'the feed': FEED_ERROR_CODES,
  'the state of a device': DEVICE_REASONS,
};

describe('the codes in the source', () => {
  it.each(Object.entries(TABLES))('are words with two sentences in the table of %s', (_, codes) => {
    for (const [code, { meaning, fix }] of Object.entries(codes)) {
      expect(code).toMatch(/^[a-z]+(?:_[a-z0-9]+)*$/);
      expect(meaning).toMatch(/^[A-Z].{10,}\.$/);
      expect(fix).toMatch(/^[A-Z].{10,}\.$/);
    }
  });

  it('say for each close of the feed whether the client comes back', () => {
    for (const { code, meaning, client } of Object.values(CLOSE_CODES)) {
      expect(meaning).toMatch(/^[A-Z].{10,}\.$/);
      if (code >= 4000)
        expect(client.startsWith('Reconnects'), `${code}: ${client}`).toBe(mayReconnect(code));
    }
  });

  /** Words that some place of the source gives as a code or a reason. */
  function written(folders: readonly string[], pattern: RegExp): readonly string[] {
    return projectFiles(folders, ['.ts']).flatMap((path) => {
      const { code, strings } = scanSource(readProjectFile(path));
      return [...code.matchAll(pattern)].map(([, at]) => strings[Number(at)] ?? '');
    });
  }
  const known = new Set(Object.values(TABLES).flatMap(Object.keys));
  // The code of zod, the reason of a fault on the line, and a line in the log where nothing is wrong.
  const innocent = new Set(['custom', 'intruder', 'online']);

  it.each([
    ['a code', ['src'], /\bcode: "§(\d+)"/g],
    ['the code of an error', ['src'], /\bHeartwireError\(\s*"§(\d+)"/g],
    ['a reason', ['src/devices/core'], /\breason: "§(\d+)"/g],
    ['the reason of a status', ['src/devices/core'], /\bsetStatus\((?:[^;"]*"§\d+"|[^;",]*),[^;"]*"§(\d+)"/g],
  ])('are documented wherever %s is written out', (_, folders, pattern) => {
    const words = written(folders, pattern);
    expect(words.length).toBeGreaterThan(2);
    expect(words.filter((word) => !known.has(word) && !innocent.has(word))).toEqual([]);
  });

  it('are all reported somewhere', () => {
    const sources = projectFiles(['src', 'bin'], ['.ts']).filter((path) => path !== 'src/error-codes.ts');
    const used = new Set(sources.flatMap((path) => scanSource(readProjectFile(path)).strings));
    expect(Object.keys(ERROR_CODES).filter((code) => !used.has(code))).toEqual([]);
  });
});

describe('an error', () => {
  it('carries what a program and a person need', () => {
    const cause = new Error('EACCES');
    const error = new HeartwireError('port_permission', 'may not open /dev/ttyUSB0', {
      device: 'psu-1',
      seen: '/dev/ttyUSB0',
      fix: 'Join the group dialout.',
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'HeartwireError',
      code: 'port_permission',
      message: 'may not open /dev/ttyUSB0',
      device: 'psu-1',
      seen: '/dev/ttyUSB0',
      fix: 'Join the group dialout.',
      cause,
    });
  });

  it('has no cause where there is none', () => {
    expect('cause' in new HeartwireError('bad_argument', 'no')).toBe(false);
  });
});
