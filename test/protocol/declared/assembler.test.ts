import { describe, expect, it, test } from 'vitest';
import { Assembler } from '../../../src/protocol/declared/assembler.ts';
import type { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import { bytesOfText, declaredIn, lines, wrongIn } from './declared-in-yaml.ts';

/** Feeds lines, each with the time in ms at which it comes, and returns the groups and what is incomplete. */
function assembled(
  protocol: DeclaredProtocol,
  parts: readonly (string | number)[],
  { joins = false } = {},
): readonly unknown[] {
  const groups = new Assembler(protocol.declaration, { joins });
  const out: unknown[] = [];
  let now = 0;
  for (const part of parts) {
    if (typeof part === 'number') {
      now = part;
      continue;
    }
    const message = protocol.decode(Uint8Array.from([...part].map((letter) => letter.charCodeAt(0))));
    if (message.name !== 'declared') {
      out.push(...groups.interrupt().map(({ seen }) => seen));
      continue;
    }
    const { group, incomplete } = groups.take(message, now) ?? {};
    if (incomplete !== undefined) out.push(incomplete.seen);
    if (group !== undefined) out.push(group.fields);
  }
  return out;
}

describe('a block that ends with a checksum', () => {
  const protocol = declaredIn(
    lines(`  - { name: checksum, from: device, key_value: "=", fields: [{ name: sum, type: text, encoding: latin1 }] }
  - { name: line, from: device, key_value: "=", extra: ignore, fields: [{ name: v, type: text }, { name: i, type: text }] }
  - { name: block, from: device, assemble: { parts: [line, checksum], last: checksum, within: 1s, max: 4, checksum: { algorithm: sum-8, before: "\\r\\n" } } }
`),
  );
  /** Some lines, and the one that makes their sum 0. */
  const block = (...parts: string[]): string[] => {
    const all = bytesOfText(`\r\n${[...parts, 'sum='].join('\r\n')}`);
    const left = (256 - (all.reduce((sum, byte) => sum + byte, 0) % 256)) % 256;
    return [...parts, `sum=${String.fromCharCode(left)}`];
  };
  const values = { v: '1', i: '2', sum: expect.any(String) };

  it('is one message', () => {
    expect(assembled(protocol, [...block('v=1', 'i=2'), ...block('v=1', 'i=2')])).toEqual([values, values]);
  });

  it('is refused as a whole where a line was damaged, is missing or could not be read', () => {
    const [v = '', i = '', sum = ''] = block('v=1', 'i=2');
    expect(assembled(protocol, ['v=9', i, sum, v, i, sum])).toEqual([
      '3 parts, and a wrong checksum',
      values,
    ]);
    expect(assembled(protocol, [i, sum])).toEqual(['2 parts, and a wrong checksum']);
    expect(assembled(protocol, [v, 'noise', i, sum])).toEqual([
      '1 part, and a message that could not be read',
      '2 parts, and a wrong checksum',
    ]);
  });

  it('is passed over on a link that began in its midst, once', () => {
    const [v = '', i = '', sum = ''] = block('v=1', 'i=2');
    const joined = (...parts: string[]) => assembled(protocol, parts, { joins: true });
    const wrong = '2 parts, and a wrong checksum';
    expect(joined(i, sum, v, i, sum)).toEqual([values]);
    expect(joined(sum, v, i, sum)).toEqual([values]);
    expect(joined(i, sum, i, sum)).toEqual([wrong]);
    expect(joined(v, i, sum, i, sum)).toEqual([values, wrong]);
    // The rest of one that was reported already.
    expect(joined(v, i, sum, v, 'noise', i, sum, i, sum)).toEqual([
      values,
      '1 part, and a message that could not be read',
      wrong,
    ]);
  });

  it('is bounded in time and in parts', () => {
    const [v = '', i = '', sum = ''] = block('v=1', 'i=2');
    expect(assembled(protocol, [v, 1_001, v, i, sum])).toEqual(['1 part, and more than 1000 ms', values]);
    expect(assembled(protocol, [v, v, v, v, v, i])).toEqual(['4 parts, and more than 4 parts']);
  });

  it('is sent by nothing', () => {
    expect(() => protocol.encode('block', {})).toThrow(/group of several messages/);
    expect(protocol.decode(bytesOfText('v=1'))).toMatchObject({
      message: 'line',
      payload: bytesOfText('v=1'),
    });
  });
});

describe('numbered parts', () => {
  const protocol = declaredIn(
    lines(`  - { name: pages, from: device, assemble: { parts: [numbered], number: number, total: total, same: [kind], lists: [cells] } }
  - { name: numbered, from: device, fields: [{ name: kind, type: u8 }, { name: total, type: u8 }, { name: number, type: u8 }, { name: cells, type: array, count: rest, of: { type: u8 } }] }
`),
  );
  const page = (kind: number, total: number, number: number, ...cells: number[]): string =>
    String.fromCharCode(kind, total, number, ...cells);

  test.each<[string, string[], unknown[]]>([
    ['one', [page(1, 1, 1, 7)], [{ kind: 1, total: 1, number: 1, cells: [7] }]],
    ['two', [page(1, 2, 1, 7), page(1, 2, 2, 8, 9)], [{ kind: 1, total: 2, number: 2, cells: [7, 8, 9] }]],
    [
      'the middle of one first',
      [page(1, 2, 2, 8), page(1, 1, 1, 7)],
      [{ kind: 1, total: 1, number: 1, cells: [7] }],
    ],
    ['a gap', [page(1, 3, 1), page(1, 3, 3)], ['1 part, and part 3 instead of 2']],
    ['another kind between', [page(1, 2, 1), page(2, 2, 2)], ['1 part, and another kind']],
    [
      'a new one in the middle',
      [page(1, 2, 1), page(1, 2, 1, 5), page(1, 2, 2)],
      ['1 part, and part 1 instead of 2', { kind: 1, total: 2, number: 2, cells: [5] }],
    ],
  ])('%s', (_, parts, out) => {
    expect(assembled(protocol, parts)).toEqual(out);
  });
});

test.each<[string, string, string]>([
  ['no beginning', 'parts: [a], last: a', 'messages[1].assemble config_missing_key'],
  ['no end', 'parts: [a], first: a', 'messages[1].assemble config_missing_key'],
  ['another part', 'parts: [b], first: b, last: b', 'messages[1].assemble.parts[0] config_bad_value'],
  ['another field', 'parts: [a], number: x, total: y', 'messages[1].assemble.number config_bad_value'],
])('%s is refused', (_, keys, problem) => {
  const part = '  - { name: a, from: device, fields: [{ name: f, type: u8 }] }\n';
  expect(wrongIn(lines(`${part}  - { name: g, from: device, assemble: { ${keys} } }\n`))).toContain(problem);
});
