import { describe, expect, it } from 'vitest';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../../src/config/problem.ts';

const linesOf = (field: string): string[] =>
  loadMessages(
    `messages:\n  - name: m\n    id: 3\n    fields:\n      - { name: a, ${field} }\n`,
    'm.yaml',
  ).problems.map(formatProblem);

describe('a constant that would not be what was meant is a problem', () => {
  it.each<[string, RegExp]>([
    ['type: text, value: "ABC", length: 2', /:54: error: .*length: The constant has 3 bytes.* at least 3/],
    ['type: bytes, value: "0x0102", length: 4', /length: The constant has 2 bytes/],
    ['type: text, value: "°", encoding: ascii', /value: Text in ascii cannot be this/],
    ['type: text, value: 007', /value: .*quotes/],
    ['type: text, value: ""', /value: There is no text/],
    ['type: text, value: "A", length: 2, terminator: 0', /terminator: The text has a length already/],
    ['type: text, value: "A", terminator: 300', /terminator: .* 0 to 255/],
    ['type: text, value: "A", content: digits', /content: `content` has no meaning beside `value`/],
    ['type: f32, value: abc', /value: The type cannot carry this value/],
    ['type: f32, value: ""', /value: The type cannot carry this value/],
  ])('%s', (field, said) => {
    expect(linesOf(field)).toEqual([expect.stringMatching(said)]);
  });

  it.each([
    'type: text, value: "AB", length: 4, pad: 32',
    'type: text, value: "OK", terminator: 13',
    'type: bytes, value: "0x0102", length: 2',
    'type: f32, value: 1.5',
  ])('%s is right', (field) => {
    expect(linesOf(field)).toEqual([]);
  });
});

describe('numbers that YAML or the type cannot carry', () => {
  it.each<[string, RegExp]>([
    ['type: u64, value: 18446744073709551615', /value: YAML .*beyond 2\^53.* quotes/],
    ['type: u64, invalid: 0xFFFFFFFFFFFFFFFF', /invalid: YAML .*beyond 2\^53.* quotes/],
    ['type: f32, invalid: -9999', /error: .*invalid: .*its bits.*0xc61c3c00/],
    ['type: f64, invalid: -1.5', /error: .*invalid: .*its bits.*0xbff8000000000000/],
    ['type: f32, invalid: 9999', /warning: .*invalid: .*its bits.*0x461c3c00/],
    ['type: u8, enum: { 16: a, "0x10": b }', /enum\["0x10"\]: 16 is the same number/],
    ['type: reserved, length: 1152921504606846976', /length: Reserved bytes .* fit into a frame/],
    ['type: u32, scale: 1e305', /scale: .*beyond all numbers/],
    [
      'type: array, count: 2, of: { type: struct, fields: [{ name: v, type: u8, limits: { warn: [1, 2] } }] }',
      /warning: .*limits of `v` are not watched/,
    ],
  ])('%s', (field, said) => {
    expect(linesOf(field)).toEqual([expect.stringMatching(said)]);
  });

  it.each([
    'type: u64, invalid: "0xFFFFFFFFFFFFFFFF"',
    'type: i8, enum: { -0x10: a, -1: b }',
    'type: f32, invalid: 0x7fc00000',
    'type: f32, invalid: 0',
    'type: f64, invalid: "0xfff0000000000000"',
  ])('%s is right', (field) => {
    expect(linesOf(field)).toEqual([]);
  });
});

describe('hysteresis and for', () => {
  const limits = (more: string, field = 'type: u8, unit: V') => `${field}, limits: { ${more} }`;

  it.each<[string, RegExp]>([
    ['alarm: [10, 20], hysteresis: -1', /error: .*hysteresis: This is no difference/],
    [
      'alarm: [10, 20], hysteresis: "1 A"',
      /error: .*hysteresis: This is given in V, and nothing is converted/,
    ],
    ['alarm: [10, 20], hysteresis: wide', /error: .*hysteresis: This .*0\.5 V/],
    ['alarm: [10, 20], hysteresis: 11', /error: .*beyond 10 could never be good again.* at most 10/],
    ['alarm: [null, 20], hysteresis: 21', /error: .*beyond 20 could never be good again.* at most 20/],
    ['alarm: [10, 20], for: 3', /error: .*for: 3 what\? .*3s/],
    ['hysteresis: 1', /warning: .*hysteresis: `hysteresis` without a limit has no effect/],
    ['for: 3s', /warning: .*for: `for` without a limit has no effect/],
  ])('%s is a problem', (more, said) => {
    expect(linesOf(limits(more))).toEqual([expect.stringMatching(said)]);
  });

  it.each(['warn: [10, 20], hysteresis: 10', 'warn: [10, null], hysteresis: "0.5 V", for: 1.5s'])(
    '%s is right',
    (more) => {
      expect(linesOf(limits(more))).toEqual([]);
    },
  );
});

it('confirms names a bit of the command, and one that is not there is a problem', () => {
  const problems = (own: string): string[] =>
    loadMessages(
      `messages:
  - { name: s, id: 1, from: device, fields: [{ name: x, type: u8, bits: [{ name: on, at: 0 }] }] }
  - { name: c, id: 2, from: host, fields: [{ name: y, type: u8, bits: [{ name: on, at: 0 }] }], confirms: { ${own}: s.x.on } }
`,
      'm.yaml',
    ).problems.map(formatProblem);
  expect(problems('y.on')).toEqual([]);
  expect(problems('y.off')).toEqual([expect.stringMatching(/This message has no field `y\.off`/)]);
});

describe('within, of confirms', () => {
  const problems = (confirms: string, state = 'type: f32, unit: V'): string[] =>
    loadMessages(
      `messages:
  - { name: s, id: 1, from: device, fields: [{ name: x, ${state} }] }
  - { name: c, id: 2, from: host, fields: [{ name: x, type: f32 }], confirms: { x: ${confirms} } }
`,
      'm.yaml',
    ).problems.map(formatProblem);

  it.each<[string, string | undefined, RegExp]>([
    ['{ field: s.y, within: 1 }', undefined, /confirms\.x\.field: There is no field `s\.y`/],
    ['{ within: 1 }', undefined, /confirms\.x\.field: A field of the state is missing/],
    ['{ field: s.x, with: 1 }', undefined, /confirms\.x\.with: .*no such key/],
    ['{ field: s.x, within: "1 A" }', undefined, /confirms\.x\.within: This is given in V/],
    ['{ field: s.x, within: true }', undefined, /confirms\.x\.within: A number is expected/],
    ['{ field: s.x, within: 1 }', 'type: text, length: u8', /confirms\.x\.within: Only numbers/],
    ['{ field: s.x, within: 1 }', 'type: u8, enum: { 0: a }', /confirms\.x\.within: Only numbers/],
    ['{ field: s.x.b, within: 1 }', 'type: u8, bits: [{ name: b, at: 0 }]', /within: Only numbers/],
    ['5', undefined, /confirms\.x: .*field of the state/],
  ])('%s is a problem', (confirms, state, said) => {
    expect(problems(confirms, state)).toEqual([expect.stringMatching(said)]);
  });

  it.each(['s.x', '{ field: s.x }', '{ field: s.x, within: 0.01 }', '{ field: s.x, within: "10 V" }'])(
    '%s is right',
    (confirms) => {
      expect(problems(confirms)).toEqual([]);
    },
  );
});
