import { describe, expect, it } from 'vitest';
import { CLOSE_CODES } from '../src/contract/feed/close-code.ts';
import { FEED_ERROR_CODES } from '../src/contract/feed/feed-error.ts';
import { ERROR_CODES, HeartwireError } from '../src/errors.ts';
import { projectFiles, readProjectFile } from './support/project-files.ts';
import { scanSource } from './support/source-text.ts';

interface Row {
  readonly code: string;
  readonly meaning: string;
  readonly fix: string;
}

const [codes = '', feedCodes = '', reasons = ''] = readProjectFile('docs/errors.md').split(
  /^## In (?:answers of the feed|a device's state).*$/m,
);

function documented(text = codes): readonly Row[] {
  const rows = text.matchAll(/^\| `([a-z0-9_]+)` \| (.*?) \| (.*?) \|$/gm);
  return [...rows].map(([, code = '', meaning = '', fix = '']) => ({ code, meaning, fix }));
}

describe('the codes in docs/errors.md', () => {
  it('are those of the source, with the same meaning', () => {
    const meanings = Object.fromEntries(documented().map(({ code, meaning }) => [code, meaning]));
    expect(meanings).toEqual(ERROR_CODES);
  });

  it('list those of the feed by themselves', () => {
    expect(documented(feedCodes).map(({ code }) => code)).toEqual([...FEED_ERROR_CODES]);
  });

  it('have the close codes of the feed beside them', () => {
    const rows = [...feedCodes.matchAll(/^\| (\d{4}) \| `([a-z0-9_]+)` \| [A-Z].{10,}\. \|$/gm)];
    expect(Object.fromEntries(rows.map(([, code, reason]) => [reason, Number(code)]))).toEqual(CLOSE_CODES);
  });

  it('are listed once each', () => {
    const listed = documented().map(({ code }) => code);
    expect(listed.filter((code, index) => listed.indexOf(code) !== index)).toEqual([]);
  });

  it('each say what to do next', () => {
    expect(
      [codes, feedCodes, reasons].flatMap(documented).filter(({ fix }) => !/^[A-Z].{10,}\.$/.test(fix)),
    ).toEqual([]);
  });
});

describe('the codes in the source', () => {
  it('are snake_case words with a sentence', () => {
    for (const [code, meaning] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[a-z]+(?:_[a-z0-9]+)*$/);
      expect(meaning).toMatch(/^[A-Z].{10,}\.$/);
    }
  });

  /** Words that some place of the source gives as a code or a reason. */
  function written(folders: readonly string[], pattern: RegExp): readonly string[] {
    return projectFiles(folders, ['.ts']).flatMap((path) => {
      const { code, strings } = scanSource(readProjectFile(path));
      return [...code.matchAll(pattern)].map(([, at]) => strings[Number(at)] ?? '');
    });
  }
  const known = new Set([codes, feedCodes, reasons].flatMap(documented).map(({ code }) => code));
  // zod's own, and a line in the log that nothing is wrong with.
  const innocent = new Set(['custom', 'online']);

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
    const sources = projectFiles(['src', 'bin'], ['.ts']).filter((path) => path !== 'src/errors.ts');
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
