import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HeartwireError } from '../errors.ts';
import type { CliIo } from './command.ts';

/**
 * The text of a file that holds `what`, a token or a key; `mend` says what such a file holds.
 *
 * @throws HeartwireError `bad_argument`
 */
export async function secretText(what: string, file: string, mend: string, io: CliIo): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, file), 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
    const message = `The file of ${what}, ${file}, could not be read (${code}).`;
    throw new HeartwireError('bad_argument', message, { seen: file, mend, cause });
  }
}
