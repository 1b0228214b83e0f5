import { expect, it } from 'vitest';
import { Measurements } from '../../src/device/measurements.ts';
import { OVEN } from '../support/declared.ts';

it('a reply that carries a status alone leaves nothing among the values', () => {
  const measurements = new Measurements(OVEN);
  expect(measurements.update('set', {}, 0)).toEqual([]);
  expect(measurements.measured.values).toEqual({});
  measurements.update('report', { hours: 7 }, 0);
  expect(measurements.measured.values).toEqual({ report: { hours: 7 } });
  measurements.update('report', {}, 1);
  expect(measurements.measured.values).toEqual({ report: {} });
});
