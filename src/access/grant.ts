import { type ClientMessage, type ClientMessageType, clientMessageContract } from '../contract/feed/index.ts';
import { type Role, reaches } from '../contract/index.ts';
import { coversPattern } from '../contract/wire/index.ts';

/** The rights that a token gives. */
export interface Grant {
  /** The name of its owner: no two issuers use the same. */
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

/** The subject of every connection where no token is needed. */
export const ANYBODY = 'anybody';

/** Names the owner of a grant together with its rights: where the text is the same, the rights are the same. */
export function ownerOf({ subject, role, topics }: Grant): string {
  // Without tokens, the secret of a session is enough to resume it from any address.
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

/** A command needs the right to all topics of its device, where its effects show. */
export function mayCommand(grant: Grant, device: string): boolean {
  if (!hasRole(grant, 'command')) return false;
  const plain = device !== '' && !/[/+#]/.test(device);
  return mayHear(grant, plain ? `devices/${device}/#` : 'devices/#');
}

/** Why something is not done. */
export interface AccessRefusal {
  readonly code: 'unauthorized' | 'forbidden';
  readonly message: string;
}

/** The topic of all connections, with their addresses. */
const CLIENTS_TOPIC = 'clients';

/** Why a message is not carried out under this grant (none: no token was shown yet), or undefined. */
export function refusedMessage(grant: Grant | undefined, message: ClientMessage): AccessRefusal | undefined {
  const { role, topics } = clientMessageContract(message.type);
  if (role === undefined) return undefined;
  if (grant === undefined) {
    const first = { type: 'auth', token: '...' } satisfies {
      readonly type: ClientMessageType;
      readonly token: string;
    };
    const how = `Say ${JSON.stringify(first)} first`;
    return { code: 'unauthorized', message: `${how}; before it, only ping is answered.` };
  }
  if (!hasRole(grant, role)) {
    return forbidden(`"${message.type}" needs the role ${role}; this token has ${grant.role}.`);
  }
  if (topics === undefined) return undefined;
  switch (topics) {
    case 'clients':
      return refusedTopics(grant, [CLIENTS_TOPIC]);
    case 'all':
      return refusedTopics(grant, ['#']);
    case 'those named':
      return refusedTopics(grant, 'topics' in message ? message.topics : []);
    case 'of the device': {
      const device = 'device' in message ? message.device : '';
      if (mayCommand(grant, device)) return undefined;
      return forbidden(
        `Commands to ${device.slice(0, 64)} need devices/${device.slice(0, 64)}/# in the topics of the token.`,
      );
    }
  }
}

/** Why not all of these patterns may be subscribed to, or undefined. */
export function refusedTopics(grant: Grant, patterns: readonly string[]): AccessRefusal | undefined {
  const outside = patterns.find((each) => !mayHear(grant, each));
  if (outside === undefined) return undefined;
  const own = grant.topics.length === 0 ? 'none' : grant.topics.slice(0, 8).join(', ');
  return forbidden(
    `"${outside.slice(0, 200)}" reaches beyond the topics of this token (${own.slice(0, 500)}).`,
  );
}

const forbidden = (message: string): AccessRefusal => ({ code: 'forbidden', message });
