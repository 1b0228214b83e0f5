import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { durationField, flagField, numberField, textField } from './field.ts';
import type { Finding } from './problem.ts';

const MIB = 1024 * 1024;
const MINUTE = 60_000;
const BLOCK_BYTES = 4_096;

/** Where traces are written, and how much of them is kept. */
export interface RecordingConfig {
  readonly dir: string;
  readonly maxFileBytes: number;
  readonly maxFileMs: number;
  readonly budgetBytes: number;
  readonly maxFiles: number;
  readonly deviceShare: number;
  readonly gzip: boolean;
}

/** The key `record` of a device, a listener or `defaults`. */
export const recordField = flagField({
  description:
    'Whether the bytes of the device are written into traces, both ways; `false` holds for `run --record` too.',
});

/** The key `recording`, as it is written. */
export const recordingShape = z.strictObject({
  dir: textField(
    'a folder',
    'traces',
    { description: 'The folder of the traces; it is made where it is missing.', default: 'traces' },
    (text) =>
      text === ''
        ? { code: 'config_bad_value', message: 'The folder has no name.', fix: 'Write for example traces.' }
        : undefined,
  ).optional(),
  max_file_mb: numberField(1, 1_000_000, {
    description: 'A trace of so many MiB is followed by a new one.',
    default: 64,
  }).optional(),
  max_age: durationField(MINUTE, 365 * 24 * 60 * MINUTE, {
    description: 'A trace of this age is followed by a new one.',
    default: '24h',
  }).optional(),
  budget_mb: numberField(1, 100_000_000, {
    description: 'All traces in the folder take at most so many MiB of the disk, in whole blocks of 4 KiB.',
    default: 1_024,
  }).optional(),
  max_files: numberField(1, 100_000_000, {
    description: 'At most so many traces are in the folder.',
    default: 10_000,
  }).optional(),
  device_share: numberField(1, 100, {
    description: 'The traces of one device take at most so many percent of `budget_mb` and of `max_files`.',
    default: 100,
  }).optional(),
  gzip: flagField({ description: 'Traces are written as `.trace.gz`.', default: false }).optional(),
});

/** Fills in what is left out. */
export function completeRecording(given: z.infer<typeof recordingShape>): RecordingConfig {
  return {
    dir: given.dir ?? 'traces',
    maxFileBytes: (given.max_file_mb ?? 64) * MIB,
    maxFileMs: parseDuration(given.max_age ?? '24h') ?? 0,
    budgetBytes: (given.budget_mb ?? 1_024) * MIB,
    maxFiles: given.max_files ?? 10_000,
    deviceShare: (given.device_share ?? 100) / 100,
    gzip: given.gzip ?? false,
  };
}

/** Each device that is recorded has a trace of its own, and that takes at least one block. */
export function checkRoomFor(
  recorded: number,
  { budgetBytes, maxFiles }: RecordingConfig,
  add: (finding: Finding) => void,
): void {
  const room = Math.min(maxFiles, Math.floor(budgetBytes / BLOCK_BYTES));
  if (recorded <= room) return;
  const key = maxFiles <= room ? 'max_files' : 'budget_mb';
  add({
    code: 'config_conflict',
    severity: 'warning',
    path: ['recording', key],
    message: `${recorded} devices are recorded, each in a trace of its own, and there is room for ${room}.`,
    fix: `Raise \`recording.${key}\`, or record fewer devices.`,
  });
}
