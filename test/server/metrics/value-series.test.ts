import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import type { JsonObject } from '../../../src/contract/wire/index.ts';
import { MOST_VALUE_SERIES, valueSeries } from '../../../src/server/metrics/value-series.ts';
import { atOnce } from '../../../src/system/index.ts';
import { parseExposition } from '../../support/exposition.ts';

const state = (device: string, values: JsonObject, more: JsonObject = {}): JsonObject => ({
  device,
  status: 'online',
  values,
  ...more,
});
const text = (states: readonly JsonObject[], patterns: readonly string[] = ['devices/+/values/#']): string =>
  atOnce(
    valueSeries({
      patterns,
      isConfigured: (device) => device !== 'stranger',
      states: () => states,
      declaration: (key) =>
        key === 'd' ? { fields: { 't.v': { unit: 'V' }, 't.cells': { unit: 'mV' } } } : undefined,
    }),
  );
const series = (...args: Parameters<typeof text>) =>
  parseExposition(text(...args)).series.filter(({ name }) => name === 'heartwire_value');

describe('values as metrics', () => {
  it('have the device, the message, the field, its unit and the names for people', () => {
    const values = { t: { v: 1.5, on: true, mode: 'heat', cells: [3, 4], part: { x: 7 } } };
    const found = series([state('a', values, { label: 'Oven "1"\n', group: 'lab', declaration: 'd' })]);
    const names = { device: 'a', message: 't', label: 'Oven "1"\n', group: 'lab' };
    expect(found.map(({ labels, value }) => [labels, value])).toEqual([
      [{ ...names, field: 'v', unit: 'V' }, 1.5],
      [{ ...names, field: 'on' }, 1],
      [{ ...names, field: 'cells.0', unit: 'mV' }, 3],
      [{ ...names, field: 'cells.1', unit: 'mV' }, 4],
      [{ ...names, field: 'part.x' }, 7],
    ]);
  });

  it.each([
    ['devices/a/values/t/v', ['a t.v']],
    ['devices/+/values/t/+', ['a t.v', 'b t.v']],
    ['devices/+/values/u/#', ['a u.w.x']],
    ['devices/b/#', ['b t.v']],
    ['devices/+/values/t', []],
  ])('are those that %s names', (pattern, expected) => {
    const all = [state('a', { t: { v: 1 }, u: { w: { x: 2 } } }), state('b', { t: { v: 3 } })];
    expect(
      series(all, [pattern]).map(({ labels: { device, message, field } }) => `${device} ${message}.${field}`),
    ).toEqual(expected);
  });

  it.each([
    ['of a device that is offline', state('a', { t: { v: 1 } }, { status: 'offline' })],
    ['of a trace', state('a', { t: { v: 1 } }, { replay: true })],
    ['that are encrypted', { $jwe: 'x' }],
    ['that are stale', state('a', { t: { v: 1 } }, { quality: { 't.v': 'stale' } })],
    [
      'that are a part of what is invalid',
      state('a', { t: { v: { x: 1 } } }, { quality: { 't.v': 'invalid' } }),
    ],
    ['of a device that nothing names', state('stranger', { t: { v: 1 } })],
    ['that are a waveform', state('a', { t: { v: Array.from({ length: 65 }, () => 1) } })],
    ['that are bytes', state('a', { t: { v: { $bytes: 'AA==', len: 1 } } })],
  ])('%s have no series', (_, document) => {
    expect(series([document])).toEqual([]);
  });

  it('beyond a limit have a series', () => {
    expect(series([state('a', { t: { v: 1 } }, { quality: { 't.v': 'alarm' } })])).toHaveLength(1);
  });

  it('are bounded, and what is left out is counted', () => {
    const fields = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`f${index}`, index]));
    const told = parseExposition(
      text(Array.from({ length: 100 }, (_, index) => state(`d${index}`, { t: fields }))),
    );
    expect(told.series.filter(({ name }) => name === 'heartwire_value')).toHaveLength(MOST_VALUE_SERIES);
    expect(told.value('heartwire_values_omitted')).toBe(5_000);
  });

  it('of any names are a scrape that can be read', () => {
    const name = fc.string({ minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(name, name, name, fc.double({ noNaN: true }), (label, message, field, value) => {
        const safe = Object.fromEntries([[field, value]]);
        expect(series([state('a', { [message]: safe }, { label })], ['devices/#']).length).toBe(
          Number.isFinite(value) ? 1 : 0,
        );
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['devices/+/state', 'This names no values of devices'],
    ['devices/#/values', '"#" must be the last level'],
    ['', 'A pattern of values is expected'],
  ])('are not named by %s', (pattern, problem) => {
    const { problems } = loadConfig(
      `listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\nmetrics: { values: ["${pattern}"] }`,
      'devices.yaml',
    );
    expect(problems.map(formatProblem).join()).toContain(problem);
  });
});
