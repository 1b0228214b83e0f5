import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { LARGEST_CONFIG } from '../../src/config/read-document.ts';
import { problem, REGISTER } from './example.ts';

const example = readFileSync(new URL('../../devices.yaml', import.meta.url), 'utf8');

describe('text that is no configuration', () => {
  it.each([
    ['a tab in the indentation', 'devices:\n\t- id: x\n', '2:1', 'config_syntax', /tab/i],
    ['an open bracket', 'devices: [', '1:11', 'config_syntax', /\]/],
    ['two documents', 'server: {}\n---\nserver: {}\n', '2:1', 'config_syntax', /second document/],
    ['an unknown tag', 'server: !!js/function "x"\n', '1:9', 'config_syntax', /tag/i],
    ['an alias without anchor', 'server: *nobody\n', '1:9', 'config_syntax', /nobody/],
    [
      'an alias without anchor behind one that has it',
      'server: &s {}\nmetrics: *s\nfiles: *nobody\n',
      '3:8',
      'config_syntax',
      /nobody/,
    ],
    ['a key that is a list', '? [a]\n: 3\n', '1:3', 'config_syntax', /key must be a word/],
    ['a key that is a number', '7: 3\n', '1:1', 'config_syntax', /key must be a word/],
    ['a merge key', '<<: { server: {} }\n', '1:1', 'config_unknown_key', /<</],
    ['no keys', 'just words', '1:1', 'config_bad_type', /no keys/],
    ['a list', '- id: x', '1:1', 'config_bad_type', /no keys/],
    ['nothing', '# all comments\n', '1:1', 'config_missing_key', /empty/],
    ['brackets without end', '['.repeat(100_000), '1:201', 'config_too_large', /deeply/],
    ['lists in lists', '- '.repeat(100_000), '1:401', 'config_too_large', /deeply/],
    ['more than 4 MiB', `# ${'x'.repeat(LARGEST_CONFIG)}`, '1:1', 'config_too_large', /at most 4\.0 MiB/],
  ])('%s', (_, text, place, code, message) => {
    const [first, ...others] = loadConfig(text, 'f').problems.filter((each) => each.severity === 'error');
    expect(others).toEqual([]);
    expect(first && { place: `${first.line}:${first.column}`, code: first.code }).toEqual({ place, code });
    expect(first?.message).toMatch(message);
    expect(loadConfig(text, 'f').config).toBeUndefined();
  });

  it('refuses aliases that multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]`);
    expect(problem(lines.join('\n'))).toMatchObject({ line: 2, code: 'config_syntax', message: /multiply/ });
  });

  it('pollutes no prototype', () => {
    const text = `devices:\n  - { id: x, link: "tcp:a:1", ${REGISTER}, __proto__: { polluted: true }, heartbeat: { __proto__: { missed: 1 } } }\n__proto__: { polluted: true }`;
    expect(loadConfig(text, 'f').problems.map((each) => each.path)).toEqual([
      'devices[0].__proto__',
      'devices[0].heartbeat.__proto__',
      '__proto__',
    ]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('reads a thousand keys given twice, and names each', () => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}: 1`).join('\n');
    const found = loadConfig(`${keys}\n${keys}`, 'f').problems;
    expect(found.filter((each) => each.code === 'config_duplicate_key')).toHaveLength(1_000);
  });
});

describe('a damaged configuration', () => {
  const sane = (text: string) => {
    const lines = text.split('\n').length;
    const { config, problems, failed } = loadConfig(text, 'f');
    for (const each of problems) {
      expect(each.line).toBeGreaterThanOrEqual(1);
      expect(each.line).toBeLessThanOrEqual(lines);
      expect(each.column).toBeGreaterThanOrEqual(1);
      expect(formatProblem(each)).not.toMatch(/undefined|\[object|\n/);
      expect(each.fix).toMatch(/[.?]$/);
    }
    // Whoever gets less than was written is told why.
    const wrong = problems.some((each) => each.severity === 'error');
    expect(config === undefined || failed.length > 0 ? wrong : true).toBe(true);
  };

  it('never throws, and always points into the file: cut anywhere', () => {
    for (let end = 0; end <= example.length; end += 3) sane(example.slice(0, end));
  });

  it('never throws, and always points into the file: damaged anywhere', () => {
    const bit = fc.oneof(
      fc.constantFrom(
        '\t',
        '\n',
        ':',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '"',
        '&a ',
        '*a',
        '!!int ',
        '|',
        '? ',
        '~',
        '\u0000',
      ),
      fc.string({ maxLength: 3 }),
    );
    const damage = fc.record({ at: fc.nat(example.length), remove: fc.nat(6), put: bit });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        sane(
          damages.reduce(
            (text, { at, remove, put }) => text.slice(0, at) + put + text.slice(at + remove),
            example,
          ),
        );
      }),
      { numRuns: 300 },
    );
  });
});
