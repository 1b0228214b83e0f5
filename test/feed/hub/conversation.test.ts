import { describe, expect, it } from 'vitest';
import { HeartwireError } from '../../../src/errors.ts';
import { FeedWorld } from '../../support/feed-world.ts';

describe('a subscriber', () => {
  it('is welcomed with one short message', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    const [welcome] = client.messages;
    expect(JSON.stringify(welcome).length).toBeLessThan(1_000);
    expect(welcome).toMatchObject({
      type: 'welcome',
      timestamp: world.clock.now().wallMs,
      payload: {
        client_id: expect.stringMatching(/^c_[\w-]{8}$/),
        protocol: 1,
        position: { epoch: 0 },
        ping_interval_ms: 20_000,
        ping_timeout_ms: 30_000,
        limits: {
          max_message_bytes: 65_536,
          messages_per_second: 100,
          message_burst: 200,
          max_patterns: 256,
          max_connections_per_address: 30,
          auth_timeout_ms: 10_000,
        },
      },
    });
  });

  it('gets the present documents, then every change, and a word when it knows all', async () => {
    await using world = await FeedWorld.start();
    world.store.publishState('devices/p1/state', { status: 'online', values: { t: 1 } });
    const client = await world.client();
    client.send({ type: 'subscribe', id: '2', topics: ['devices/+/state', 'devices/p1/#'] });
    expect(await client.next('snapshot')).toMatchObject({
      payload: {
        reply_to: '2',
        items: [{ topic: 'devices/p1/state', epoch: 'epoch', rev: 1, seq: 1, state: { status: 'online' } }],
        removed: [],
      },
    });
    expect(await client.next('synced')).toMatchObject({
      payload: { reply_to: '2', mode: 'full', position: { epoch: 1 } },
    });
    world.store.publishState('devices/p1/state', { status: 'stale' });
    world.store.publishEvent('devices/p1/messages', { name: 'telemetry' });
    world.store.publishState('devices/p2/state', { status: 'unknown' });
    world.store.removeState('devices/p1/state');
    expect(await client.next('update')).toMatchObject({
      payload: { rev: 2, seq: 2, prev: 1, patch: { status: 'stale', values: null } },
    });
    expect(await client.next('event')).toMatchObject({
      payload: { rev: 3, seq: 1, data: { name: 'telemetry' } },
    });
    expect(await client.next('update')).toMatchObject({
      payload: { full: true, state: { status: 'unknown' } },
    });
    expect(await client.next('update')).toMatchObject({ payload: { rev: 5, seq: 3, removed: true } });
    expect(client.view.documents()).toEqual({ 'devices/p2/state': { status: 'unknown' } });
    world.clock.advance(1_000);
    expect(await client.next('position')).toMatchObject({ payload: { position: { epoch: 5 } } });
    expect(client.view.breaches).toEqual([]);
  });

  it('gets its position once a second, however much happens, and none where nothing does', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    await client.subscribe('1', '#');
    for (let beat = 1; beat <= 3; beat++) {
      for (let n = 0; n < 100; n++) world.store.publishState(`devices/d${n % 7}/state`, { beat, n });
      world.clock.advance(1_000);
      expect((await client.next('position')).payload.position).toEqual({ epoch: beat * 100 });
    }
    world.clock.advance(5_000);
    client.send({ type: 'ping' });
    await client.next('pong');
    expect(client.types.filter((type) => type === 'position')).toHaveLength(3);
  });

  it('gets an empty snapshot where there is nothing yet', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    client.send({ type: 'subscribe', id: '1', topics: ['a'] });
    expect((await client.next('snapshot')).payload).toEqual({ reply_to: '1', items: [], removed: [] });
    await client.next('synced');
  });

  it('gets no more of what it unsubscribed', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    await client.subscribe('1', 'a/#', 'b');
    client.send({ type: 'unsubscribe', id: '2', topics: ['a/#'] });
    expect(await client.next('response')).toMatchObject({ payload: { reply_to: '2' } });
    world.store.publishState('a/b', {});
    world.store.publishState('b', {});
    expect(await client.next('update')).toMatchObject({ payload: { topic: 'b' } });
    client.send({ type: 'unsubscribe', id: '3', topics: ['a/#'] });
    expect(await client.next('error')).toMatchObject({ payload: { reply_to: '3', code: 'not_subscribed' } });
  });

  it('may ask for a document again', async () => {
    await using world = await FeedWorld.start();
    world.store.publishState('a', { x: 1 });
    const client = await world.client();
    await client.subscribe('1', 'a', 'gone');
    client.send({ type: 'resync', id: '2', topics: ['a', 'gone'] });
    expect(await client.next('response')).toMatchObject({ payload: { reply_to: '2' } });
    expect(await client.next('update')).toMatchObject({
      payload: { topic: 'a', full: true, state: { x: 1 } },
    });
    expect(await client.next('update')).toMatchObject({ payload: { topic: 'gone', removed: true } });
    client.send({ type: 'resync', id: '3', topics: ['b'] });
    expect(await client.next('error')).toMatchObject({ payload: { reply_to: '3', code: 'not_subscribed' } });
  });

  it('is answered pings and echoes', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    client.send('{"type":"ping","timestamp":1}');
    expect((await client.next('pong')).payload).toEqual({ timestamp: 1 });
    client.send('{"type":"ping","id":"p","timestamp":1,"payload":{"timestamp":2}}');
    expect((await client.next('pong')).payload).toEqual({ reply_to: 'p', timestamp: 2 });
    client.send('{"type":"echo","payload":{"a":["ä"]}}');
    expect((await client.next('echo')).payload).toEqual({ data: { a: ['ä'] } });
  });

  it('is sent JSON pings where it asked for them', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    client.send({ type: 'subscribe', id: '1', topics: ['a'], json_ping: true });
    await client.next('synced');
    world.clock.advance(20_000);
    expect((await client.next('ping')).payload.server_time).toBeLessThanOrEqual(world.clock.now().wallMs);
  });

  it('sees the other clients, and its own broadcasts', async () => {
    await using world = await FeedWorld.start();
    const one = await world.client('/ws/one');
    const two = await world.client('/ws/two');
    await two.subscribe('1', 'a/#');
    one.send({ type: 'broadcast', id: 'b', data: ['hello'] });
    expect((await one.next('broadcast_ack')).payload).toEqual({ reply_to: 'b', recipients: 2 });
    for (const { messages } of [one, two]) {
      await expect
        .poll(() => messages.find((each) => each.type === 'broadcast')?.payload)
        .toMatchObject({ from: 'one', data: ['hello'] });
    }
    one.send({ type: 'get_clients', id: 'g' });
    expect((await one.next('clients_list')).payload).toMatchObject({
      reply_to: 'g',
      count: 2,
      clients: [
        { id: 'one', address: '127.0.0.1', subscriptions: [] },
        { id: 'two', subscriptions: ['a/#'], connected_at: world.clock.now().wallMs },
      ],
    });
    expect(world.feed.clients()).toHaveLength(2);
    two.socket.close();
    await expect.poll(() => world.feed.clients().map(({ id }) => id)).toEqual(['one']);
  });
});

describe('a command', () => {
  const command = { type: 'command', id: '9', device: 'p1', message: 'datetime', timeout_ms: 50 };

  it('is answered by the handler', async () => {
    await using world = await FeedWorld.start({
      commands: async (asked, client) => ({ ok: true, result: { ...asked, by: client.id } }),
    });
    const client = await world.client('/ws/me');
    client.send(command);
    expect((await client.next('response')).payload).toEqual({
      reply_to: '9',
      result: { device: 'p1', message: 'datetime', fields: {}, timeoutMs: 50, by: 'me' },
    });
  });

  it.each([
    [
      'a code',
      async () => ({ ok: false, code: 'device_unknown', message: 'No p1.', retry: false }) as const,
      'device_unknown',
    ],
    ['our error', () => Promise.reject(new HeartwireError('link_not_open', 'no')), 'link_not_open'],
    ['any error', () => Promise.reject(new Error('no')), 'command_failed'],
  ])('fails with %s', async (_name, commands, code) => {
    await using world = await FeedWorld.start({ commands });
    const client = await world.client();
    client.send(command);
    expect((await client.next('error')).payload).toMatchObject({ reply_to: '9', code });
  });

  it('fails when nothing answers it', async () => {
    let asked = false;
    await using world = await FeedWorld.start({
      commands: () => {
        asked = true;
        return new Promise(() => undefined);
      },
    });
    const client = await world.client();
    client.send(command);
    await expect.poll(() => asked).toBe(true);
    world.clock.advance(2_000);
    expect((await client.next('error')).payload).toMatchObject({ code: 'command_timeout', retry: true });
  });

  it('is refused where no handler takes any, and where too many wait', async () => {
    await using none = await FeedWorld.start();
    const client = await none.client();
    client.send(command);
    expect((await client.next('error')).payload).toMatchObject({ reply_to: '9', code: 'not_supported' });
    await using busy = await FeedWorld.start({ commands: () => new Promise(() => undefined) });
    const eager = await busy.client();
    for (let count = 0; count < 33; count++) eager.send({ ...command, id: `c${count}` });
    expect((await eager.next('error')).payload).toMatchObject({ reply_to: 'c32', code: 'too_many_commands' });
  });
});
