import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HeartwireError } from '../errors.ts';
import type { CliIo } from './command.ts';

/** What is said where a bridge wants a token and has none. */
export const TOKEN_MEND =
  'Set HEARTWIRE_TOKEN, or name a file with --token-file; `heartwire token` makes one.';

/**
 * The token to show to a bridge: from the file, or from HEARTWIRE_TOKEN.
 * @throws HeartwireError `bad_argument`
 */
export async function bridgeToken(file: string | undefined, io: CliIo): Promise<string | undefined> {
  if (file === undefined) return tokenIn(io.env.HEARTWIRE_TOKEN, 'HEARTWIRE_TOKEN');
  let text: string;
  try {
    text = await readFile(resolve(io.cwd, file), 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
    throw bad(`The file of the token could not be read (${code}).`, file, cause);
  }
  return tokenIn(text, file) ?? noToken(file);
}

/** Undefined where there is nothing but blanks. */
function tokenIn(text = '', place: string): string | undefined {
  const token = text.trim();
  if (token === '') return undefined;
  return /^[\x21-\x7e]+$/.test(token) ? token : noToken(place);
}

function noToken(place: string): never {
  throw bad(`There is no token in ${place}: a token is one word.`, place);
}

function bad(message: string, file: string, cause?: unknown): HeartwireError {
  return new HeartwireError('bad_argument', message, {
    seen: file,
    mend: 'Write the token into it, and nothing else; `heartwire token` makes one.',
    cause,
  });
}
