import type { ClientMessage } from '../contract/feed/client-message.ts';
import { type Grant, hasRole, mayCommand, mayHear } from './grant.ts';
import type { Role } from './role.ts';

/** Why something is not done. */
export interface AccessRefusal {
  readonly code: 'unauthorized' | 'forbidden';
  readonly message: string;
}

/** What a message needs: a role, and the topics that it concerns among those of the token. */
interface Rule {
  readonly role: Role;
  readonly topics: 'none' | 'those named' | 'clients' | 'of the device';
}

/** Every message that a client may send. Without a rule it needs no token. */
const RULES: Readonly<Record<ClientMessage['type'], Rule | undefined>> = {
  auth: undefined,
  ping: undefined,
  pong: undefined,
  echo: { role: 'read', topics: 'none' },
  ack: { role: 'read', topics: 'none' },
  resume: { role: 'read', topics: 'none' },
  subscribe: { role: 'read', topics: 'those named' },
  unsubscribe: { role: 'read', topics: 'none' },
  resync: { role: 'read', topics: 'those named' },
  get_clients: { role: 'read', topics: 'clients' },
  command: { role: 'command', topics: 'of the device' },
  broadcast: { role: 'command', topics: 'none' },
  kick: { role: 'admin', topics: 'none' },
};

/** Where it is told who comes and goes, with addresses. */
const CLIENTS_TOPIC = 'clients';

/** Why a message is not carried out for whoever holds this grant (none: no token was shown yet), or undefined. */
export function refusedMessage(grant: Grant | undefined, message: ClientMessage): AccessRefusal | undefined {
  const rule = RULES[message.type];
  if (rule === undefined) return undefined;
  if (grant === undefined) {
    const how = 'Say {"type":"auth","token":"..."} first';
    return { code: 'unauthorized', message: `${how}; before it, only ping is answered.` };
  }
  if (!hasRole(grant, rule.role)) {
    return forbidden(`"${message.type}" needs the role ${rule.role}; this token has ${grant.role}.`);
  }
  switch (rule.topics) {
    case 'none':
      return undefined;
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
