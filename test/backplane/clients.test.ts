import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FeedClient } from '../support/feed-world.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const ADMIN = 'admin-secret-of-this-test';
const WALL = 'wall-secret-of-this-test';
const ACCESS = `
access:
  tokens:
    - { name: operator, hash: "sha256:${await hashOf(ADMIN)}", roles: [admin], topics: ["#"] }
    - { name: wall, hash: "sha256:${await hashOf(WALL)}", roles: [read], topics: ["#"] }
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
`;

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Buffer.from(digest).toString('hex');
}

let redis: RedisServer;
beforeEach(async () => {
  redis = await RedisServer.start();
});
afterEach(() => redis[Symbol.asyncDispose]());

const start = (instance: string) =>
  startBridge(`backplane: { url: "${redis.url}", instance: ${instance}, lease: 5s }\n${ACCESS}`);

/** Once every instance knows of this many. */
const joined = async (count: number, ...bridges: readonly TestBridge[]) => {
  for (const { bridge } of bridges) {
    const known = () =>
      (bridge.store.document('bridge/status')?.backplane as { instances?: string[] } | undefined)?.instances
        ?.length;
    await expect.poll(known).toBe(count);
  }
};

async function connect({ url }: TestBridge, token: string, id: string, localAddress = '127.0.0.1') {
  const options = { headers: { Authorization: `Bearer ${token}` }, localAddress };
  const client = new FeedClient(new WebSocket(`${url.replace('http', 'ws')}/ws/${id}`, options));
  await client.next('welcome');
  return client;
}

/** Which clients an instance lists, as `id of user at instance`. */
async function listed(client: FeedClient, id: string) {
  client.send({ type: 'get_clients', id });
  const { payload } = await client.next('clients_list');
  const entries = payload.clients.map((each) => `${each.id} of ${each.user} at ${each.instance}`).sort();
  return { entries, count: payload.count, unreached: payload.unreached };
}

describe.runIf(hasRedis)('clients of several instances', () => {
  it('are listed at each of them, with their instance and their token', async () => {
    await using north = await start('north');
    await using south = await start('south');
    await joined(2, north, south);
    const admin = await connect(north, ADMIN, 'desk');
    const wall = await connect(south, WALL, 'screen');
    const all = {
      entries: ['desk of token:operator at north', 'screen of token:wall at south'],
      count: 2,
      unreached: undefined,
    };
    expect(await listed(admin, '1')).toEqual(all);
    expect(await listed(wall, '1')).toEqual(all);
    for (const client of [admin, wall]) client.socket.terminate();
  });

  it.each([
    ['client id', { client_id: 'a' }, { kicked: 'a' }, ['a']],
    ['user', { user: 'token:wall' }, { kicked: 'token:wall', count: 3 }, ['a', 'b', 'c']],
    ['address', { address: '127.0.0.3' }, { kicked: '127.0.0.3', count: 2 }, ['b', 'c']],
  ] as const)('are disconnected for good by %s, wherever they are', async (_, target, result, gone) => {
    await using north = await start('north');
    await using south = await start('south');
    await joined(2, north, south);
    const admin = await connect(north, ADMIN, 'desk');
    const walls = new Map([
      ['a', await connect(south, WALL, 'a', '127.0.0.2')],
      ['b', await connect(south, WALL, 'b', '127.0.0.3')],
      ['c', await connect(north, WALL, 'c', '127.0.0.3')],
    ]);
    admin.send({ type: 'kick', id: 'k', ...target });
    expect((await admin.next('response')).payload).toEqual({ reply_to: 'k', result });
    for (const id of gone) expect(await walls.get(id)?.closed).toEqual({ code: 4503, reason: 'kicked' });
    const left = ['desk of token:operator at north'];
    for (const [id, at] of [
      ['a', 'south'],
      ['b', 'south'],
      ['c', 'north'],
    ] as const)
      if (!gone.some((each) => each === id)) left.push(`${id} of token:wall at ${at}`);
    // A kicked one leaves once its close is answered.
    await expect.poll(async () => (await listed(admin, 'l')).entries).toEqual(left.sort());
    admin.send({ type: 'kick', id: 'n', user: 'nobody' });
    expect((await admin.next('error')).payload).toMatchObject({
      code: 'client_unknown',
      message: 'No client has the token "nobody".',
    });
    for (const client of [admin, ...walls.values()]) client.socket.terminate();
  });

  it('of an instance that does not answer are said to be missing', async () => {
    await using north = await start('north');
    await using south = await start('south');
    await joined(2, north, south);
    const admin = await connect(north, ADMIN, 'desk');
    await redis.kill();
    expect(await listed(admin, '1')).toEqual({
      entries: ['desk of token:operator at north'],
      count: 1,
      unreached: ['south'],
    });
    admin.send({ type: 'kick', id: 'k', user: 'token:wall' });
    expect((await admin.next('error')).payload).toMatchObject({
      code: 'client_unknown',
      message: 'No client has the token "token:wall". These instances did not answer: south.',
    });
    const closed = once(admin.socket, 'close');
    admin.socket.terminate();
    await closed;
  });
});
