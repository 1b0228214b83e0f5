import { describe, expect, test } from 'vitest';
import type {
  FieldDeclaration,
  MessageDeclaration,
  ProtocolDeclaration,
} from '../../../src/protocol/declared/declaration.ts';
import type { ReplyForms } from '../../../src/protocol/declared/reply-forms.ts';
import { plainProtocol } from '../../support/polled-line.ts';

const text = (value?: string): FieldDeclaration =>
  value === undefined
    ? { name: 'rest', type: 'text', length: 'rest' }
    : { name: 'head', type: 'text', value };
const u8 = (name: string, value?: number): FieldDeclaration =>
  value === undefined ? { name, type: 'u8' } : { name, type: 'u8', value };
const u16 = (name: string): FieldDeclaration => ({ name, type: 'u16' });

/** Two messages with these replies. */
function pair(
  a: readonly FieldDeclaration[],
  b: readonly FieldDeclaration[],
  changes: Partial<ProtocolDeclaration> = {},
): ReplyForms {
  const named = (name: string, id: number, fields: readonly FieldDeclaration[]): MessageDeclaration => ({
    name,
    ...(changes.id === undefined ? {} : { id }),
    from: 'host',
    fields: [u8('asks', id)],
    reply: { fields },
  });
  return plainProtocol([named('a', 1, a), named('b', 2, b)], changes).replies;
}

describe('two replies', () => {
  test.each<readonly [string, boolean, readonly FieldDeclaration[], readonly FieldDeclaration[]]>([
    ['any text', true, [text()], [text()]],
    ['a constant that differs', false, [text('V='), text()], [text('A='), text()]],
    ['a constant where the other has any text', true, [text('V='), text()], [text()]],
    ['lengths that differ', false, [u16('x')], [u8('x')]],
    ['lengths that overlap', true, [u16('x')], [text()]],
    ['a constant behind fields of a fixed size', false, [u16('x'), u8('k', 1)], [u16('x'), u8('k', 2)]],
    ['constants at places that do not overlap', true, [u8('k', 1), u8('x')], [u8('x'), u8('k', 1)]],
    [
      'a constant that may not be there',
      true,
      [{ ...u8('k', 1), when: { field: 'x', is: 1 } }],
      [u8('k', 2)],
    ],
  ])('%s: alike %s', (_, alike, a, b) => {
    const first = a[0]?.when === undefined ? a : [u8('x'), ...a];
    const second = a[0]?.when === undefined ? b : [u8('x'), ...b];
    expect(pair(first, second).alike('a', {}, 'b', {})).toBe(alike);
    expect(pair(first, second).alike('b', {}, 'a', {})).toBe(alike);
  });

  test('differ by their ids, and only by the error code where there is one', () => {
    const id = { type: 'u8', at: 0 } as const;
    expect(pair([text()], [text()], { id }).alike('a', {}, 'b', {})).toBe(false);
    expect(pair([u8('x')], [u16('x')], { error: 'u8' }).alike('a', {}, 'b', {})).toBe(true);
  });
});

describe('what a reply repeats of its request', () => {
  const { replies } = plainProtocol([
    {
      name: 'tcp',
      from: 'host',
      fields: [u16('transaction'), u16('length'), u8('unit'), u8('function', 3), u16('start')],
      reply: { fields: [u16('transaction'), u16('length'), u8('unit'), u8('function', 3), u16('start')] },
    },
    {
      name: 'other_place',
      from: 'host',
      fields: [u8('function', 3), u8('unit')],
      reply: { fields: [u8('unit'), u8('function', 3)] },
    },
    {
      name: 'scaled',
      from: 'host',
      fields: [{ ...u8('unit'), scale: 0.1 }, u8('function', 4)],
      reply: { fields: [u8('unit'), u8('function', 4), u16('x')] },
    },
    {
      name: 'fixed',
      from: 'host',
      fields: [u8('unit', 9), u8('function', 5)],
      reply: { fields: [u8('unit'), u8('function', 5)] },
    },
    {
      name: 'set',
      from: 'host',
      fields: [u8('cmd', 7), u8('mode')],
      reply: { fields: [u8('cmd', 7), u8('mode')] },
    },
  ]);

  test('stands in front of a constant that both have, at the same place and with the same meaning', () => {
    const asked = { transaction: 5, length: 6, unit: 1, start: 40 };
    expect(replies.repeated('tcp', asked)).toEqual({ transaction: 5, length: 6, unit: 1 });
    expect(replies.repeated('other_place', { unit: 1 })).toEqual({});
    expect(replies.repeated('scaled', { unit: 0.1 })).toEqual({});
    expect(replies.repeated('fixed', {})).toEqual({ unit: 9 });
    // What a device makes of a command may differ from what was sent.
    expect(replies.repeated('set', { mode: 2 })).toEqual({});
  });

  test('tells replies apart that look alike otherwise', () => {
    expect(replies.alike('tcp', { unit: 1 }, 'tcp', { unit: 2 })).toBe(false);
    expect(replies.alike('tcp', { unit: 1 }, 'tcp', { unit: 1 })).toBe(true);
  });

  test('stands in front of the id too', () => {
    const withId = plainProtocol(
      [
        {
          name: 'm',
          id: 4,
          from: 'host',
          fields: [u8('address'), u8('x')],
          reply: { fields: [u8('address'), u8('x')] },
        },
      ],
      { id: { type: 'u8', at: 1 } },
    );
    expect(withId.replies.repeated('m', { address: 3, x: 8 })).toEqual({ address: 3 });
  });
});

test('a reply is its request where both are declared alike, whatever their fields are called', () => {
  const fields = [u8('function', 6), u16('register'), u16('value')];
  const reply = { fields: [u8('function', 6), u16('r'), { ...u16('v'), scale: 0.1 }] };
  const { replies } = plainProtocol([
    { name: 'write', from: 'host', fields, reply },
    {
      name: 'read',
      from: 'host',
      fields: [u8('function', 3)],
      reply: { fields: [u8('function', 3), u16('v')] },
    },
    { name: 'ask', from: 'host', fields: [text('V?')], reply: { fields: [text()] } },
  ]);
  expect(['write', 'read', 'ask'].filter((name) => replies.mirrors(name))).toEqual(['write']);
});
