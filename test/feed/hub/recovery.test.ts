import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../../src/contract/wire/json.ts';
import { type FeedClient, FeedWorld } from '../../support/feed-world.ts';

async function back(world: FeedWorld, since: JsonObject, ...topics: string[]): Promise<FeedClient> {
  const client = await world.client();
  client.send({ type: 'subscribe', id: 's', topics, since });
  return client;
}

function seqs(client: FeedClient): number[] {
  return client.messages.flatMap((each: ServerMessage) => (each.type === 'event' ? [each.payload.seq] : []));
}

describe('a subscriber that comes back with a position', () => {
  it('is sent what changed, removals and events included, and nothing else', async () => {
    await using world = await FeedWorld.start();
    const { store } = world;
    store.follow(['devices/#']);
    for (let n = 0; n < 20; n++) store.publishState(`devices/d${n}/state`, { n });
    store.publishEvent('devices/d1/messages', { n: 1 });
    const since = store.position();
    store.publishState('devices/d7/state', { n: 70 });
    store.removeState('devices/d3/state');
    store.publishEvent('devices/d1/messages', { n: 2 });
    store.publishState('bridge/status', {});
    const client = await back(world, since, 'devices/#');
    const synced = await client.next('synced');
    expect(synced.payload).toMatchObject({ mode: 'since', position: store.position() });
    const snapshots = client.messages.flatMap((each) => (each.type === 'snapshot' ? [each.payload] : []));
    expect(snapshots.flatMap(({ items }) => items)).toMatchObject([
      { topic: 'devices/d7/state', state: { n: 70 } },
    ]);
    expect(snapshots.flatMap(({ removed }) => removed)).toMatchObject([{ topic: 'devices/d3/state' }]);
    expect(seqs(client)).toEqual([2]);
    expect(client.messages.indexOf(synced)).toBe(client.messages.length - 1);
    store.publishEvent('devices/d1/messages', { n: 3 });
    expect((await client.next('event')).payload.seq).toBe(3);
  });

  it('learns which events are not kept any more', async () => {
    await using world = await FeedWorld.start();
    const { store } = world;
    store.follow(['devices/#']);
    store.publishEvent('devices/d1/messages', { n: 0 });
    const since = store.position();
    for (let n = 0; n < 1_500; n++) store.publishEvent('devices/d1/messages', { n });
    const client = await back(world, since, 'devices/#');
    await client.next('synced');
    expect(client.messages.find(({ type }) => type === 'gap')?.payload).toMatchObject({
      topic: 'devices/d1/messages',
      from_seq: 1,
      to_seq: 501,
      reason: 'expired',
    });
    expect(seqs(client)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 502));
    expect(client.view.breaches).toEqual([]);
  });

  it('learns that events older than ten minutes are gone', async () => {
    await using world = await FeedWorld.start();
    const { store, clock } = world;
    store.follow(['#']);
    await world.client();
    const since = store.position();
    store.publishEvent('devices/d1/messages', { n: 1 });
    clock.advance(300_000);
    store.publishEvent('devices/d1/messages', { n: 2 });
    clock.advance(320_000);
    const client = await back(world, since, '#');
    await client.next('synced');
    expect(client.view.gaps).toEqual([{ topic: 'devices/d1/messages', from: 1, to: 1 }]);
    expect(seqs(client)).toEqual([2]);
  });

  it('gets events of a topic that had none while it was connected, because it subscribed to them then', async () => {
    await using world = await FeedWorld.start();
    const { store } = world;
    const first = await world.client();
    first.send({ type: 'subscribe', id: 's', topics: ['devices/+/messages'] });
    const { position } = (await first.next('synced')).payload;
    first.socket.terminate();
    store.publishEvent('devices/d9/messages', { n: 1 });
    const client = await back(world, position, 'devices/+/messages');
    await client.next('synced');
    expect(seqs(client)).toEqual([1]);
  });

  it('learns of every loss before the end of the answer', async () => {
    await using world = await FeedWorld.start();
    const { store } = world;
    const since = store.position();
    for (let n = 0; n < 5; n++) store.publishEvent(`devices/d${n}/messages`, {});
    const client = await back(world, since, 'devices/#');
    await client.next('synced');
    expect(client.messages.filter(({ type }) => type === 'gap')).toHaveLength(5);
    expect(client.messages.at(-1)?.type).toBe('synced');
  });

  it('learns that events are gone of topics without a subscription in the ten minutes before them', async () => {
    await using world = await FeedWorld.start();
    const { store, clock } = world;
    const first = await world.client();
    first.send({ type: 'subscribe', id: 's', topics: ['devices/#'] });
    const { position } = (await first.next('synced')).payload;
    first.socket.terminate();
    await expect.poll(() => world.feed.clients()).toEqual([]);
    let made = 0;
    const publish = () => store.publishEvent('devices/d1/messages', () => ({ n: ++made }));
    clock.advance(590_000);
    publish();
    clock.advance(20_000);
    publish();
    expect(made).toBe(1);
    clock.advance(10_000);
    // No client is there, and nothing is left to be forgotten.
    expect(clock.timers).toBe(0);
    const client = await back(world, position, 'devices/#');
    expect((await client.next('synced')).payload.mode).toBe('since');
    expect(client.view.gaps).toEqual([{ topic: 'devices/d1/messages', from: 1, to: 2 }]);
    publish();
    expect((await client.next('event')).payload).toMatchObject({ seq: 3, data: { n: 2 } });
  });

  it('learns that events are gone of topics that never had a subscription', async () => {
    await using world = await FeedWorld.start();
    const { store } = world;
    const since = store.position();
    for (let n = 0; n < 250; n++) store.publishEvent('devices/d1/messages', { n });
    const client = await back(world, since, 'devices/#');
    await client.next('synced');
    expect(client.view.gaps).toEqual([{ topic: 'devices/d1/messages', from: 1, to: 250 }]);
    store.publishEvent('devices/d1/messages', { n: 250 });
    expect((await client.next('event')).payload.seq).toBe(251);
  });

  it.each<[string, (present: JsonObject) => JsonObject]>([
    ['another life of the bridge', () => ({ other: 3 })],
    ['a position ahead of the present', () => ({ epoch: 1_000 })],
    ['no position at all', () => ({})],
  ])('gets everything for %s', async (_name, sinceOf) => {
    await using world = await FeedWorld.start();
    world.store.publishState('a', { n: 1 });
    world.store.publishState('b', { n: 1 });
    const client = await back(world, sinceOf(world.store.position()), '#');
    expect((await client.next('synced')).payload.mode).toBe('full');
    expect(Object.keys(client.view.documents())).toEqual(['a', 'b']);
  });

  it('gets everything once removals are forgotten, after a day', async () => {
    await using world = await FeedWorld.start();
    const { store, clock } = world;
    await world.client();
    store.publishState('a', {});
    const since = store.position();
    store.removeState('a');
    const removed = store.position();
    clock.advance(23 * 3_600_000);
    expect(store.recoverable(since)).toBe(1);
    clock.advance(2 * 3_600_000);
    expect(store.recoverable(since)).toBeUndefined();
    expect(store.recoverable(removed)).toBe(2);
  });
});

describe('a position', () => {
  /** What positions claimed, from the one that answers `id` on, of what happened and had not been said before them. */
  function lies(client: FeedClient, id: string, happened: ReadonlyMap<number, string>): string[] {
    const said = new Set<number>();
    const found: string[] = [];
    let counts = false;
    for (const message of client.messages) {
      if (message.type === 'event' || message.type === 'broadcast') said.add(message.payload.rev);
      if (message.type !== 'synced' && message.type !== 'position') continue;
      counts ||= message.type === 'synced' && message.payload.reply_to === id;
      const rev = counts ? (message.payload.position.epoch ?? 0) : 0;
      for (const [at, topic] of happened)
        if (at <= rev && !said.has(at)) found.push(`${rev} claims ${topic} ${at}`);
    }
    return found;
  }

  function watch(world: FeedWorld): Map<number, string> {
    const happened = new Map<number, string>();
    world.store.follow(['#']);
    world.store.listen(({ rev, topic }) => happened.set(rev, topic));
    return happened;
  }

  it('does not claim what waits behind something newer', async () => {
    await using world = await FeedWorld.start();
    const happened = watch(world);
    world.store.publishBroadcast('c', 'first');
    for (let n = 0; n < 40; n++) world.store.publishEvent('devices/d1/messages', { n });
    const client = await world.client();
    const ask = { type: 'subscribe', ack: true, since: { epoch: 0 } };
    client.send({ ...ask, id: '1', topics: ['devices/#'] });
    client.send({ ...ask, id: '2', topics: ['broadcast/+'] });
    await expect.poll(() => client.types.filter((type) => type === 'synced')).toHaveLength(2);
    world.clock.advance(2_000);
    client.send({ type: 'ping' });
    await client.next('pong');
    expect(lies(client, '2', happened)).toEqual([]);
    const ids = client.messages.flatMap((each) => (each.ack_required === true ? [each.id] : []));
    expect(ids).toHaveLength(32);
    client.send({ type: 'ack', ids });
    await expect.poll(() => client.messages.filter((each) => each.ack_required)).toHaveLength(41);
    world.clock.advance(20_000);
    await expect.poll(() => client.view.position).toBe(41);
    expect(lies(client, '2', happened)).toEqual([]);
  });
});
