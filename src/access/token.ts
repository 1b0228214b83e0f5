import { createHash, randomBytes } from 'node:crypto';

/** By this a token is known for one, in a log or a commit where it does not belong. */
const PREFIX = 'hw_';

/** A new token of 256 random bits. */
export function makeToken(): string {
  return `${PREFIX}${randomBytes(32).toString('base64url')}`;
}

/** SHA-256, 64 hex digits: a token is random, so that nothing slower is needed to keep it from being guessed. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
