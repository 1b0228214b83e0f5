import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { messagesJsonSchemaText, registersJsonSchemaText } from '../../../src/config/messages/json-schema.ts';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { LARGEST_MESSAGES } from '../../../src/config/read-document.ts';

const field = (keys: string): string =>
  `messages:\n  - name: m\n    id: 1\n    fields:\n      - { ${keys} }\n`;
const fields = (...each: string[]): string =>
  `messages:\n  - name: m\n    id: 1\n    fields:\n${each.map((keys) => `      - { ${keys} }\n`).join('')}`;
const message = (keys: string): string => `messages:\n  - { name: m, id: 1, ${keys} }\n`;

/** `line:column path code` of every problem. */
const found = (text: string): string[] =>
  loadMessages(text, 'f').problems.map(({ line, column, path, code }) => `${line}:${column} ${path} ${code}`);

const BIG = `messages: []\n# ${'x'.repeat(LARGEST_MESSAGES)}`;
const BOMB = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 8 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`),
].join('\n');

describe('one problem, with its place', () => {
  test.each<[string, string, string, RegExp]>([
    [
      'an unknown type',
      field('name: a, type: u12'),
      '5:26 messages[0].fields[0].type config_bad_value',
      /u8 to u64/,
    ],
    [
      'an unknown key',
      field('name: a, type: u8, scael: 0.1'),
      '5:30 messages[0].fields[0].scael config_unknown_key',
      /Did you mean `scale`/,
    ],
    [
      'a key of another type',
      field('name: a, type: text, length: 4, scale: 2'),
      '5:50 messages[0].fields[0].scale config_no_effect',
      /type: text/,
    ],
    ['no name', field('type: u8'), '5:9 messages[0].fields[0] config_missing_key', /Add `name:`/],
    [
      'a name that no URL carries',
      field('name: "a b", type: u8'),
      '5:17 messages[0].fields[0].name config_bad_value',
      /for example a_b/,
    ],
    [
      '__proto__',
      field('name: __proto__, type: u8'),
      '5:17 messages[0].fields[0].name config_bad_value',
      /meaning of its own/,
    ],
    [
      'constructor',
      field('name: constructor, type: u8'),
      '5:17 messages[0].fields[0].name config_bad_value',
      /meaning of its own/,
    ],
    [
      'two fields of a name',
      fields('name: a, type: u8', 'name: a, type: u8'),
      '6:17 messages[0].fields[1].name config_conflict',
      /two fields/,
    ],
    [
      'overlapping bits',
      field('name: a, type: u8, bits: [{ name: x, at: 0..2 }, { name: y, at: 2 }]'),
      '5:75 messages[0].fields[0].bits[1].at config_conflict',
      /overlap with `x`/,
    ],
    [
      'bits that are not there',
      field('name: a, type: u8, bits: [{ name: x, at: 8 }]'),
      '5:52 messages[0].fields[0].bits[0].at config_bad_value',
      /0 to 7/,
    ],
    [
      'bits of a signed number',
      field('name: a, type: i8, bits: [{ name: x, at: 0 }]'),
      '5:36 messages[0].fields[0].bits config_bad_value',
      /unsigned/,
    ],
    [
      'limits outside the range',
      field('name: a, type: u8, scale: 0.1, limits: { warn: [0, 26] }'),
      '5:62 messages[0].fields[0].limits.warn[1] config_bad_value',
      /0 to 25\.5/,
    ],
    [
      'an enum with a scale',
      field('name: a, type: u8, enum: { 0: x }, scale: 2'),
      '5:53 messages[0].fields[0].scale config_conflict',
      /beside `enum`/,
    ],
    [
      'an enum that is not there',
      field('name: a, type: u8, enum: mode'),
      '5:36 messages[0].fields[0].enum config_bad_value',
      /below `enums:`/,
    ],
    [
      'an enum beyond the type',
      field('name: a, type: u8, enum: { 256: x }'),
      '5:43 messages[0].fields[0].enum["256"] config_bad_value',
      /0 to 255/,
    ],
    [
      'a scale of 0',
      field('name: a, type: u8, scale: 0'),
      '5:37 messages[0].fields[0].scale config_bad_value',
      /other than 0/,
    ],
    [
      'an invalid value beyond the type',
      field('name: a, type: u8, invalid: 0x100'),
      '5:39 messages[0].fields[0].invalid config_bad_value',
      /8 bits/,
    ],
    [
      'fields behind the rest',
      fields('name: a, type: bytes, length: rest', 'name: b, type: text, length: u8'),
      '5:41 messages[0].fields[0].length config_conflict',
      /Put it last/,
    ],
    [
      'no length',
      field('name: a, type: bytes'),
      '5:9 messages[0].fields[0] config_missing_key',
      /Add `length:`/,
    ],
    [
      'a length by a later field',
      fields('name: a, type: bytes, length: { field: n }', 'name: n, type: u8'),
      '5:50 messages[0].fields[0].length.field config_bad_value',
      /earlier field/,
    ],
    [
      'elements without bytes',
      field('name: a, type: array, count: u8, of: { type: text, length: 0 }'),
      '5:48 messages[0].fields[0].of config_bad_value',
      /at least one byte/,
    ],
    [
      'an unknown checksum',
      field('name: a, type: crc, algorithm: crc-16/modbuss'),
      '5:42 messages[0].fields[0].algorithm config_bad_value',
      /crc-16\/modbus/,
    ],
    [
      'a checksum of nothing',
      field('name: a, type: crc, algorithm: crc-32, covers: [b]'),
      '5:59 messages[0].fields[0].covers[0] config_bad_value',
      /There are id/,
    ],
    [
      'a condition on nothing',
      field('name: a, type: u8, when: { field: b, is: 1 }'),
      '5:45 messages[0].fields[0].when.field config_bad_value',
      /earlier field/,
    ],
    [
      'ambiguous lengths',
      message('reply: status, fields: [{ name: a, type: u8 }]'),
      '2:30 messages[0].reply config_conflict',
      /told apart/,
    ],
    [
      'a duplicate id, written otherwise',
      'messages:\n  - { name: a, id: 0xF0 }\n  - { name: b, id: -16 }\n',
      '3:20 messages[1].id config_duplicate_id',
      /`a`/,
    ],
    [
      'two messages of a name',
      'messages:\n  - { name: a, id: 1 }\n  - { name: a, id: 2 }\n',
      '3:13 messages[1].name config_duplicate_id',
      /messages\[0\]/,
    ],
    [
      'a reserved name',
      'messages:\n  - { name: unknown, id: 1 }\n',
      '2:13 messages[0].name config_bad_value',
      /another name/,
    ],
    [
      'a name that is a command of the bridge',
      'messages:\n  - { name: note, id: 3, from: device }\n  - { name: note, id: 4, from: host }\n',
      '3:13 messages[1].name config_bad_value',
      /another name/,
    ],
    ['no id', 'messages:\n  - { name: a }\n', '2:5 messages[0] config_missing_key', /Add `id:`/],
    [
      'an id where there is none',
      'protocol: { framing: { type: slip } }\nmessages:\n  - { name: a, id: 1 }\n',
      '3:20 messages[0].id config_no_effect',
      /no message ids/,
    ],
    [
      'a bare number as a duration',
      message('every: 10'),
      '2:30 messages[0].every config_bad_duration',
      /10s/,
    ],
    ['an unknown reply', message('reply: maybe'), '2:30 messages[0].reply config_bad_value', /none, status/],
    [
      'bytes in front of the id',
      'protocol: { framing: { type: slip }, id: { type: u8, at: 2 } }\nmessages:\n  - { name: a, id: 1, fields: [{ name: x, type: u8 }, { name: y, type: u16 }] }\n',
      '3:31 messages[0].fields config_conflict',
      /begins at byte 2/,
    ],
    [
      'a framing without its keys',
      'protocol: { framing: { type: sync } }\nmessages: []\n',
      '1:22 protocol.framing.sync config_missing_key',
      /0xb5/,
    ],
    [
      'a confirmation of nothing',
      message('confirms: { a: m.b }'),
      '2:38 messages[0].confirms.a config_bad_value',
      /no field `a`/,
    ],
    [
      'a refusal that the host sends',
      message('from: host, rejects: { request: any }'),
      '2:44 messages[0].rejects config_conflict',
      /from: device/,
    ],
    [
      'a refusal of what is no request',
      message('from: device, rejects: { request: [m] }'),
      '2:58 messages[0].rejects.request[0] config_bad_value',
      /or write `any`/,
    ],
    [
      'a refusal without the field that says why',
      message('from: device, rejects: { request: any, code: why }'),
      '2:68 messages[0].rejects.code config_bad_value',
      /Name a field/,
    ],
    [
      'YAML that loops',
      'messages:\n  - &a { name: a, id: 1, fields: [*a] }\n',
      '2:35  config_syntax',
      /anchor|Alias/i,
    ],
    ['a tab', 'messages:\n\t- name: a\n', '2:1  config_syntax', /spaces/],
    ['nothing', '', '1:1  config_missing_key', /version: 1/],
    ['more than 1 MiB', BIG, '1:1  config_too_large', /right file/],
    ['brackets without end', '['.repeat(100_000), '1:201  config_too_large', /right file/],
    ['aliases that multiply', BOMB, '2:10  config_syntax', /common|out/],
  ])('%s', (_, text, place, fix) => {
    const [first] = loadMessages(text, 'f').problems;
    expect(found(text)[0]).toBe(place);
    expect(first && formatProblem(first)).toMatch(fix);
    expect(loadMessages(text, 'f').protocol).toBeUndefined();
  });

  it('structures nested too deeply', () => {
    const deep = `${'{ name: a, type: struct, fields: ['.repeat(20)}${'] }'.repeat(20)}`;
    expect(found(`messages:\n  - { name: m, id: 1, fields: [${deep}] }\n`)).toContain(
      '2:5 messages[0] config_too_large',
    );
  });
});

describe('a file', () => {
  it('tells all of its problems at once, those of a message beside those of the next', () => {
    const text = `messages:
  - { name: a, id: 1, fields: [{ name: x, type: u9 }, { name: y, typ: u8 }] }
  - { name: b, id: 2, fields: [{ name: x, type: u8, scale: 0 }] }
  - { name: c, id: 2 }
`;
    expect(found(text)).toEqual([
      '2:55 messages[0].fields[1].type config_missing_key',
      '2:66 messages[0].fields[1].typ config_unknown_key',
      '3:60 messages[1].fields[0].scale config_bad_value',
      '4:20 messages[2].id config_duplicate_id',
    ]);
  });

  it('may have thousands of fields in a message, checked in time that grows with their number', () => {
    const { problems, protocol } = loadMessages(
      fields(...Array.from({ length: 8_000 }, (_, index) => `name: f${index}, type: u8`)),
      'f',
    );
    expect(problems).toEqual([]);
    expect(protocol?.messages[0]?.forms[0].maxLength).toBe(8_001);
  });

  it('pollutes no prototype', () => {
    loadMessages(
      '__proto__: { polluted: true }\nmessages:\n  - { name: a, id: 1, __proto__: { polluted: true } }\n',
      'f',
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('warns where only the sender tells a request from its reply', () => {
    const { problems, protocol } = loadMessages(
      message('from: host, reply: status, fields: [{ name: a, type: u8 }]'),
      'f',
    );
    expect(problems.map(({ severity }) => severity)).toEqual(['warning']);
    expect(protocol?.messages).toHaveLength(1);
  });

  it('never fails without saying so, cut anywhere', () => {
    const example = readFileSync(new URL('../../../examples/jbd-bms/messages.yaml', import.meta.url), 'utf8');
    for (let end = 0; end < example.length; end += 41) {
      const { protocol, problems } = loadMessages(example.slice(0, end), 'f');
      if (protocol === undefined) expect(problems.some(({ severity }) => severity === 'error')).toBe(true);
      for (const each of problems) expect(formatProblem(each)).not.toMatch(/undefined|\[object|\n/);
    }
  });
});

describe('the JSON Schema', () => {
  it('is shipped as it is generated (else run `npm run generate`)', () => {
    const shipped = readFileSync(new URL('../../../schemas/messages.schema.json', import.meta.url), 'utf8');
    expect(shipped).toBe(messagesJsonSchemaText());
    const map = readFileSync(new URL('../../../schemas/registers.schema.json', import.meta.url), 'utf8');
    expect(map).toBe(registersJsonSchemaText());
  });
});
