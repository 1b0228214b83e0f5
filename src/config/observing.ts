import { z } from 'zod';
import { flagField, numberField } from './field.ts';
import { type ConfigOf, configOf } from './keys.ts';

const METRICS = {
  per_device: flagField({
    description:
      'Configured devices, 1,000 at most, have series of their own at `/metrics`; without it all devices are counted together.',
  }).prefault(false),
};

export const metricsShape = z.strictObject(METRICS);

/** What `/metrics` shows. */
export type MetricsConfig = ConfigOf<typeof METRICS>;

export const completeMetrics = (given: z.output<typeof metricsShape>): MetricsConfig =>
  configOf(METRICS, given);

const LOG = {
  max_lines_per_second: numberField(1, 100_000, {
    description:
      'Lines of the log per second, on average; a minute of them at once. Errors have room before warnings, and those before other lines; what is left out is counted.',
  }).prefault(10),
};

export const logShape = z.strictObject(LOG);

/** How much is written to the log. */
export type LogConfig = ConfigOf<typeof LOG>;

export const completeLog = (given: z.output<typeof logShape>): LogConfig => configOf(LOG, given);
