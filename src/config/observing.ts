import { z } from 'zod';
import { flagField, numberField } from './field.ts';

/** The key `required` of a device. */
export const requiredField = flagField({
  description: '`/readyz` says no until this device has come up once.',
  default: false,
});

/** The key `metrics`, as it is written. */
export const metricsShape = z.strictObject({
  per_device: flagField({
    description:
      'Configured devices, 1,000 at most, have series of their own at `/metrics`; without it all devices are counted together.',
    default: false,
  }).optional(),
});

/** The key `log`, as it is written. */
export const logShape = z.strictObject({
  max_lines_per_second: numberField(1, 100_000, {
    description:
      'Lines of the log per second, on average; a minute of them at once. Errors have room before warnings, and those before other lines; what is left out is counted.',
    default: 10,
  }).optional(),
});

/** What is written to the log. */
export interface LogConfig {
  readonly maxLinesPerSecond: number;
}

export function completeLog(given: z.infer<typeof logShape>): LogConfig {
  return { maxLinesPerSecond: given.max_lines_per_second ?? 10 };
}

/** What is told at `/metrics`. */
export interface MetricsConfig {
  readonly perDevice: boolean;
}

export function completeMetrics(given: z.infer<typeof metricsShape>): MetricsConfig {
  return { perDevice: given.per_device ?? false };
}

/** Ids of the devices that are required, those with an error included: they are as good as down. */
export function requiredIds(devices: readonly unknown[]): string[] {
  return devices.flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null || !('required' in entry) || !('id' in entry)) return [];
    return entry.required === true && typeof entry.id === 'string' ? [entry.id] : [];
  });
}
