import { describe, expect, it } from 'vitest';
import { Observation } from '../../../src/devices/core/confirmation.ts';
import { MessageCatalog } from '../../../src/devices/core/message-catalog.ts';
import type { ConfirmDeclaration, FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import type { Value, Values } from '../../../src/protocol/declared/value.ts';
import { declaredProtocol } from '../../support/declared.ts';

/** Whether the state `shown` confirms the command `sent`. */
function confirmed(
  own: Partial<FieldDeclaration>,
  state: Partial<FieldDeclaration>,
  sent: Value,
  shown: Value,
  within?: ConfirmDeclaration['within'],
): boolean {
  const catalog = new MessageCatalog(
    declaredProtocol([
      { name: 'now', id: 1, from: 'device', fields: [{ name: 'x', type: 'f64', ...state }] },
      {
        name: 'set',
        id: 2,
        from: 'host',
        confirms: { x: within === undefined ? 'now.x' : { field: 'now.x', within } },
        fields: [{ name: 'x', type: 'f64', ...own }],
      },
    ]),
  );
  const prepared = catalog.prepare('set', { x: sent });
  if (!prepared.ok) throw new Error(prepared.detail);
  const observation = new Observation(prepared.request.confirms);
  observation.see('now', { x: shown });
  return observation.met;
}

const f32 = { type: 'f32' };
const tenths = { type: 'i16', scale: 0.1 };

describe('a command is confirmed by a number', () => {
  it.each<[string, boolean, Parameters<typeof confirmed>]>([
    ['that is the same', true, [{}, {}, 21.3, 21.3]],
    ['that is another', false, [{}, {}, 21.3, 21.300001]],
    ['within the tolerance', true, [{}, {}, 21.3, 21.29, 0.01]],
    ['beyond the tolerance', false, [{}, {}, 21.3, 21.289, 0.01]],
    ['within one with its unit', true, [{}, { unit: 'l/min' }, 21.3, 21.8, '0.5 l/min']],
    ['that a tolerance of 0 wants exactly', false, [{}, tenths, 21.34, 21.3, 0]],
    ['which the state rounds to its scale', true, [{}, tenths, 21.34, 21.3]],
    ['which the state rounds to another one', false, [{}, tenths, 21.36, 21.3]],
    ['of four bytes, in the state', true, [{}, f32, 21.3, Math.fround(21.3)]],
    ['of four bytes, in the command', true, [f32, {}, 21.3, 21.3]],
    ['of four bytes that is another', false, [f32, f32, 21.3, 21.3001]],
    ['of four bytes with a scale, which is no step', false, [{}, { ...f32, scale: 1000 }, 2_000, 2_400]],
  ])('%s: %s', (_, right, args) => {
    expect(confirmed(...args)).toBe(right);
  });
});

describe('a command is confirmed by bits', () => {
  const bits = [
    { name: 'on', at: 0 },
    { name: 'mode', at: '1..2', enum: { 0: 'off', 1: 'slow', 2: 'fast' } },
    { name: 'level', at: '4..7', scale: 0.5 },
  ];
  const catalog = (confirms: Readonly<Record<string, string>>) =>
    new MessageCatalog(
      declaredProtocol([
        {
          name: 'now',
          id: 1,
          from: 'device',
          fields: [
            { name: 'status', type: 'u8', bits },
            { name: 'level', type: 'f64' },
          ],
        },
        { name: 'set', id: 2, from: 'host', confirms, fields: [{ name: 'flags', type: 'u8', bits }] },
      ]),
    );
  const SENT = { flags: { on: true, mode: 'fast', level: 2.5 } };

  function seen(confirms: Readonly<Record<string, string>>, shown: Values): boolean {
    const prepared = catalog(confirms).prepare('set', SENT);
    if (!prepared.ok) throw new Error(prepared.detail);
    expect(prepared.request.confirms).not.toEqual([]);
    const observation = new Observation(prepared.request.confirms);
    observation.see('now', shown);
    return observation.met;
  }

  const status = (over: Values = {}): Values => ({ status: { ...SENT.flags, ...over } });

  it.each<[string, boolean, Readonly<Record<string, string>>, Values]>([
    ['one that is the same', true, { 'flags.on': 'now.status.on' }, status({ mode: 'off' })],
    ['one that is another', false, { 'flags.on': 'now.status.on' }, status({ on: false })],
    ['a name', true, { 'flags.mode': 'now.status.mode' }, status()],
    ['another name', false, { 'flags.mode': 'now.status.mode' }, status({ mode: 'slow' })],
    ['a number elsewhere', true, { 'flags.level': 'now.level' }, { ...status(), level: 2.5 }],
    ['all of them', true, { flags: 'now.status' }, status()],
    ['all of them but one', false, { flags: 'now.status' }, status({ level: 3 })],
    [
      'two of them',
      false,
      { 'flags.on': 'now.status.on', 'flags.mode': 'now.status.mode' },
      status({ on: false }),
    ],
  ])('%s: %s', (_, right, confirms, shown) => {
    expect(seen(confirms, shown)).toBe(right);
  });
});

it('a command is confirmed by bytes that are the same', () => {
  const bytes = { $bytes: 'AQI=', len: 2 };
  const field = { type: 'bytes', length: 2 } as const;
  expect(confirmed(field, field, bytes, bytes)).toBe(true);
  expect(confirmed(field, field, bytes, { $bytes: 'AQM=', len: 2 })).toBe(false);
});
