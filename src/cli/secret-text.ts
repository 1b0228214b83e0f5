import { resolve } from 'node:path';
import { HeartwireError } from '../errors.ts';
import { FileRefusal, LARGEST_SECRET, readRegular } from '../system/files.ts';
import type { CliIo } from './command.ts';

/**
 * The text of a file that holds `what`, a token or a key; `fix` says what such a file holds.
 *
 * @throws HeartwireError `bad_argument`
 */
export async function secretText(what: string, file: string, fix: string, io: CliIo): Promise<string> {
  try {
    return (await readRegular(resolve(io.cwd, file), LARGEST_SECRET)).toString('utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
    const why = cause instanceof FileRefusal ? cause.message : code;
    const message = `The file of ${what}, ${file}, could not be read (${why}).`;
    throw new HeartwireError('bad_argument', message, { seen: file, fix, cause });
  }
}
