import { stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HeartwireError } from '../errors.ts';
import { FileRefusal, LARGEST_SECRET, readRegular } from '../system/index.ts';
import type { CliIo } from './command.ts';

/** Bytes that are taken from a file, or from standard input, at once. */
export const LARGEST_INPUT = 64 * 1024 * 1024;

const tooLarge = (name: string): HeartwireError =>
  new HeartwireError('bad_argument', `More than 64 MiB: ${name}`, { fix: 'Take it in parts.' });

/** What a file holds. @throws HeartwireError `bad_argument` where it cannot be read, or is too large */
export async function readBytes(path: string, name: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readRegular(path, LARGEST_INPUT));
  } catch (cause) {
    if (cause instanceof FileRefusal && cause.reason === 'size') throw tooLarge(name);
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new HeartwireError('bad_argument', `${JSON.stringify(name)} could not be read: ${detail}`, {
      seen: name,
      fix: 'Check the path and its permissions.',
      cause,
    });
  }
}

// A lone hyphen may arrive as an empty word.
export const isStdin = (file: string): boolean => file === '-' || file === '';

/** All of standard input. @throws HeartwireError `bad_argument` where it is too large */
export async function readStdin(io: CliIo): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin?.() ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LARGEST_INPUT) throw tooLarge('standard input');
  }
  return new Uint8Array(Buffer.concat(chunks));
}

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

/** The error of a file or an output that could not be written, or not to its end. */
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
    // The later reading or writing reports why that is not possible.
    return undefined;
  }
}

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
