import { describe, expect, it } from 'vitest';
import { describeMessages } from '../../../src/devices/core/describe-messages.ts';
import type { MessageDeclaration } from '../../../src/protocol/declared/declaration.ts';

const RIG: MessageDeclaration = {
  name: 'rig',
  id: 1,
  fields: [
    { name: 'magic', type: 'u8', value: 7 },
    { name: 'load', type: 'f32', unit: 'kN' },
    { type: 'reserved', length: 1 },
    { name: 'bits', type: 'u8', bits: [{ name: 'lamp', at: 0 }] },
    { name: 'inner', type: 'struct', fields: [{ name: 'heat', type: 'u8', unit: '°C' }] },
    { name: 'legs', type: 'array', count: 2, of: { type: 'u16', unit: 'mm' } },
    {
      name: 'cells',
      type: 'array',
      count: 2,
      of: { type: 'struct', fields: [{ name: 'volts', type: 'u8', unit: 'V' }] },
    },
    { name: 'sum', type: 'crc', algorithm: 'crc16-modbus' },
  ],
};

describe('the description of messages', () => {
  it('has every value, with its unit, by message and field', () => {
    const read: MessageDeclaration = {
      name: 'read',
      id: 2,
      from: 'host',
      reply: { fields: [{ name: 'power', type: 'u16', unit: 'W' }] },
    };
    expect(describeMessages([RIG, read, { name: 'blink', id: 3, reply: 'status' }]).document).toEqual({
      fields: {
        'rig.load': { unit: 'kN' },
        'rig.bits': {},
        'rig.bits.lamp': {},
        'rig.inner': {},
        'rig.inner.heat': { unit: '°C' },
        'rig.legs': { unit: 'mm' },
        'rig.cells': {},
        'rig.cells.volts': { unit: 'V' },
        'read.power': { unit: 'W' },
      },
    });
  });

  it('has what people call messages, fields and bits', () => {
    const named: MessageDeclaration = {
      name: 'boiler',
      id: 4,
      label: 'Kessel',
      group: 'Heizung',
      fields: [
        { name: 'flow', type: 'u16', unit: '°C', label: 'Vorlauf' },
        { name: 'state', type: 'u8', group: 'Zustand', bits: [{ name: 'burner', at: 0, label: '燃烧器' }] },
      ],
    };
    expect(describeMessages([named]).document).toEqual({
      fields: {
        'boiler.flow': { unit: '°C', label: 'Vorlauf', group: 'Heizung' },
        'boiler.state': { group: 'Zustand' },
        'boiler.state.burner': { label: '燃烧器', group: 'Zustand' },
      },
      messages: { boiler: { label: 'Kessel', group: 'Heizung' } },
    });
  });

  it('has one key for the same document, and another for another', () => {
    const again = structuredClone(RIG);
    const other: MessageDeclaration = { ...RIG, fields: [{ name: 'load', type: 'f32', unit: 'N' }] };
    const [one, same, another] = [[RIG], [again], [other]].map((each) => describeMessages(each).key);
    expect(one).toMatch(/^[0-9a-z]{6,13}$/);
    expect(same).toBe(one);
    expect(another).not.toBe(one);
  });

  it('is made once for all devices that share a list', () => {
    const list = [RIG];
    expect(describeMessages(list)).toBe(describeMessages(list));
  });
});
