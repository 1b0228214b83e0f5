import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HeartwireError } from '../errors.ts';
import type { CliIo } from './command.ts';

/**
 * Writes a whole file that was named on the command line.
 *
 * @throws HeartwireError `file_not_written`
 */
export async function writeOutput(io: CliIo, named: string, text: string): Promise<void> {
  try {
    await writeFile(resolve(io.cwd, named), text);
  } catch (cause) {
    throw outputNotWritten(named, cause);
  }
}

/** What is told of a file or an output that could not be written, or not to its end. */
export function outputNotWritten(named: string, cause: unknown): HeartwireError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new HeartwireError('file_not_written', `${named} could not be written: ${detail}.`, {
    seen: named,
    mend: 'Check the folder, its permissions and the room on the disk.',
    cause,
  });
}
