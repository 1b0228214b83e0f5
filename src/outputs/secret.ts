import { createSecureContext } from 'node:tls';
import { HeartwireError } from '../errors.ts';
import { LARGEST_SECRET, readRegular } from '../system/index.ts';

/** The secret in a file, without the line end. @throws HeartwireError `output_secret_unreadable` */
export async function readSecret(path: string): Promise<string> {
  try {
    return (await readRegular(path, LARGEST_SECRET)).toString('utf8').trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HeartwireError('output_secret_unreadable', `${path} could not be read: ${why}`, { cause });
  }
}

/**
 * The certificates of an authority.
 * @throws HeartwireError `output_secret_unreadable` where the file cannot be read, or holds none
 */
export async function readAuthority(path: string): Promise<string> {
  const ca = await readSecret(path);
  try {
    createSecureContext({ ca });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HeartwireError('output_secret_unreadable', `${path} holds no certificate: ${why}`, { cause });
  }
  return ca;
}

/** Shorter ones would be found in words. */
const LEAST_LENGTH = 4;

/** What another side said, without the secret, plain or in base64: some repeat what they refuse. */
export function masked(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= LEAST_LENGTH)
    .flatMap((secret) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')])
    .reduce((masking, secret) => masking.replaceAll(secret, '***'), text);
}
