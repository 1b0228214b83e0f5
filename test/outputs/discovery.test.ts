import { describe, expect, it } from 'vitest';
import type { DeclarationDocument, StateDocument } from '../../src/contract/feed/index.ts';
import { discoveryPayload, nodeOf } from '../../src/outputs/core/discovery.ts';
import { MqttTopics } from '../../src/outputs/core/mqtt-topics.ts';
import { discoveryProblems, UNITS } from '../support/home-assistant.ts';

const topics = new MqttTopics('heartwire', 'homeassistant');
const state: StateDocument = {
  device: 'oven-1',
  label: '烤箱',
  group: 'Bench 3',
  status: 'online',
  since: 1,
  link: { status: 'connected', transport: 'tcp', since: 1, attempt: 0 },
};
const declaration: DeclarationDocument = {
  fields: {
    'telemetry.temperature': { unit: '°C', decimals: 2, label: 'Temperature' },
    'telemetry.mode': {},
    'meter.total': { unit: 'kWh' },
    'meter.odd': { unit: 'rpm' },
  },
  commands: {
    set_point: {
      fields: [
        {
          name: 'target',
          type: 'number',
          unit: '°C',
          least: 5,
          greatest: 45,
          decimals: 1,
          shown_by: 'setting.target',
        },
      ],
      reply: 'status',
    },
    mode: { fields: [{ name: 'mode', type: 'choice', choices: ['heat', 'cool'] }], reply: 'none' },
    fan: { label: '风扇', fields: [{ name: 'on', type: 'flag', shown_by: 'telemetry.fan' }], reply: 'none' },
    restart: { fields: [], reply: 'none' },
    name: { fields: [{ name: 'text', type: 'text' }], reply: 'none' },
    curve: {
      fields: [
        { name: 'a', type: 'number' },
        { name: 'b', type: 'number' },
      ],
      reply: 'none',
    },
  },
};
const payload = (more: Partial<Parameters<typeof discoveryPayload>[0]> = {}) =>
  // As it goes to the broker.
  JSON.parse(
    JSON.stringify(
      discoveryPayload({ state, declaration, topics, commands: true, version: '1.2.3', ...more }),
    ),
  );

describe('the announcement of a device to Home Assistant', () => {
  it('keeps its rules, with everything, with nothing, and with odd names', () => {
    expect(discoveryProblems(topics.announcement(nodeOf('oven-1')), payload())).toEqual([]);
    expect(
      discoveryProblems(topics.announcement(nodeOf('oven-1')), payload({ declaration: undefined })),
    ).toEqual([]);
    const odd = { ...state, device: 'a.b' };
    expect(discoveryProblems(topics.announcement(nodeOf('a.b')), payload({ state: odd }))).toEqual([]);
    expect(nodeOf('a.b')).not.toBe(nodeOf('a_b'));
  });

  it('keeps them for every unit, and gives a class to nearly each', () => {
    const units = Object.values(UNITS).flat();
    const fields = Object.fromEntries(units.map((unit, n) => [`t.f${n}`, { unit }]));
    const { cmps } = payload({ declaration: { fields } });
    expect(discoveryProblems(topics.announcement('x'), payload({ declaration: { fields } }))).toEqual([]);
    const classless = units.filter((_, n) => cmps[`t_f${n}`].device_class === undefined);
    expect(classless.length).toBeLessThan(units.length / 3);
  });

  it.each([
    [
      'a unit that its class does not take',
      { unit_of_measurement: 'mol' },
      'unit mol of telemetry_temperature',
    ],
    ['a kind that its class does not take', { state_class: 'total' }, 'total of telemetry_temperature'],
    ['no id', { unique_id: undefined }, 'unique_id of telemetry_temperature'],
    ['the id of another one', { unique_id: 'heartwire_oven-1_meter_total' }, 'unique_id of meter_total'],
    ['a key that there is not', { colour: 'red' }, 'colour of telemetry_temperature, a sensor'],
    ['no topic', { state_topic: undefined }, 'state_topic of telemetry_temperature'],
    ['no platform', { p: 'oven' }, 'platform oven of telemetry_temperature'],
  ])('would be found out with %s', (_, change, problem) => {
    const wrong = payload();
    Object.assign(wrong.cmps.telemetry_temperature, change);
    const problems = discoveryProblems(topics.announcement(nodeOf('oven-1')), wrong);
    expect(problems.some((each) => each.startsWith(problem))).toBe(true);
  });

  it('has a sensor for each field, with unit, class and kind', () => {
    const { cmps, dev, o } = payload();
    expect([dev, o]).toEqual([
      { ids: ['heartwire_oven-1'], name: '烤箱', suggested_area: 'Bench 3' },
      { name: 'Heartwire', sw: '1.2.3' },
    ]);
    expect(cmps.telemetry_temperature).toMatchObject({
      p: 'sensor',
      name: 'Temperature',
      device_class: 'temperature',
      unit_of_measurement: '°C',
      state_class: 'measurement',
      suggested_display_precision: 2,
      state_topic: 'heartwire/devices/oven-1/state',
      value_template: '{{ value_json.get("values", {}).get("telemetry", {}).get("temperature") }}',
    });
    expect(cmps.meter_total).toMatchObject({ device_class: 'energy', state_class: 'total_increasing' });
    expect(cmps.meter_odd).toMatchObject({ unit_of_measurement: 'rpm', state_class: 'measurement' });
    expect(cmps.meter_odd.device_class).toBeUndefined();
    expect(cmps.telemetry_mode.state_class).toBeUndefined();
  });

  it('has a control for each command of one value, and none for others', () => {
    const { cmps } = payload();
    expect(cmps.command_set_point).toMatchObject({
      p: 'number',
      min: 5,
      max: 45,
      step: 0.1,
      command_topic: 'heartwire/devices/oven-1/commands/set_point',
      command_template: '{"target": {{ value }}}',
      value_template: '{{ value_json.get("values", {}).get("setting", {}).get("target") }}',
    });
    expect(cmps.command_mode).toMatchObject({ p: 'select', options: ['heat', 'cool'], optimistic: true });
    expect(cmps.command_fan).toMatchObject({
      p: 'switch',
      name: '风扇',
      payload_on: 'true',
      payload_off: 'false',
    });
    expect(cmps.command_restart).toMatchObject({ p: 'button', payload_press: '{}' });
    expect(cmps.command_name).toMatchObject({
      p: 'text',
      command_template: '{"text": {{ value | tojson }}}',
    });
    expect(cmps.command_curve).toBeUndefined();
  });

  it('has no control where commands are not taken', () => {
    const platforms = Object.values(payload({ commands: false }).cmps).map(
      (each) => (each as { p: string }).p,
    );
    expect(new Set(platforms)).toEqual(new Set(['sensor']));
  });
});
