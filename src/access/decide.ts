import { type ClientMessage, clientMessageContract } from '../contract/feed/client-messages.ts';
import { type Grant, hasRole, mayCommand, mayHear } from './grant.ts';

/** Why something is not done. */
export interface AccessRefusal {
  readonly code: 'unauthorized' | 'forbidden';
  readonly message: string;
}

/** Where it is told who comes and goes, with addresses. */
const CLIENTS_TOPIC = 'clients';

/** Why a message is not carried out for whoever holds this grant (none: no token was shown yet), or undefined. */
export function refusedMessage(grant: Grant | undefined, message: ClientMessage): AccessRefusal | undefined {
  const { role, topics } = clientMessageContract(message.type);
  if (role === undefined) return undefined;
  if (grant === undefined) {
    const how = 'Say {"type":"auth","token":"..."} first';
    return { code: 'unauthorized', message: `${how}; before it, only ping is answered.` };
  }
  if (!hasRole(grant, role)) {
    return forbidden(`"${message.type}" needs the role ${role}; this token has ${grant.role}.`);
  }
  if (topics === undefined) return undefined;
  switch (topics) {
    case 'clients':
      return refusedTopics(grant, [CLIENTS_TOPIC]);
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

/** Why not all of these patterns may be heard, or undefined. */
export function refusedTopics(grant: Grant, patterns: readonly string[]): AccessRefusal | undefined {
  const outside = patterns.find((each) => !mayHear(grant, each));
  if (outside === undefined) return undefined;
  const own = grant.topics.length === 0 ? 'none' : grant.topics.slice(0, 8).join(', ');
  return forbidden(
    `"${outside.slice(0, 200)}" reaches beyond the topics of this token (${own.slice(0, 500)}).`,
  );
}

const forbidden = (message: string): AccessRefusal => ({ code: 'forbidden', message });
