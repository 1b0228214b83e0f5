import { HeartwireError } from '../errors.ts';
import type { CliIo } from './command.ts';
import { secretText } from './secret-text.ts';

/** What is said where a bridge wants a token and has none. */
export const TOKEN_MEND =
  'Set HEARTWIRE_TOKEN, or name a file with --token-file; `heartwire token` makes one.';
const FILE_MEND = 'Write the token into it, and nothing else; `heartwire token` makes one.';

/**
 * The token to show to a bridge: from the file, or from HEARTWIRE_TOKEN.
 * @throws HeartwireError `bad_argument`
 */
export async function bridgeToken(file: string | undefined, io: CliIo): Promise<string | undefined> {
  if (file === undefined) return io.env.HEARTWIRE_TOKEN?.trim() || undefined;
  const token = (await secretText('the token', file, FILE_MEND, io)).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const message = 'The file holds no token, which is one word.';
  throw new HeartwireError('bad_argument', message, { seen: file, mend: FILE_MEND });
}
