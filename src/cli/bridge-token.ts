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
  const text =
    file === undefined ? io.env.HEARTWIRE_TOKEN : await secretText('the token', file, FILE_MEND, io);
  const token = text?.trim() ?? '';
  if (token === '' && file === undefined) return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const place = file ?? 'HEARTWIRE_TOKEN';
  throw new HeartwireError('bad_argument', `There is no token in ${place}: a token is one word.`, {
    seen: place,
    fix: FILE_MEND,
  });
}
