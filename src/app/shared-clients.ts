import type { SharedFeed } from '../backplane/index.ts';
import { isJsonObject, type Json, ownValue } from '../contract/wire/index.ts';
import type { ClientPeers, KickedClients, SubscriberRegistry } from '../feed/index.ts';

/** As long as a person waits; an instance that is gone is known to be so before. */
const ANSWER_MS = 2_000;
/** Clients that one instance lists for another. */
const MOST_LISTED = 1_000;

/** The clients of the other instances, for subscribers of this one. */
export function clientPeers(shared: SharedFeed): ClientPeers {
  return {
    instance: shared.instance,
    async clients() {
      const { answers, unreached } = await shared.peers.askAll('clients', {}, ANSWER_MS);
      const bodies = [...answers.values()].filter(isJsonObject);
      const lists = bodies.map((body) => ownValue(body, 'clients')).filter(Array.isArray);
      // The instances write it.
      const clients = lists.flat() as unknown as Awaited<ReturnType<ClientPeers['clients']>>['clients'];
      return {
        clients,
        omitted: bodies.reduce((sum, body) => sum + numberOf(body, 'omitted'), 0),
        unreached,
      };
    },
    async kick(target) {
      const { answers, unreached } = await shared.peers.askAll('kick', target, ANSWER_MS);
      return {
        count: [...answers.values()].reduce((sum: number, each) => sum + numberOf(each, 'count'), 0),
        unreached,
      };
    },
  };
}

/** Answers what other instances ask of the clients of this one. */
export function answerPeers(shared: SharedFeed, subscribers: SubscriberRegistry): void {
  shared.calls.handle('clients', async () => {
    const clients = subscribers.clients();
    const listed = clients.slice(0, MOST_LISTED).map((each) => ({ ...each, instance: shared.instance }));
    // Its members are JSON; the compiler does not see that of a list of objects.
    return { clients: listed as unknown as Json, omitted: clients.length - listed.length };
  });
  shared.calls.handle('kick', async (body) => {
    const target = kickedOf(body);
    return { count: target === undefined ? 0 : subscribers.kick(target) };
  });
}

function kickedOf(body: Json): KickedClients | undefined {
  for (const key of ['client_id', 'user', 'address'] as const) {
    const value = isJsonObject(body) ? ownValue(body, key) : undefined;
    if (typeof value === 'string') return { [key]: value } as unknown as KickedClients;
  }
  return undefined;
}

function numberOf(body: Json | undefined, key: string): number {
  const value = isJsonObject(body) ? ownValue(body, key) : undefined;
  return typeof value === 'number' ? value : 0;
}
