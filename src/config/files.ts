import { z } from 'zod';
import { numberField, textField } from './field.ts';
import type { FilesConfig } from './model.ts';
import type { Finding } from './problem.ts';

const MIB = 1024 * 1024;

/** The key `files`, as it is written. */
export const filesShape = z.strictObject({
  dir: textField(
    'a folder',
    'files',
    { description: 'The folder of the files; it is made where it is missing.' },
    () => undefined,
  ),
  max_file_mb: numberField(1, 1_000_000, {
    description: 'The largest file that is taken, in MiB; 64 where it is left out.',
  }).optional(),
  budget_mb: numberField(1, 100_000_000, {
    description:
      'All files in the folder take at most so many MiB of the disk, in whole blocks of 4 KiB; 1024 where it is left out.',
  }).optional(),
  max_files: numberField(2, 100_000_000, {
    description: 'At most so many files are in the folder, 10000 where it is left out.',
  }).optional(),
  device_share: numberField(1, 100, {
    description:
      'One device takes at most so many percent of `budget_mb` and of `max_files`; 100 where it is left out.',
  }).optional(),
});

/** Fills in what is left out. */
export function completeFiles(
  given: z.infer<typeof filesShape>,
  add: (finding: Finding) => void,
): FilesConfig {
  const { dir, max_file_mb: file, budget_mb: budget = 1_024, max_files: maxFiles = 10_000 } = given;
  const deviceShare = (given.device_share ?? 100) / 100;
  const budgetBytes = budget * MIB;
  const mostBytes = Math.floor(budgetBytes * deviceShare);
  if (file !== undefined && file * MIB > mostBytes) {
    add({
      code: 'config_conflict',
      severity: 'warning',
      path: ['files', 'max_file_mb'],
      message: `A file of ${file} MiB is never stored: one device may take ${mostBytes / MIB} MiB in all.`,
      fix: 'Raise `budget_mb` or `device_share`, or lower `max_file_mb`.',
    });
  }
  const maxFileBytes = Math.min((file ?? 64) * MIB, mostBytes);
  return { dir, maxFileBytes, budgetBytes, maxFiles, deviceShare };
}
