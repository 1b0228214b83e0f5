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

const spoken = (...messages: readonly MessageDeclaration[]) => ({ messages, enums: {} });
const valuesOf = (...messages: readonly MessageDeclaration[]) => {
  const { commands: _, ...values } = describeMessages(spoken(...messages)).document;
  return values;
};

describe('the description of messages', () => {
  it('has every value, with its unit, by message and field', () => {
    const read: MessageDeclaration = {
      name: 'read',
      id: 2,
      from: 'host',
      reply: { fields: [{ name: 'power', type: 'u16', unit: 'W' }] },
    };
    expect(valuesOf(RIG, read, { name: 'blink', id: 3, reply: 'status' })).toEqual({
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
    expect(valuesOf(named)).toEqual({
      fields: {
        'boiler.flow': { unit: '°C', label: 'Vorlauf', group: 'Heizung' },
        'boiler.state': { group: 'Zustand' },
        'boiler.state.burner': { label: '燃烧器', group: 'Zustand' },
      },
      messages: { boiler: { label: 'Kessel', group: 'Heizung' } },
    });
  });

  it('says how fine a number is, and where its limits are', () => {
    const fine: MessageDeclaration = {
      name: 'fine',
      from: 'device',
      fields: [
        { name: 'tenths', type: 'i16', scale: 0.1, limits: { warn: [null, 40], alarm: [-5, 50] } },
        { name: 'shifted', type: 'u8', scale: 2, offset: -40.25 },
        { name: 'whole', type: 'u16', scale: 10 },
        { name: 'part', type: 'u32', scale: 1 / 1_800_000 },
        { name: 'float', type: 'f32', scale: 0.1 },
        { name: 'volts', type: 'number', decimals: 3 },
        { name: 'power', type: 'i16', scale: { field: 'whole' } },
      ],
    };
    expect(valuesOf(fine).fields).toEqual({
      'fine.tenths': { decimals: 1, warn: { greatest: 40 }, alarm: { least: -5, greatest: 50 } },
      'fine.shifted': { decimals: 2 },
      'fine.whole': {},
      'fine.part': { decimals: 7 },
      'fine.float': {},
      'fine.volts': { decimals: 3 },
      'fine.power': {},
    });
  });

  it('has what a device may be sent, with what each command takes', () => {
    const set: MessageDeclaration = {
      name: 'set',
      from: 'host',
      label: 'Setpoint',
      description: 'At once.',
      confirms: { volts: { field: 'rig.load', within: 1 }, mode: 'rig.mode' },
      fields: [
        { name: 'command', type: 'text', value: 'VOLT ' },
        { name: 'volts', type: 'number', decimals: 3, unit: 'V', range: [0, 60] },
        { name: 'mode', type: 'u8', enum: 'modes' },
        { name: 'speed', type: 'u8', enum: { 1: 'slow', 2: 'fast' }, range: [null, 2] },
        { name: 'lamp', type: 'coil' },
        { name: 'flags', type: 'u8', bits: [{ name: 'a', at: 0 }] },
        { name: 'at', type: 'u32', time: {} },
        { name: 'phone', type: 'bcd', as: 'text', length: 6 },
        { name: 'blob', type: 'bytes', length: 'rest', when: { field: 'mode', is: 1 } },
        { name: 'sum', type: 'crc', algorithm: 'crc16-modbus' },
      ],
    };
    const messages = [set, { name: 'ping', reply: 'status' }, { name: 'beat', from: 'device' }] as const;
    const enums = { modes: { 0: 'idle', 1: 'run' } };
    expect(describeMessages({ messages, enums }).document.commands).toEqual({
      set: {
        label: 'Setpoint',
        description: 'At once.',
        reply: 'none',
        fields: [
          {
            name: 'volts',
            type: 'number',
            unit: 'V',
            least: 0,
            greatest: 60,
            decimals: 3,
            shown_by: 'rig.load',
          },
          { name: 'mode', type: 'choice', choices: ['idle', 'run'], shown_by: 'rig.mode' },
          { name: 'speed', type: 'choice', choices: ['slow', 'fast'], greatest: 2 },
          { name: 'lamp', type: 'flag' },
          { name: 'flags', type: 'json' },
          { name: 'at', type: 'time' },
          { name: 'phone', type: 'text' },
          { name: 'blob', type: 'bytes', optional: true },
        ],
      },
      ping: { either: true, reply: 'status', fields: [] },
    });
    expect(describeMessages(spoken({ name: 'beat', from: 'device' })).document).toEqual({ fields: {} });
  });

  it('has one key for the same document, and another for another', () => {
    const again = structuredClone(RIG);
    const other: MessageDeclaration = { ...RIG, fields: [{ name: 'load', type: 'f32', unit: 'N' }] };
    const [one, same, another] = [RIG, again, other].map((each) => describeMessages(spoken(each)).key);
    expect(one).toMatch(/^[0-9a-z]{6,13}$/);
    expect(same).toBe(one);
    expect(another).not.toBe(one);
  });

  it('is made once for all devices that share a list', () => {
    const list = spoken(RIG);
    expect(describeMessages({ ...list })).toBe(describeMessages(list));
  });
});
