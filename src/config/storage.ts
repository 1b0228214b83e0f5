import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import {
  durationField,
  flagField,
  kibibytesField,
  mebibytesField,
  numberField,
  percentField,
  textField,
} from './field.ts';
import { type ConfigOf, configOf, live } from './keys.ts';
import type { Finding } from './problem.ts';

/*
 * What the bridge keeps on the disk: traces (`recording`), what led to incidents (`black_box`), files of devices (`files`),
 * the devices that dialled in (`known_devices`), and what was (`history`).
 */

const MIB = 1024 * 1024;
const MINUTE = 60_000;
const BLOCK_BYTES = 4_096;

/** The key `record` of a device, a listener or `defaults`. */
export const recordField = flagField({
  description:
    'Whether the bytes of the device are written into traces, both ways; `false` holds for `run --record` too.',
});

const RECORDING = {
  dir: textField('a folder', 'traces', {
    description: 'The folder of the traces; it is made where it is missing.',
  }).prefault('traces'),
  max_file_mb: mebibytesField(1, 1_000_000, {
    description: 'A trace of so many MiB is followed by a new one.',
  }).prefault(64),
  max_age: durationField(MINUTE, 365 * 24 * 60 * MINUTE, {
    description: 'A trace of this age is followed by a new one.',
  }).prefault('24h'),
  budget_mb: mebibytesField(1, 100_000_000, {
    description: 'All traces in the folder take at most so many MiB of the disk, in whole blocks of 4 KiB.',
  }).prefault(1_024),
  max_files: numberField(1, 100_000_000, {
    description: 'At most so many traces are in the folder.',
  }).prefault(10_000),
  device_share: percentField({
    description: 'The traces of one device take at most so many percent of `budget_mb` and of `max_files`.',
  }).prefault(100),
  gzip: flagField({ description: 'Traces are written as `.trace.gz`.' }).prefault(false),
};

export const recordingShape = z.strictObject(RECORDING);

/** Where traces are written, and how much of them is kept. */
export type RecordingConfig = ConfigOf<typeof RECORDING>;

export const completeRecording = (given: z.output<typeof recordingShape>): RecordingConfig =>
  configOf(RECORDING, given);

export const BLACK_BOX = {
  keep: flagField({
    description:
      'Whether the last bytes of each link are kept in memory, and written when something goes wrong.',
  }).prefault(true),
  before: live(
    durationField(1_000, 60 * MINUTE, {
      description: 'How much of what came before an incident is kept.',
    }).prefault('2m'),
  ),
  after: live(
    durationField(0, 10 * MINUTE, {
      description: 'How much of what comes after it; then the trace is written.',
    }).prefault('30s'),
  ),
  max_kb: live(
    kibibytesField(32, 1_000_000, {
      description: 'Of one link at most so many KiB are kept.',
    }).prefault(256),
  ),
  budget_mb: live(
    mebibytesField(1, 1_000_000, {
      description:
        'All links together have at most so many MiB in memory; where that is not enough, those that say the most have less.',
    }).prefault(64),
  ),
  dir: textField('a folder', 'incidents', {
    description: 'The folder of the traces; it is made with the first incident.',
  }).prefault('incidents'),
  disk_mb: live(
    mebibytesField(1, 100_000_000, {
      description:
        'The traces take at most so many MiB of the disk; the oldest of the device with the most go first.',
    }).prefault(256),
  ),
  max_files: live(
    numberField(1, 1_000_000, {
      description: 'At most so many traces are in the folder.',
    }).prefault(1_000),
  ),
};

export const blackBoxShape = z.strictObject(BLACK_BOX);

/** What is kept of each link, and where it is written when something goes wrong. */
export type BlackBoxConfig = Omit<ConfigOf<typeof BLACK_BOX>, 'keep'>;

/** Undefined where nothing is kept. */
export function completeBlackBox(given: z.output<typeof blackBoxShape>): BlackBoxConfig | undefined {
  const { keep, ...config } = configOf(BLACK_BOX, given);
  return keep ? config : undefined;
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

const DEFAULT_FILE_MB = 64;

const FILES = {
  dir: textField('a folder', 'files', {
    description: 'The folder of the files; it is made where it is missing.',
  }),
  // No default of its own: one that is given and can't be reached is worth a warning.
  max_file_mb: mebibytesField(1, 1_000_000, {
    description: `The largest file that is taken, in MiB; ${DEFAULT_FILE_MB} where it is left out.`,
  }).optional(),
  budget_mb: mebibytesField(1, 100_000_000, {
    description: 'All files in the folder take at most so many MiB of the disk, in whole blocks of 4 KiB.',
  }).prefault(1_024),
  max_files: numberField(2, 100_000_000, {
    description: 'At most so many files are in the folder.',
  }).prefault(10_000),
  device_share: percentField({
    description: 'One device takes at most so many percent of `budget_mb` and of `max_files`.',
  }).prefault(100),
};

export const filesShape = z.strictObject(FILES);

/** Where files go that devices send, and what one device may take of it: a share above 0 and at most 1. */
export type FilesConfig = Required<ConfigOf<typeof FILES>>;

export function completeFiles(
  given: z.output<typeof filesShape>,
  add: (finding: Finding) => void,
): FilesConfig {
  const { maxFileBytes, ...files } = configOf(FILES, given);
  const mostBytes = Math.floor(files.budgetBytes * files.deviceShare);
  if (maxFileBytes !== undefined && maxFileBytes > mostBytes) {
    add({
      code: 'config_conflict',
      severity: 'warning',
      path: ['files', 'max_file_mb'],
      message: `A file of ${maxFileBytes / MIB} MiB is never stored: one device may take ${mostBytes / MIB} MiB in all.`,
      fix: 'Raise `budget_mb` or `device_share`, or lower `max_file_mb`.',
    });
  }
  return { ...files, maxFileBytes: Math.min(maxFileBytes ?? DEFAULT_FILE_MB * MIB, mostBytes) };
}

const KNOWN_DEVICES = {
  keep: flagField({
    description: 'Whether devices that dialled in unannounced are known again after a restart.',
  }).prefault(true),
  file: textField('a file', 'devices.known', {
    description:
      'The file in which they are kept; `devices.known` in the working directory for a `devices.yaml`.',
  }).optional(),
};

export const knownDevicesShape = z.strictObject(KNOWN_DEVICES);

/** Where unannounced devices are remembered over a restart. */
export interface KnownDevicesConfig {
  readonly file: string;
}

/** Undefined where they are not kept. Two configurations have two files. */
export function completeKnownDevices(
  { keep, file }: z.output<typeof knownDevicesShape>,
  config: string,
): KnownDevicesConfig | undefined {
  return keep ? { file: file ?? `${basename(config, extname(config))}.known` } : undefined;
}

const DAY = 24 * 60 * MINUTE;

export const HISTORY = {
  dir: textField('a folder', 'history', {
    description: 'The folder of the database; it is made where it is missing.',
  }).prefault('history'),
  keep: live(
    durationField(60 * MINUTE, 3_650 * DAY, {
      description:
        'What is older is removed. Values are kept as they came for a day, by the second for a week, and then by the minute.',
    }).prefault('30d'),
  ),
  budget_mb: live(
    mebibytesField(8, 100_000_000, {
      description: 'The database takes at most so many MiB; the oldest values go first.',
    }).prefault(1_024),
  ),
};

export const historyShape = z.union([z.literal(false), z.strictObject(HISTORY)]);

/** Where what was is kept, and for how long. */
export interface HistoryConfig extends ConfigOf<Omit<typeof HISTORY, 'dir'>> {
  /** The database. */
  readonly file: string;
}

/** Undefined where nothing is kept. Two configurations have two files. */
export function completeHistory(
  given: z.output<typeof historyShape> | undefined,
  config: string,
): HistoryConfig | undefined {
  if (given === false) return undefined;
  const { dir, ...limits } = configOf(HISTORY, given ?? z.strictObject(HISTORY).parse({}));
  return { ...limits, file: join(dir, `${basename(config, extname(config))}.db`) };
}
