import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FeedWorld } from '../../support/feed-world.ts';

const BIG = 'x'.repeat(16 * 1024);

/** Publishes until a subscriber that does not read is full: the system's own buffers come first. */
async function fillUp(world: FeedWorld, isFull: () => boolean): Promise<number> {
  for (let round = 1; round <= 4_000; round++) {
    for (let device = 0; device < 4; device++) {
      world.store.publishState(`devices/d${device}/state`, { round, big: BIG + round });
    }
    world.store.publishEvent('devices/d0/messages', { round });
    await turn();
    if (isFull()) return round;
  }
  throw new Error('the subscriber never fell behind');
}

describe('a subscriber that never reads', () => {
  it('costs bounded memory, delays no other, and knows all when it reads again', async () => {
    await using world = await FeedWorld.start();
    const fast = await world.client('/ws/fast');
    await fast.subscribe('1', 'devices/#');
    const slow = await world.client('/ws/slow');
    await slow.subscribe('1', 'devices/#');
    slow.socket.pause();
    const backlog = (): number => world.feed.clients().find(({ id }) => id === 'slow')?.backlog ?? 0;
    await fillUp(world, () => backlog() > 64 * 1024);
    let most = 0;
    for (let round = 0; round < 3_000; round++) {
      world.store.publishState('devices/d0/state', { round, big: BIG });
      world.store.publishEvent('devices/d0/messages', { round, text: 'y'.repeat(500) });
      if (round % 10 === 0) await turn();
      most = Math.max(most, backlog());
    }
    world.store.removeState('devices/d1/state');
    // One flush above the high-water mark, the events' 1 MiB, and the marks.
    expect(most).toBeLessThan(64 * 1024 + 4 * 17 * 1024 + 1024 * 1024 + 1_024);
    const present = (): unknown =>
      Object.fromEntries(world.store.documents('#').map(({ topic, document }) => [topic, document]));
    await expect.poll(() => fast.view.documents(), { timeout: 10_000 }).toEqual(present());
    await expect.poll(() => fast.view.events.get('devices/d0/messages')?.length).toBeGreaterThan(3_000);
    expect(fast.view.gaps).toEqual([]);
    expect(slow.view.documents()).not.toEqual(present());

    slow.socket.resume();
    await expect.poll(() => slow.view.documents(), { timeout: 10_000 }).toEqual(present());
    const sent = (): number => {
      const seqs = new Set(slow.view.events.get('devices/d0/messages'));
      for (const { from, to } of slow.view.gaps) for (let seq = from; seq <= to; seq++) seqs.add(seq);
      return seqs.size;
    };
    await expect.poll(sent).toBe(fast.view.events.get('devices/d0/messages')?.length);
    expect(slow.view.gaps).toMatchObject([{ topic: 'devices/d0/messages' }]);
    expect([...fast.view.breaches, ...slow.view.breaches]).toEqual([]);
    await expect.poll(backlog).toBe(0);
    world.store.publishState('devices/d2/state', { after: 1 });
    await expect.poll(() => slow.messages.at(-1)?.payload).toMatchObject({ patch: { after: 1 } });
  });

  it('is closed after 30 s without a byte drained', async () => {
    await using world = await FeedWorld.start();
    const raw = await world.raw();
    raw.send({ type: 'subscribe', topics: ['#'] });
    await expect.poll(() => world.feed.clients()[0]?.subscriptions).toEqual(['#']);
    await fillUp(world, () => (world.feed.clients()[0]?.backlog ?? 0) > 64 * 1024);
    world.clock.advance(29_000);
    expect(world.feed.clients()).toHaveLength(1);
    world.clock.advance(2_000);
    await expect.poll(() => world.feed.clients(), { timeout: 5_000 }).toEqual([]);
    await expect.poll(() => world.feed.heldBytes, { timeout: 5_000 }).toBe(0);
  });

  it('goes first when all together hold too much', async () => {
    await using world = await FeedWorld.start({ maxHeldBytes: 200 * 1024 });
    const fast = await world.client('/ws/fast');
    await fast.subscribe('1', '#');
    const slow = await world.client('/ws/slow');
    await slow.subscribe('1', '#');
    slow.socket.pause();
    await fillUp(world, () => {
      world.store.publishEvent('devices/d1/messages', { text: BIG });
      return world.feed.clients().length === 1;
    });
    await expect.poll(() => world.feed.clients().map(({ id }) => id), { timeout: 5_000 }).toEqual(['fast']);
    slow.socket.resume();
    expect([1006, 4008]).toContain((await slow.closed).code);
  });

  it('is not read from either, so that its pings cost nothing', async () => {
    await using world = await FeedWorld.start();
    const raw = await world.raw();
    for (let burst = 0; burst < 200; burst++) {
      for (let count = 0; count < 500; count++) raw.frame(0x89, Buffer.alloc(100));
      await turn();
      expect(world.feed.heldBytes).toBeLessThan(128 * 1024);
    }
    let pongs = 0;
    raw.socket.on('data', (chunk) => {
      pongs += chunk.length / 102;
    });
    raw.socket.resume();
    await expect.poll(() => pongs).toBeGreaterThan(0);
    await expect.poll(() => raw.socket.writableLength).toBe(0);
    expect(pongs).toBeLessThan(100_000);
  });

  it('gets a snapshot that is larger than its socket in pieces, as it reads', async () => {
    await using world = await FeedWorld.start();
    for (let device = 0; device < 600; device++)
      world.store.publishState(`devices/d${device}/state`, { big: BIG });
    const client = await world.client();
    client.socket.pause();
    client.send({ type: 'subscribe', id: '1', topics: ['#'] });
    await expect.poll(() => world.feed.heldBytes).toBeGreaterThan(64 * 1024);
    expect(world.feed.heldBytes).toBeLessThan(300 * 1024);
    world.store.publishState('devices/d599/state', { big: 'new' });
    world.store.removeState('devices/d598/state');
    client.socket.resume();
    await client.next('synced');
    const sizes = client.messages
      .filter(({ type }) => type === 'snapshot')
      .map((each) => JSON.stringify(each).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * 1024);
    expect(Object.keys(client.view.documents())).toHaveLength(599);
    expect(client.view.documents()['devices/d599/state']).toEqual({ big: 'new' });
    expect(client.view.breaches).toEqual([]);
  });
});

describe('a subscriber whose cable is pulled', () => {
  it('is seen removed 30 s after a ping that it does not answer; one that answers stays', async () => {
    await using world = await FeedWorld.start();
    const alive = await world.client('/ws/alive');
    await world.raw();
    expect(world.feed.clients()).toHaveLength(2);
    let pings = 0;
    alive.socket.on('ping', () => pings++);
    world.clock.advance(20_000);
    await expect.poll(() => pings).toBe(1);
    // The answer is on its way back; a message behind it says that it has arrived.
    alive.send({ type: 'ping', id: 'after' });
    await expect.poll(() => alive.view.replies.has('after')).toBe(true);
    world.clock.advance(1_000);
    world.clock.advance(28_000);
    expect(world.feed.clients()).toHaveLength(2);
    alive.send({ type: 'ping', id: 'again' });
    await expect.poll(() => alive.view.replies.has('again')).toBe(true);
    world.clock.advance(3_000);
    await expect.poll(() => world.feed.clients().map(({ id }) => id), { timeout: 5_000 }).toEqual(['alive']);
  });
});

describe('a feed that is stopped', () => {
  it('tells every client when to come back, and ends within its time', async () => {
    await using world = await FeedWorld.start({ closeTimeoutMs: 200 });
    const client = await world.client();
    await world.raw();
    await world.feed[Symbol.asyncDispose]();
    const { code } = await client.closed;
    expect(code).toBe(4000);
    expect(client.messages.at(-1)).toMatchObject({
      type: 'closing',
      payload: { code: 4000, reason: 'draining', reconnect: true, retry_after_ms: expect.any(Number) },
    });
    expect(world.feed.clients()).toEqual([]);
    expect(world.clock.timers).toBe(0);
  });
});
