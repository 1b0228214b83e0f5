import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FeedStore } from '../src/feed/core/store.ts';
import { FeedServer } from '../src/feed/transports/feed-server.ts';
import { type Clock, systemClock } from '../src/system/clock.ts';
import type { Bench, BenchRow } from './support/bench.ts';
import type { Account, BurstOrder, Counts } from './support/burst-clients.ts';

const FAST = 90;
const SLOW = 10;
const MESSAGES = 1_000_000;
const PER_TICK = 100;
/**
 * After so many it is awaited that the fast ones have taken them off us, as many as may wait for one: who is slower than
 * that is a slow one, and on a busy machine the counting processes are.
 */
const PER_WAVE = 1_000;
const TOPIC = 'devices/p1/messages';
const FAST_TOPICS = 'devices/+/messages';
const BUDGET_MIB = 256;
/** Welcome, snapshot, synced. */
const GREETING_FRAMES = 3;

async function ask(clients: ChildProcess, order: BurstOrder): Promise<unknown> {
  const answer = once(clients, 'message');
  clients.send(order);
  return (await answer)[0];
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
}

/** Its beat never comes, so that no position and no ping stands among the frames that are counted. */
const clock: Clock = { ...systemClock, setTimer: () => ({ cancel: () => undefined }) };

async function until(condition: () => boolean, seconds: number): Promise<boolean> {
  for (let tries = 0; tries < seconds * 1_000; tries++) {
    if (condition()) return true;
    await sleep(1);
  }
  return condition();
}

async function* run(): AsyncGenerator<BenchRow> {
  const store = new FeedStore({ epoch: 'bench', notify: 'followed' });
  const feed = new FeedServer({
    store,
    clock,
    host: '127.0.0.1',
    hosts: [],
    origins: [],
    closeTimeoutMs: 100,
  });
  const http = createServer();
  http.on('upgrade', (request, socket, head) => feed.handleUpgrade(request, socket, head));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  // A listening TCP server has an address with a port.
  const { port } = http.address() as AddressInfo;
  const own = fileURLToPath(import.meta.url);
  const child = (): ChildProcess => fork(own.replace(/burst(\.[jt]s)$/, 'support/burst-clients$1'));
  const [fast, slow] = [child(), child()];
  const greeting = JSON.stringify({ type: 'subscribe', topics: [FAST_TOPICS] });
  await ask(fast, { do: 'connect', port, count: FAST, greeting });
  await ask(fast, { do: 'await', frames: GREETING_FRAMES });
  await ask(slow, { do: 'slow', port, count: SLOW });
  try {
    yield* burst(store, feed, fast, slow);
  } finally {
    fast.disconnect();
    slow.disconnect();
    await feed[Symbol.asyncDispose]();
    http.close();
  }
}

async function* burst(
  store: FeedStore,
  feed: FeedServer,
  fast: ChildProcess,
  slow: ChildProcess,
): AsyncGenerator<BenchRow> {
  const before = process.memoryUsage().rss;
  const startedAt = performance.now();
  let mostRss = before;
  let mostHeld = 0;
  for (let n = 1; n <= MESSAGES; n++) {
    store.publishEvent(TOPIC, { name: 'telemetry', values: { n, temperature: 20 + (n % 100) / 10 } });
    if (n % PER_TICK === 0) await turn();
    if (n % PER_WAVE !== 0) continue;
    mostHeld = Math.max(mostHeld, feed.heldBytes);
    mostRss = Math.max(mostRss, process.memoryUsage().rss);
    store.publishState('devices/p1/state', { n });
    await until(
      () =>
        feed
          .clients()
          .every(({ backlog, subscriptions }) => backlog === 0 || subscriptions[0] !== FAST_TOPICS),
      60,
    );
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const wanted = GREETING_FRAMES + MESSAGES;
  // What the children send is what their orders say.
  const { least, most } = (await ask(fast, { do: 'await', frames: wanted })) as Counts;
  yield {
    name: `${FAST} fast subscribers, ${MESSAGES} messages`,
    figure: `${((FAST * MESSAGES) / seconds / 1e6).toFixed(2)} M deliveries a second, ${seconds.toFixed(0)} s; ${wanted - least} frames missing at most, ${most - wanted} too many`,
    peer: '-',
    ratio: '-',
    target: { text: 'every frame, and none besides', met: least === wanted && most === wanted },
  };
  const accounts = (await ask(slow, { do: 'account', topic: TOPIC, messages: MESSAGES })) as Account[];
  const converged = accounts.every(
    ({ heard, missed, state }) => heard + missed === MESSAGES && state === MESSAGES,
  );
  const heard = accounts.map((each) => each.heard);
  yield {
    name: `${SLOW} slow ones`,
    figure: `heard ${Math.min(...heard)} to ${Math.max(...heard)}, told of all the rest`,
    peer: '-',
    ratio: '-',
    target: { text: 'converged, every message heard or told as missed', met: converged },
  };
  yield {
    name: 'memory of the bridge',
    figure: `${mib(mostRss - before)} more than before the burst, ${mib(mostHeld)} held for subscribers`,
    peer: '-',
    ratio: '-',
    target: { text: `<= ${BUDGET_MIB} MiB`, met: mostRss - before <= BUDGET_MIB * 1024 * 1024 },
  };
}

/** A burst to many subscribers, some of which hardly read. */
export const bench: Bench = {
  about: `${MESSAGES} messages to ${FAST + SLOW} subscribers of which ${SLOW} are slow; what each of them got`,
  run,
};
