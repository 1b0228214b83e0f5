import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { loadConfig } from '../../../src/config/load.ts';
import { DoorClient } from '../../support/door-client.ts';
import { FeedClient } from '../../support/feed-world.ts';
import { ask } from '../../support/http.ts';
import { startBridge, type TestBridge } from '../../support/test-bridge.ts';

/** A proxy on this machine is trusted, so that a test can be anybody. */
const PROXY = 'trusted_proxies: [127.0.0.1]';
const REST = 'access: { insecure: true }\ndevices: []\n';
const ADDRESS = '203.0.113.9';

const start = (more: string) => startBridge(REST, `{ port: 0, ${PROXY}${more} }`);

async function reload({ bridge }: TestBridge, more: string) {
  const outcome = await bridge.apply(
    loadConfig(`server: { port: 0, ${PROXY}${more} }\n${REST}`, 'test.yaml'),
  );
  return { settings: outcome.diff?.settings, needsRestart: outcome.diff?.needsRestart };
}

function come({ url }: TestBridge, address = ADDRESS): FeedClient {
  const headers = { 'X-Forwarded-For': address, Origin: url };
  return new FeedClient(new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers }));
}

const limitsOf = async (client: FeedClient) => (await client.next('welcome')).payload.limits;

/** What is refused to one who subscribes to two patterns and says much at once. */
async function refusals(client: FeedClient): Promise<string[]> {
  const requests = 9;
  client.send({ type: 'subscribe', id: 's', topics: ['a', 'b'] });
  for (let turn = 1; turn < requests; turn++) client.send({ type: 'echo', id: `e${turn}`, data: turn });
  const answers = () => client.messages.filter(({ type }) => ['synced', 'echo', 'error'].includes(type));
  await expect.poll(() => answers().length).toBe(requests);
  const codes = answers().flatMap((each) => (each.type === 'error' ? [each.payload.code] : []));
  return [...new Set(codes)].sort();
}

describe('limits of the server, after a reload', () => {
  it('hold for newcomers, who are told of them, and send nobody away', async () => {
    await using bridge = await start(', max_connections_per_address: 3');
    const first = [come(bridge), come(bridge), come(bridge)];
    for (const each of first) expect(await limitsOf(each)).toMatchObject({ max_connections_per_address: 3 });
    expect((await come(bridge).next('error')).payload).toMatchObject({ code: 'connection_limit' });

    const changed = { settings: ['server.max_connections_per_address'], needsRestart: [] };
    // Some more than there are: the one that was refused may not be gone yet.
    expect(await reload(bridge, ', max_connections_per_address: 9')).toEqual(changed);
    expect(await limitsOf(come(bridge))).toMatchObject({ max_connections_per_address: 9 });

    expect(await reload(bridge, ', max_connections_per_address: 1')).toEqual(changed);
    expect((await come(bridge).next('error')).payload).toMatchObject({ code: 'connection_limit' });
    // Over what it comes makes no difference.
    const stream = await ask(Number(new URL(bridge.url).port), '/api/feed?topics=devices/%23', {
      headers: { 'X-Forwarded-For': ADDRESS },
    });
    expect(stream.text).toContain('connection_limit');
    expect(await limitsOf(come(bridge, '203.0.113.8'))).toMatchObject({ max_connections_per_address: 1 });
    for (const each of first) {
      each.send({ type: 'echo', id: 'e', data: 1 });
      expect((await each.next('echo')).payload).toMatchObject({ reply_to: 'e' });
    }
  });

  it('hold for how fast they come', async () => {
    await using bridge = await start(', max_connects_per_second: 1');
    const arrive = () =>
      new Promise<string>((resolve) => {
        const { socket } = come(bridge);
        socket.once('open', () => resolve('in'));
        socket.once('unexpected-response', () => resolve('sent away'));
      });
    const arrivals = (count: number) => Promise.all(Array.from({ length: count }, arrive));
    expect(await arrivals(12)).toContain('sent away');
    expect(await reload(bridge, ', max_connects_per_second: 100')).toEqual({
      settings: ['server.max_connects_per_second'],
      needsRestart: [],
    });
    expect(await arrivals(20)).not.toContain('sent away');
  });

  it('hold for how fast all of them come, from this machine too', async () => {
    await using bridge = await start(', max_new_subscribers_per_second: 1');
    const arrive = () =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`);
        socket.once('open', () => {
          resolve('in');
          socket.terminate();
        });
        socket.once('unexpected-response', (_, { statusCode }) => resolve(String(statusCode)));
        socket.once('error', () => undefined);
      });
    const arrivals = (count: number) => Promise.all(Array.from({ length: count }, arrive));
    expect(await arrivals(12)).toContain('503');
    expect(await reload(bridge, ', max_new_subscribers_per_second: 100')).toEqual({
      settings: ['server.max_new_subscribers_per_second'],
      needsRestart: [],
    });
    expect(new Set(await arrivals(20))).toEqual(new Set(['in']));
  });

  it('hold for what newcomers may say; who is here keeps what he was told', async () => {
    await using bridge = await start(', max_messages_per_second: 1, max_patterns: 1');
    const slow = come(bridge);
    expect(await limitsOf(slow)).toMatchObject({ messages_per_second: 1, message_burst: 2, max_patterns: 1 });
    expect(await reload(bridge, ', max_messages_per_second: 50, max_patterns: 9, auth_timeout: 3s')).toEqual({
      settings: ['server.auth_timeout', 'server.max_messages_per_second', 'server.max_patterns'],
      needsRestart: [],
    });
    const quick = come(bridge);
    expect(await limitsOf(quick)).toMatchObject({
      messages_per_second: 50,
      message_burst: 100,
      max_patterns: 9,
      auth_timeout_ms: 3_000,
    });
    await reload(bridge, ', max_messages_per_second: 1, max_patterns: 1');
    const late = come(bridge);
    expect(await limitsOf(late)).toMatchObject({ messages_per_second: 1, max_patterns: 1 });
    expect(await refusals(slow)).toEqual(['rate_limited', 'too_many_patterns']);
    expect(await refusals(quick)).toEqual([]);
    expect(await refusals(late)).toEqual(['rate_limited', 'too_many_patterns']);
  });

  it.each(['websocket', 'json_lines'] as const)(
    'hold for how large a message may be over %s',
    async (door) => {
      const lines = ', tcp: { port: 0 }';
      await using bridge = await start(`${lines}, max_message_bytes: 2048`);
      const ports = { port: Number(new URL(bridge.url).port), linesPort: bridge.linesPort };
      const says = async (bytes: number): Promise<string> => {
        using client = DoorClient.knock(door, ports);
        await client.until(() => client.types.includes('welcome'));
        client.say({ type: 'echo', id: 'e', data: 'x'.repeat(bytes) });
        return await client
          .until(() => client.types.includes('echo'))
          .then(
            () => 'echoed',
            () => 'closed',
          );
      };
      expect([await says(1_000), await says(3_000)]).toEqual(['echoed', 'closed']);
      await reload(bridge, `${lines}, max_message_bytes: 100000`);
      expect([await says(90_000), await says(110_000)]).toEqual(['echoed', 'closed']);
      await reload(bridge, `${lines}, max_message_bytes: 1024`);
      expect([await says(900), await says(3_000)]).toEqual(['echoed', 'closed']);
    },
  );

  it('hold for how long a change waits', async () => {
    await using bridge = await start('');
    expect(await reload(bridge, ', flush_window: 200ms')).toEqual({
      settings: ['server.flush_window'],
      needsRestart: [],
    });
    await come(bridge).next('welcome');
    expect(await reload(bridge, '')).toEqual({ settings: ['server.flush_window'], needsRestart: [] });
    await come(bridge).next('welcome');
  });
});
