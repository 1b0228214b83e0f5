import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { CommandOutcome } from '../../../src/contract/command.ts';
import type { ServerMessage } from '../../../src/contract/feed/server-messages.ts';
import { DEFAULT_FEED_LIMITS, type LiveLimits } from '../../../src/feed/hub/limits.ts';
import { LiveConfig } from '../../../src/system/live-config.ts';
import { FeedClient, FeedWorld } from '../../support/feed-world.ts';

const TOPIC = 'devices/d1/messages';

type EventMessage = Extract<ServerMessage, { type: 'event' }>;

function events(client: FeedClient): EventMessage[] {
  return client.messages.flatMap((each) => (each.type === 'event' ? [each] : []));
}

async function acknowledging(world: FeedWorld, path?: string): Promise<FeedClient> {
  const client = await world.client(path);
  client.send({ type: 'subscribe', id: 's', topics: ['devices/#'], ack: true });
  await client.next('synced');
  return client;
}

/** A round trip: what was sent to the server before has been read, and what it had to say before has come. */
async function settled(client: FeedClient): Promise<void> {
  for (let round = 0; round < 2; round++) {
    client.send('{"type":"ping"}');
    await client.next('pong');
    await turn();
  }
}

function secretOf(client: FeedClient): string {
  const [welcome] = client.messages;
  return welcome?.type === 'welcome' ? welcome.payload.session : '';
}

describe('events that are to be acknowledged', () => {
  it('are broadcasts too, where a pattern with ack covers them; sent again until they are acknowledged', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    client.send({ type: 'subscribe', id: 's', topics: ['broadcast/+'], ack: true });
    await client.next('synced');
    const other = await world.client();
    other.send({ type: 'broadcast', data: 'hello' });
    const first = await client.next('broadcast');
    expect(first).toMatchObject({ ack_required: true, payload: { data: 'hello' } });
    expect(await other.next('broadcast')).not.toHaveProperty('ack_required');
    world.clock.advance(31_000);
    expect((await client.next('broadcast')).id).toBe(first.id);
    client.send({ type: 'ack', ids: [first.id] });
    await settled(client);
    world.clock.advance(31_000);
    await settled(client);
    expect(client.messages.filter(({ type }) => type === 'broadcast')).toHaveLength(2);
  });

  it('come at most 32 ahead of their acknowledgements, and hold up nothing else', async () => {
    await using world = await FeedWorld.start();
    const client = await acknowledging(world);
    for (let n = 1; n <= 40; n++) world.store.publishEvent(TOPIC, { n });
    world.store.publishState('devices/d1/state', { n: 1 });
    await client.next('update');
    await settled(client);
    expect(events(client).map(({ payload }) => payload.seq)).toEqual(
      Array.from({ length: 32 }, (_, n) => n + 1),
    );
    expect(events(client).every(({ ack_required }) => ack_required === true)).toBe(true);
    expect(client.messages.find(({ type }) => type === 'update')).not.toHaveProperty('ack_required');
    client.send({ type: 'ack', ids: events(client).map(({ id }) => id) });
    await expect.poll(() => events(client).length).toBe(40);
  });

  it('are the same to all other clients', async () => {
    await using world = await FeedWorld.start();
    await acknowledging(world);
    const plain = await world.client();
    await plain.subscribe('1', 'devices/#');
    world.store.publishEvent(TOPIC, { n: 1 });
    expect(await plain.next('event')).not.toHaveProperty('ack_required');
  });

  it('bear the number of the instance from which they came, also where they come late', async () => {
    await using world = await FeedWorld.start();
    const acked = await acknowledging(world);
    const plain = await world.client();
    await plain.subscribe('1', 'devices/#');
    const since = world.store.position();
    const origin = { id: 'r7.north', epoch: 'north', seq: 7 };
    world.store.publishEvent(TOPIC, { n: 1 }, 'any', origin);
    const late = await world.client();
    late.send({ type: 'subscribe', id: '1', topics: ['devices/#'], since });
    for (const client of [acked, plain, late]) {
      const { id, payload } = await client.next('event');
      expect([id, payload.epoch, payload.seq]).toEqual(['r7.north', 'north', 7]);
    }
  });

  it('are sent again every 30 s, five times in all, and then reported as lost', async () => {
    await using world = await FeedWorld.start({ pingTimeoutMs: 1e9 });
    const client = await acknowledging(world);
    world.store.publishEvent(TOPIC, { n: 1 });
    await client.next('event');
    for (let tries = 2; tries <= 5; tries++) {
      world.clock.advance(29_000);
      await settled(client);
      expect(events(client)).toHaveLength(tries - 1);
      world.clock.advance(2_000);
      await expect.poll(() => events(client).length).toBe(tries);
    }
    expect(new Set(events(client).map(({ id }) => id)).size).toBe(1);
    world.clock.advance(31_000);
    expect((await client.next('gap')).payload).toEqual({
      topic: TOPIC,
      epoch: 'epoch',
      from_seq: 1,
      to_seq: 1,
      reason: 'unacked',
    });
    world.clock.advance(31_000);
    await settled(client);
    expect(events(client)).toHaveLength(5);
  });

  it('come again to a client that resumes the session, but not what was acknowledged', async () => {
    await using world = await FeedWorld.start();
    const first = await acknowledging(world, '/ws/me');
    for (let n = 1; n <= 3; n++) world.store.publishEvent(TOPIC, { n });
    await expect.poll(() => events(first).length).toBe(3);
    const since = world.store.position();
    first.send({ type: 'ack', ids: [events(first)[0]?.id ?? ''] });
    await settled(first);
    first.socket.terminate();
    await expect.poll(() => world.feed.clients()).toEqual([]);
    world.store.publishEvent(TOPIC, { n: 4 });

    const second = await world.client();
    second.send({ type: 'resume', id: 'r', session: secretOf(first) });
    expect((await second.next('response')).payload).toEqual({
      reply_to: 'r',
      result: { client_id: 'me', unacknowledged: 2 },
    });
    second.send({ type: 'subscribe', id: 's', topics: ['devices/#'], ack: true, since });
    await second.next('synced');
    await expect.poll(() => events(second).map(({ payload }) => payload.seq)).toEqual([2, 3, 4]);
    expect(world.feed.clients()).toMatchObject([{ id: 'me' }]);
  });

  it('are forgotten with their session after 120 s', async () => {
    await using world = await FeedWorld.start();
    const first = await acknowledging(world);
    first.socket.terminate();
    await expect.poll(() => world.feed.clients()).toEqual([]);
    world.clock.advance(121_000);
    const second = await world.client();
    second.send({ type: 'resume', id: 'r', session: secretOf(first) });
    expect((await second.next('error')).payload).toMatchObject({ reply_to: 'r', code: 'session_unknown' });
  });
});

describe('a command with an id', () => {
  const command = { type: 'command', id: '9', device: 'p1', message: 'datetime' };

  it('is carried out once, and its result is sent again', async () => {
    let count = 0;
    await using world = await FeedWorld.start({
      commands: async () => ({ ok: true, result: { count: ++count } }),
    });
    const client = await world.client();
    for (let round = 0; round < 3; round++) {
      client.send(command);
      expect((await client.next('response')).payload.result).toEqual({ count: 1 });
    }
    client.send({ ...command, id: '10' });
    expect((await client.next('response')).payload.result).toEqual({ count: 2 });
    client.send({ ...command, device: 'p2' });
    expect((await client.next('error')).payload).toMatchObject({ reply_to: '9', code: 'bad_field' });
  });

  it('is answered to the client that resumed the session meanwhile', async () => {
    const waiting: Array<(outcome: CommandOutcome) => void> = [];
    await using world = await FeedWorld.start({
      commands: () => new Promise((resolve) => waiting.push(resolve)),
    });
    const first = await world.client();
    first.send(command);
    await expect.poll(() => waiting.length).toBe(1);
    first.socket.terminate();
    await expect.poll(() => world.feed.clients()).toEqual([]);
    const second = await world.client();
    second.send({ type: 'resume', session: secretOf(first) });
    await second.next('response');
    second.send(command);
    await settled(second);
    waiting[0]?.({ ok: true, result: { done: true } });
    expect((await second.next('response')).payload).toEqual({ reply_to: '9', result: { done: true } });
    second.send(command);
    expect((await second.next('response')).payload).toEqual({ reply_to: '9', result: { done: true } });
    expect(waiting).toHaveLength(1);
  });
});

describe('a subscription with a rate', () => {
  it('gets the present document so often, the first change at once and the last one always', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    client.send({ type: 'subscribe', id: '1', topics: ['devices/+/state'], max_hz: 2 });
    await client.next('synced');
    const sent = (): unknown[] =>
      client.messages.flatMap((each) =>
        each.type === 'update' && 'full' in each.payload ? [each.payload.state.n] : [],
      );
    for (let n = 1; n <= 5; n++) {
      world.store.publishState('devices/d1/state', { n });
      await settled(client);
    }
    expect(sent()).toEqual([1]);
    world.clock.advance(400);
    await settled(client);
    expect(sent()).toEqual([1]);
    world.clock.advance(200);
    await expect.poll(sent).toEqual([1, 5]);
    world.store.publishState('devices/d1/state', { n: 6 });
    world.clock.advance(300);
    await settled(client);
    expect(sent()).toEqual([1, 5]);
    world.clock.advance(200);
    await expect.poll(sent).toEqual([1, 5, 6]);
    expect(client.messages.some((each) => each.type === 'update' && 'patch' in each.payload)).toBe(false);
  });

  it('does not slow down what another pattern asks for', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    client.send({ type: 'subscribe', id: '1', topics: ['devices/+/state'], max_hz: 0.1 });
    await client.next('synced');
    client.send({ type: 'subscribe', id: '2', topics: ['devices/d1/state'] });
    await client.next('synced');
    for (let n = 1; n <= 3; n++) {
      for (const id of ['d1', 'd2']) world.store.publishState(`devices/${id}/state`, { n });
      await settled(client);
    }
    expect(client.view.documents()).toEqual({ 'devices/d1/state': { n: 3 }, 'devices/d2/state': { n: 1 } });
    const sent = client.view.position;
    world.clock.advance(1_000);
    await expect.poll(() => client.view.position).toBeGreaterThan(sent);
    // What is held back is not claimed.
    expect(client.view.position).toBe(3);
  });
});

describe('a flush window', () => {
  it('lets changes wait for others, and for no longer', async () => {
    await using world = await FeedWorld.start({ flushWindowMs: 50 });
    const client = new FeedClient(new WebSocket(world.url()));
    await expect.poll(() => world.feed.clients().length).toBe(1);
    world.clock.advance(50);
    await client.next('welcome');
    client.send({ type: 'subscribe', id: '1', topics: ['a'] });
    await expect.poll(() => world.feed.clients()[0]?.subscriptions).toEqual(['a']);
    world.clock.advance(50);
    await client.next('synced');
    world.store.publishState('a', { n: 1 });
    world.clock.advance(30);
    world.store.publishState('a', { n: 2 });
    await turn();
    await turn();
    expect(client.messages.at(-1)?.type).toBe('synced');
    world.clock.advance(20);
    await expect.poll(() => client.view.documents()).toEqual({ a: { n: 2 } });
  });

  it('may be another one for what is published from now on', async () => {
    const live = new LiveConfig<LiveLimits>(DEFAULT_FEED_LIMITS);
    await using world = await FeedWorld.start({ live });
    const client = await world.client();
    client.send({ type: 'subscribe', id: '1', topics: ['a'] });
    await client.next('synced');
    live.set({ ...live.value, flushWindowMs: 50 });
    world.store.publishState('a', { n: 1 });
    await turn();
    expect(client.messages.at(-1)?.type).toBe('synced');
    world.clock.advance(50);
    await expect.poll(() => client.view.documents()).toEqual({ a: { n: 1 } });
    live.set({ ...live.value, flushWindowMs: 0 });
    world.store.publishState('a', { n: 2 });
    await expect.poll(() => client.view.documents()).toEqual({ a: { n: 2 } });
  });
});

describe('what goes first', () => {
  it('is answers, then alarms, then the rest', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    await client.subscribe('1', '#');
    client.socket.pause();
    const big = 'x'.repeat(16_000);
    for (let n = 0; world.feed.heldBytes <= 64 * 1024; n++) {
      world.store.publishState(`devices/d${n % 4}/state`, { big: `${n}${big}` });
      await turn();
    }
    for (let n = 0; n < 50; n++) world.store.publishEvent(TOPIC, { n, text: 'x'.repeat(1_000) });
    for (let n = 0; n < 5; n++) world.store.publishState(`devices/late${n}/state`, { big });
    world.store.publishEvent('devices/d1/alarms', { n: 'alarm' });
    await turn();
    client.socket.resume();
    await expect
      .poll(() => client.view.documents()['devices/late4/state'], { timeout: 10_000 })
      .toBeDefined();
    await expect.poll(() => client.view.events.get(TOPIC)?.length).toBe(50);
    const kinds = client.messages.flatMap((each) => (each.type === 'event' ? [each.payload.topic] : []));
    expect(kinds.indexOf('devices/d1/alarms')).toBe(0);
    expect(client.view.breaches).toEqual([]);
  });
});
