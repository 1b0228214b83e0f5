import { describe, expect, it } from 'vitest';
import { Observation } from '../../../src/devices/core/confirmation.ts';
import { MessageCatalog } from '../../../src/devices/core/message-catalog.ts';
import type { ConfirmDeclaration, FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import type { Value } from '../../../src/protocol/declared/value.ts';
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
