import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FeedClient } from '../support/feed-world.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { dialIn, SIMULATED_IMEI } from '../support/simulated-device.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const LISTENERS = `
defaults: { heartbeat: { interval: 10s, missed: 3 }, reconnect: { initial: 100ms, max: 500ms } }
devices:
  - { id: tracker, match: { imei: "${SIMULATED_IMEI}" } }
  - { id: quiet, link: "tcp:127.0.0.1:1", role: server, reconnect: { initial: 10m, max: 10m } }
listeners:
  - { link: "tcp-listen:127.0.0.1:0" }
`;
const TOPICS = ['devices/+/state', 'devices/+/messages'];

let redis: RedisServer;
beforeEach(async () => {
  redis = await RedisServer.start();
});
afterEach(() => redis[Symbol.asyncDispose]());

const start = (instance: string, yaml = '') =>
  startBridge(`backplane: { url: "${redis.url}", instance: ${instance}, lease: 15s }\n${yaml}`);

async function subscribe({ url }: TestBridge, since?: Readonly<Record<string, number>>) {
  const client = new FeedClient(new WebSocket(`${url.replace('http', 'ws')}/ws`));
  await client.next('welcome');
  client.send({ type: 'subscribe', id: '1', topics: TOPICS, ...(since === undefined ? {} : { since }) });
  const { payload: synced } = await client.next('synced');
  const snapshots = client.messages.filter(({ type }) => type === 'snapshot');
  const topics = snapshots.flatMap((each) =>
    each.type === 'snapshot' ? each.payload.items.map(({ topic }) => topic) : [],
  );
  return { client, topics, synced };
}

describe.runIf(hasRedis)('a subscriber that comes to another instance', { timeout: 90_000 }, () => {
  it('gets what it missed, and goes on with patches', async () => {
    await using north = await start('north', LISTENERS);
    await using first = await start('first');
    await using second = await start('second');
    await using device = await dialIn(north.devicePort);
    const status = ({ bridge }: TestBridge) => bridge.store.document('devices/tracker/state')?.status;
    const linkOf = ({ bridge }: TestBridge) =>
      (bridge.store.document('devices/quiet/state')?.link as { status?: string } | undefined)?.status;
    // A subscriber of the other instance, so that it reads what there is.
    const other = await subscribe(second);
    const { client, synced } = await subscribe(first);
    expect(synced.mode).toBe('full');
    for (const bridge of [first, second]) {
      await expect.poll(() => status(bridge), { timeout: 30_000 }).toBe('online');
      await expect.poll(() => linkOf(bridge), { timeout: 30_000 }).toBe('backoff');
    }
    // Until what the positions of the first stand for is written.
    const { store } = first.bridge;
    const { rev } = store;
    const server = new Redis(redis.port, '127.0.0.1');
    const written = async () => {
      const [last] = await server.xrevrange(`heartwire:{0}:pos:${store.positionKey}`, '+', '-', 'COUNT', 1);
      // Whatever it showed otherwise than the other instance does is over.
      const isPlain = last?.[1][1]?.includes('"g":[],"o":[]') === true;
      return isPlain ? Number(last?.[0].split('-')[0]) : 0;
    };
    await expect.poll(written, { timeout: 30_000 }).toBeGreaterThanOrEqual(rev);
    server.disconnect();
    client.send({ type: 'subscribe', id: '2', topics: TOPICS });
    const since = (await client.next('synced')).payload.position;
    client.socket.terminate();
    await device[Symbol.asyncDispose]();
    await expect.poll(() => status(second), { timeout: 30_000 }).toBe('offline');
    const moved = await subscribe(second, since);
    expect([moved.synced.mode, [...new Set(moved.topics)]]).toEqual(['since', ['devices/tracker/state']]);
    const unknown = await subscribe(second, { nowhere: 3 });
    expect([unknown.synced.mode, unknown.topics.length]).toEqual(['full', 2]);
    for (const each of [moved, unknown, other]) each.client.socket.terminate();
  });
});
