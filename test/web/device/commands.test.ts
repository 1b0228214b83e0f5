import { describe, expect, it } from 'vitest';
import { type CommandField, commandsOf, readField } from '../../../web/src/device/commands.ts';

const field = (more: Partial<CommandField>): CommandField => ({
  name: 'x',
  type: 'number',
  label: '',
  description: '',
  unit: '',
  least: undefined,
  greatest: undefined,
  decimals: undefined,
  choices: [],
  optional: false,
  shownBy: '',
  ...more,
});

describe('a command as a form', () => {
  it('comes out of the declaration, and what is odd in it does no harm', () => {
    const commands = {
      set: {
        label: 'Setpoint',
        reply: 'status',
        fields: [
          { name: 'volts', type: 'number', unit: 'V', least: 0, greatest: 60, decimals: 3, shown_by: 'a.b' },
          7,
        ],
      },
      odd: 7,
    };
    expect(commandsOf({ commands })).toEqual([
      {
        name: 'set',
        label: 'Setpoint',
        group: '',
        description: '',
        either: false,
        reply: 'status',
        fields: [field({ name: 'volts', unit: 'V', least: 0, greatest: 60, decimals: 3, shownBy: 'a.b' })],
      },
    ]);
    expect(commandsOf({})).toEqual([]);
  });

  it.each([
    [{}, '12.5', { value: 12.5 }],
    [{}, ' 12,5 ', { value: 12.5 }],
    [{}, '', { fault: 'missing' }],
    [{ optional: true }, ' ', { value: undefined }],
    [{}, '12 V', { fault: 'noNumber' }],
    [{}, 'Infinity', { fault: 'noNumber' }],
    [{ least: 0 }, '-0.1', { fault: 'tooSmall' }],
    [{ greatest: 60 }, '60.1', { fault: 'tooLarge' }],
    [{ least: 0, greatest: 60 }, '60', { value: 60 }],
    [{ decimals: 1 }, '0.3', { value: 0.3 }],
    [{ decimals: 1 }, '0.35', { fault: 'tooFine' }],
    [{}, '18446744073709551615', { value: '18446744073709551615' }],
    [{ type: 'flag' }, 'true', { value: true }],
    [{ type: 'flag' }, 'false', { value: false }],
    [{ type: 'choice' }, 'run', { value: 'run' }],
    [{ type: 'text' }, ' as it is ', { value: ' as it is ' }],
    [{ type: 'text' }, '', { value: '' }],
    [{ type: 'bytes' }, '0A 0b', { value: '0x0a0b' }],
    [{ type: 'bytes' }, '0x0a0', { fault: 'noBytes' }],
    [{ type: 'json' }, '{"a":[1]}', { value: { a: [1] } }],
    [{ type: 'json' }, '{a:1}', { fault: 'noJson' }],
  ] as const)('reads %o as "%s"', (more, typed, result) => {
    expect(readField(field(more), typed)).toEqual(result);
  });
});
