import { coversPattern } from '../contract/feed/covers-pattern.ts';
import { type Role, reaches } from '../contract/role.ts';

/** What a token gives to whoever shows it. */
export interface Grant {
  /** Whose it is: no two issuers use the same. */
  readonly subject: string;
  readonly role: Role;
  /** Patterns of topics; what lies outside is forbidden. `#` is everything, raw bytes too. */
  readonly topics: readonly string[];
  /** When it ends, ms since the Unix epoch; absent: not by itself. */
  readonly expiresAtMs?: number;
}

/**
 * The description of some messages: names and units, no values. Its key is made of what it holds and stands in the states
 * of the devices that speak them, so that only readers of such a device know it; a pattern for all of them is another thing.
 */
const DESCRIPTION = /^declarations\/[0-9a-z]+$/;

/** The subject of everybody, where no token is asked for. */
export const ANYBODY = 'anybody';

/** Names who holds a grant together with what it allows: the same text, and rights neither grew nor shrank. */
export function ownerOf({ subject, role, topics }: Grant): string {
  // Where nobody shows a token, whoever knows the secret of a session may go on with it, wherever he is.
  return subject === ANYBODY ? ANYBODY : JSON.stringify([subject, role, [...topics].sort()]);
}

export function isExpired({ expiresAtMs }: Grant, wallMs: number): boolean {
  return expiresAtMs !== undefined && wallMs >= expiresAtMs;
}

export function hasRole(grant: Grant, needed: Role): boolean {
  return reaches(grant.role, needed);
}

/** Whether every topic of the pattern belongs to the grant. */
export function mayHear(grant: Grant, pattern: string): boolean {
  return DESCRIPTION.test(pattern) || coversPattern(grant.topics, pattern);
}

/** A device is commanded by whoever may hear all of it: what a command brings about shows there. */
export function mayCommand(grant: Grant, device: string): boolean {
  if (!hasRole(grant, 'command')) return false;
  const plain = device !== '' && !/[/+#]/.test(device);
  return mayHear(grant, plain ? `devices/${device}/#` : 'devices/#');
}
