import { stat, writeFile } from 'node:fs/promises';
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
    fix: 'Check the folder, its permissions and the room on the disk.',
    cause,
  });
}

/**
 * Keeps what is read from being written over.
 *
 * @throws HeartwireError `bad_argument`
 */
export async function refuseInput(io: CliIo, inputs: readonly string[], output: string): Promise<void> {
  const written = await identityOf(io, output);
  if (written === undefined) return;
  for (const input of inputs) {
    if ((await identityOf(io, input)) !== written) continue;
    throw new HeartwireError('bad_argument', `${output} is the file that is read.`, {
      seen: output,
      fix: 'Name another one to be written.',
    });
  }
}

/** The same for every name of a file; undefined where there is none. */
async function identityOf(io: CliIo, named: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(resolve(io.cwd, named), { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    // Whoever reads or writes it says why that is not possible.
    return undefined;
  }
}
