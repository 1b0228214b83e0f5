import { expect, it } from 'vitest';
import { Measurements } from '../../../src/devices/core/measurements.ts';
import { OVEN } from '../../support/declared.ts';

it('a reply that carries a status alone leaves nothing among the values', () => {
  const measurements = new Measurements(OVEN);
  expect(measurements.update('set', {}, 0)).toEqual([]);
  expect(measurements.measured.values).toEqual({});
  measurements.update('report', { hours: 7 }, 0);
  expect(measurements.measured.values).toEqual({ report: { hours: 7 } });
  measurements.update('report', {}, 1);
  expect(measurements.measured.values).toEqual({ report: {} });
});

it('values beyond 2^53, which are decimal text, are held against their limits too', () => {
  const field = { name: 'volume', type: 'u64', limits: { alarm: [null, 1_000] } } as const;
  const measurements = new Measurements([{ name: 'meter', id: 3, fields: [field] }]);
  expect(measurements.update('meter', { volume: '18446744073709551615' }, 0)).toMatchObject([
    { field: 'volume', level: 'alarm', limit: 1_000, direction: 'above' },
  ]);
  expect(measurements.measured.quality).toEqual({ 'meter.volume': 'alarm' });
});

it('what is stale is so with all its parts, whatever was known of them', () => {
  const fields = [
    { name: 'load', type: 'u8', limits: { warn: [null, 10] } },
    { name: 'inner', type: 'struct', fields: [{ name: 'heat', type: 'u8', limits: { alarm: [null, 50] } }] },
    { name: 'gone', type: 'u8', invalid: 255 },
  ] as const;
  const measurements = new Measurements([{ name: 'rig', id: 3, fields }]);
  measurements.update('rig', { load: 11, inner: { heat: 60 } }, 0);
  const fresh = { 'rig.load': 'warn', 'rig.inner.heat': 'alarm', 'rig.gone': 'invalid' };
  expect(measurements.measured.quality).toEqual(fresh);
  measurements.markStale();
  const stale = { 'rig.load': 'stale', 'rig.inner': 'stale', 'rig.gone': 'invalid' };
  expect(measurements.measured.quality).toEqual(stale);
  measurements.update('rig', { load: 11, inner: { heat: 60 } }, 1);
  expect(measurements.measured.quality).toEqual(fresh);
});
