import { z } from 'zod';
import { numberField, textField } from './field.ts';
import type { FilesConfig } from './model.ts';

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
      'All files in the folder take at most so many MiB, 1024 where it is left out: the oldest go first.',
  }).optional(),
});

/** Fills in what is left out. */
export function completeFiles(given: z.infer<typeof filesShape>): FilesConfig {
  const { dir, max_file_mb: file = 64, budget_mb: budget = 1_024 } = given;
  return { dir, maxFileBytes: file * MIB, budgetBytes: budget * MIB };
}
