import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addEntry } from '../../src/config/add-entry.ts';
import { lineDiff } from '../../src/config/line-diff.ts';
import { readYaml } from '../../src/config/yaml-source.ts';

const NEW = '- id: new\n  link: tcp:192.0.2.1:5025 # beside the door\n  session: none\n';
const VALUE = { id: 'new', link: 'tcp:192.0.2.1:5025', session: 'none' };

function added(text: string, lines = NEW, section: 'devices' | 'listeners' = 'devices'): string {
  const result = addEntry(text, { section, lines });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.text;
}

describe('an entry that is added', () => {
  it.each([
    [
      'stands behind the last one, with the comments of both',
      'server: { port: 8080 } # the page\n\ndevices:\n  # first shelf\n  - id: a   # old\n    link:   "tcp:a:1"\n    # baud: 9600\n\n# who dials in\nlisteners: []\n',
      'server: { port: 8080 } # the page\n\ndevices:\n  # first shelf\n  - id: a   # old\n    link:   "tcp:a:1"\n    # baud: 9600\n  - id: new\n    link: tcp:192.0.2.1:5025 # beside the door\n    session: none\n\n# who dials in\nlisteners: []\n',
    ],
    [
      'keeps the distance between entries',
      'devices:\n- id: a\n\n- id: b\n',
      'devices:\n- id: a\n\n- id: b\n\n- id: new\n  link: tcp:192.0.2.1:5025 # beside the door\n  session: none\n',
    ],
    [
      'begins a list that has only comments',
      'devices:\n  # - id: example\nserver: {}\n',
      'devices:\n  - id: new\n    link: tcp:192.0.2.1:5025 # beside the door\n    session: none\n  # - id: example\nserver: {}\n',
    ],
    [
      'begins a list that is empty',
      'devices: [] # none yet\nserver: {}\n',
      'devices: # none yet\n  - id: new\n    link: tcp:192.0.2.1:5025 # beside the door\n    session: none\nserver: {}\n',
    ],
    [
      'joins a list in brackets',
      'devices: [{ id: a }, # one\n  { id: b },]\n',
      'devices: [{ id: a }, # one\n  { id: b }, { id: new, link: tcp:192.0.2.1:5025, session: none },]\n',
    ],
    [
      'begins a list that is not there, behind a line without an end',
      'server: {}',
      'server: {}\ndevices:\n  - id: new\n    link: tcp:192.0.2.1:5025 # beside the door\n    session: none\n',
    ],
    [
      'is all of a file of comments',
      '# my bench\n',
      '# my bench\ndevices:\n  - id: new\n    link: tcp:192.0.2.1:5025 # beside the door\n    session: none\n',
    ],
    [
      'has the line ends of the file',
      'devices:\r\n  - id: a\r\n',
      'devices:\r\n  - id: a\r\n  - id: new\r\n    link: tcp:192.0.2.1:5025 # beside the door\r\n    session: none\r\n',
    ],
    [
      'stands behind a text of several lines',
      'devices:\n  - id: a\n    note: |\n      x\n\n      y\nserver: {}\n',
      'devices:\n  - id: a\n    note: |\n      x\n\n      y\n  - id: new\n    link: tcp:192.0.2.1:5025 # beside the door\n    session: none\nserver: {}\n',
    ],
    [
      'keeps the mark of byte order',
      '\uFEFFdevices:\n  - id: a\n',
      '\uFEFFdevices:\n  - id: a\n  - id: new\n    link: tcp:192.0.2.1:5025 # beside the door\n    session: none\n',
    ],
  ])('%s', (_, before, after) => {
    expect(added(before)).toBe(after);
  });

  it.each([
    ['with a dash', '- id: x\n  match: { identity: "1" }'],
    ['without one', 'id: x\nmatch: { identity: "1" }'],
    ['indented as in the file', '    - id: x\n      match: { identity: "1" }\n'],
    ['in brackets', '{ id: x, match: { identity: "1" } }'],
    ['with the line ends of Windows', '- id: x\r\n  match:\r\n    identity: "1"\r\n'],
  ])('may be written %s', (_, lines) => {
    const list = readYaml(added('devices:\n  - id: a\n', lines)).value;
    expect(list).toEqual({ devices: [{ id: 'a' }, { id: 'x', match: { identity: '1' } }] });
  });

  it.each([
    ['no YAML', '- id: "x\n', 1],
    ['a tab', '- id: x\n\tlink: y\n', 2],
    ['two entries', '- id: x\n- id: y\n', 1],
    ['a word', 'psu-1', 1],
    ['a list', '[1, 2]', 1],
    ['nothing', '# only a comment', 1],
    ['another document', '- id: x\n---\nserver: {}\n', 2],
    ['the end of the document', '- id: x\n...\n', 2],
    ['a key twice', '- id: x\n  id: y\n', 2],
    ['an alias of nothing', '- id: *x\n', 1],
    ['a character that is no text', '- id: x\u2028server: 1', 1],
    ['nested without end', '['.repeat(5_000), 1],
  ])('is reported with its line where it is %s', (_, lines, line) => {
    const result = addEntry('devices: []\n', { section: 'devices', lines });
    expect('problems' in result && result.problems[0]).toMatchObject({
      file: 'lines',
      line,
      severity: 'error',
    });
  });

  it.each([
    ['all of the file in brackets', '{ devices: [{ id: a }] }\n'],
    ['an alias', 'defaults: &d []\ndevices: *d\n'],
    ['a text', 'devices: none\n'],
    ['comments in brackets', 'devices: [ # none\n  ]\n'],
    ['a document that was ended', 'server: {}\n...\n'],
  ])('is refused where the list is %s', (_, text) => {
    expect(() => added(text)).toThrow(expect.objectContaining({ code: 'config_not_editable' }));
  });

  it('changes nothing else, whatever the file looks like', () => {
    const scalar = fc.constantFrom(
      '1',
      '"a: b"',
      "'it''s'",
      'plain words',
      '|\n      text\n\n',
      '>-\n      a\n      b\n',
      '[1, {a: 2}]',
      '',
    );
    const tail = fc.constantFrom('', ' # c', '   ');
    const item = fc
      .tuple(
        fc.array(fc.tuple(scalar, tail), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', '\n', '    # note\n', '# far\n'),
      )
      .map(
        ([values, after]) =>
          values
            .map(
              ([value, end], at) =>
                `${at === 0 ? '  - ' : '    '}k${at}: ${value}${value.endsWith('\n') ? '' : `${end}\n`}`,
            )
            .join('') + after,
      );
    const list = fc.array(item, { maxLength: 4 }).map((items) => `devices:\n${items.join('')}`);
    const other = fc.constantFrom('', 'server: { port: 0 } # x\n', '# c\nlog:\n  level: warn\n\n');
    fc.assert(
      fc.property(other, list, other, fc.boolean(), (head, devices, tailText, ended) => {
        fc.pre(head === '' || head !== tailText);
        const text = ended ? head + devices + tailText : (head + devices + tailText).trimEnd();
        const before = readYaml(text).value as { devices: unknown[] | null };
        const after = added(text);
        expect(readYaml(after).value).toEqual({ ...before, devices: [...(before.devices ?? []), VALUE] });
        // What was added is one piece: without it the file is what it was.
        const from = after.split('\n').findIndex((line) => line.trim() === '- id: new');
        const left = after.split('\n').toSpliced(from, 3).join('\n');
        const same = (one: string) => one.replace(/\n+/g, '\n').trimEnd();
        expect(same(left)).toBe(same(text));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the shown difference', () => {
  it('is the added lines, with three lines around them', () => {
    const text = '1\n2\n3\n4\n5\n6\n7\n8\n';
    const diff = lineDiff(text, text.replace('4\n', '4\nx\ny\n'));
    expect(diff.map(({ sign, line, text: of }) => `${sign}${line} ${of}`)).toEqual([
      ' 2 2',
      ' 3 3',
      ' 4 4',
      '+5 x',
      '+6 y',
      ' 7 5',
      ' 8 6',
      ' 9 7',
    ]);
  });

  it('shows a line that changes as one that goes and one that comes', () => {
    expect(lineDiff('a: []\n', 'a: [1]').map(({ sign, text }) => sign + text)).toEqual(['-a: []', '+a: [1]']);
  });

  it('is empty where nothing differs', () => {
    expect(lineDiff('', '')).toEqual([]);
  });
});
