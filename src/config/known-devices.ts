import { basename, extname } from 'node:path';
import { z } from 'zod';
import { flagField, textField } from './field.ts';

/** Where unannounced devices are remembered over a restart. */
export interface KnownDevicesConfig {
  readonly file: string;
}

/** The key `known_devices`, as it is written. */
export const knownDevicesShape = z.strictObject({
  keep: flagField({
    description: 'Whether devices that dialled in unannounced are known again after a restart.',
    default: true,
  }).optional(),
  file: textField(
    'a file',
    'devices.known',
    {
      description:
        'The file in which they are kept; `devices.known` in the working directory for a `devices.yaml`.',
    },
    () => undefined,
  ).optional(),
});

/** Fills in what is left out; undefined where they are not kept. Two configurations have two files. */
export function completeKnownDevices(
  { keep = true, file }: z.infer<typeof knownDevicesShape>,
  config: string,
): KnownDevicesConfig | undefined {
  return keep ? { file: file ?? `${basename(config, extname(config))}.known` } : undefined;
}
