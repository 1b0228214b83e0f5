import type { SharedFeed } from '../backplane/index.ts';
import { isJsonObject, ownValue } from '../contract/wire/index.ts';
import type { FeedStore } from '../feed/index.ts';
import {
  type HistoryPeers,
  type HistoryReply,
  type HistoryRoutes,
  SharedHistoryRoutes,
} from '../history/index.ts';

/** As long as a person waits for what was. */
const HISTORY_MS = 8_000;

/** What the other instances keep of their devices, for requests to this one. */
function historyPeers(shared: SharedFeed, store: FeedStore): HistoryPeers {
  return {
    instance: shared.instance,
    ready: () => shared.ready,
    async ask(path, queryOf, topics) {
      const { answers, unreached } = await shared.peers.askEach('history', HISTORY_MS, (instance) => {
        const query = queryOf(instance);
        return query === undefined ? undefined : { path, query, topics };
      });
      const replies = new Map<string, HistoryReply>();
      const silent = [...unreached, ...shared.peers.missing()];
      for (const [instance, answer] of answers) {
        const status = isJsonObject(answer) ? ownValue(answer, 'status') : undefined;
        const body = isJsonObject(answer) ? ownValue(answer, 'body') : undefined;
        if (typeof status === 'number' && typeof body === 'string') replies.set(instance, { status, body });
        else silent.push(instance);
      }
      return { answers: replies, unreached: silent };
    },
    lostSince(device) {
      const { status, reason, since } = store.document(`devices/${device}/state`) ?? {};
      const lost = reason === 'owner_lost' || reason === 'backplane_lost';
      return lost && status !== 'online' && typeof since === 'number' ? since : undefined;
    },
  };
}

/** Answers what other instances ask of the history of this one, and asks them for requests to this one. */
export function shareHistory(
  shared: SharedFeed,
  store: FeedStore,
  local: HistoryRoutes,
  now: () => number,
): SharedHistoryRoutes {
  shared.calls.handle('history', async (body) => {
    const [path, query, topics] = ['path', 'query', 'topics'].map((key) => ownValue(body, key));
    if (typeof path !== 'string' || typeof query !== 'string' || !Array.isArray(topics)) return null;
    const patterns = topics.filter((each) => typeof each === 'string');
    const reply = await local.ask(path, query, patterns);
    return reply === undefined ? null : { ...reply };
  });
  return new SharedHistoryRoutes({ local, peers: historyPeers(shared, store), now });
}
