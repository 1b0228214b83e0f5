import { describe, expect, it, test } from 'vitest';
import { MessageCatalog } from '../../../src/devices/core/message-catalog.ts';
import type { FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { declaredProtocol } from '../../support/declared.ts';

const one = (field: Omit<FieldDeclaration, 'name'>) =>
  declaredProtocol([{ name: 'set', id: 1, from: 'host', fields: [{ name: 'value', ...field }] }]);
const encoded = (field: Omit<FieldDeclaration, 'name'>, value: unknown): string =>
  Buffer.from(one(field).encode('set', { value: value as never })).toString('hex');
const celsius = { type: 'i16', scale: 0.01, unit: '°C' };

describe('a value with its unit', () => {
  it.each([
    [celsius, '21.5 °C', 21.5],
    [celsius, '21.5°C', 21.5],
    [celsius, '-3.25 degC', -3.25],
    [celsius, '21.5 ℃', 21.5],
    [celsius, '2.15e1 º C', 21.5],
    [{ type: 'u16', unit: 'µA' }, '12 uA', 12],
    [{ type: 'u16', unit: 'µA' }, '12 μA', 12],
    [{ type: 'u16', unit: 'Ω' }, '12 Ohm', 12],
    [{ type: 'u16', unit: 'm³/h' }, '12 m3/h', 12],
    [{ type: 'u16', unit: '1/min' }, '12 1/min', 12],
    [{ type: 'u16', unit: '%' }, '50%', 50],
    [{ type: 'f32', unit: 'bar' }, '1.5 bar', 1.5],
    [{ type: 'u64', unit: 'mWh' }, '18446744073709551615 mWh', '18446744073709551615'],
    [{ type: 'u64' }, '0xFFFFFFFFFFFFFFFF', '18446744073709551615'],
  ] as const)('%j takes %s', (field, text, plain) => {
    expect(encoded(field, text)).toBe(encoded(field, plain));
  });

  it.each([
    [celsius, '21.5 K', 'set: value: is given in °C, and nothing is converted'],
    [celsius, '21.5 C', 'set: value: is given in °C'],
    [celsius, '70 °F', 'set: value: is given in °C'],
    [{ type: 'u16', unit: 'mA' }, '1.5 A', 'set: value: is given in mA'],
    [{ type: 'u16', unit: 'mA' }, '15 MA', 'set: value: is given in mA'],
    [{ type: 'u16' }, '15 mA', 'set: value: has no unit: give the number alone'],
    [celsius, '21.5', 'set: value: must be a number'],
    [celsius, '400 °C', 'set: value: must be -327.68 to 327.67'],
    [{ ...celsius, range: [5, 45] as const }, '50 °C', 'set: value: must be 5 to 45'],
    [{ type: 'u8', enum: { 1: 'on' } }, '1 V', 'set: value: must be one of on'],
    [celsius, `1 ${' '.repeat(60_000)}x`, 'set: value: must be a number'],
  ] as const)('%j does not take %s', (field, text, said) => {
    expect(() => encoded(field, text)).toThrow(said);
  });

  it('stands in lists too', () => {
    const list = { type: 'array', count: 'u8', of: { type: 'i16', scale: 0.1, unit: 'mA' } } as const;
    expect(encoded(list, ['10 mA', -0.1])).toBe(encoded(list, [10, -0.1]));
    expect(() => encoded(list, ['10 mA', '1 A'])).toThrow('set: value[1]: is given in mA');
  });
});

test('a command with a unit is what the device is sent, and another unit is refused before anything is sent', () => {
  const catalog = new MessageCatalog(one(celsius));
  expect(catalog.prepare('set', { value: '21.5 °C' })).toMatchObject({
    ok: true,
    request: { message: { fields: { value: 21.5 }, raw: { value: 2150 } } },
  });
  expect(catalog.prepare('set', { value: '294.65 K' })).toEqual({
    ok: false,
    code: 'bad_field_value',
    detail: 'set: value: is given in °C, and nothing is converted (seen: "294.65 K")',
  });
});
