import { z } from 'zod';
import { flagField } from './field.ts';

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
