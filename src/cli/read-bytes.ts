import { HeartwireError } from '../errors.ts';
import { FileRefusal, readRegular } from '../system/files.ts';

/** Bytes that are taken from a file, or from standard input, at once. */
export const LARGEST_INPUT = 64 * 1024 * 1024;

export const tooLarge = (name: string): HeartwireError =>
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
