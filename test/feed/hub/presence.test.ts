import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { parseBlock } from '../../../src/contract/address-match.ts';
import { type FeedClient, FeedWorld } from '../../support/feed-world.ts';

function news(client: FeedClient): unknown[] {
  return client.messages.flatMap((each) =>
    each.type === 'event' && each.payload.topic === 'clients' ? [each.payload.data] : [],
  );
}

function secretOf(client: FeedClient): string {
  const [welcome] = client.messages;
  return welcome?.type === 'welcome' ? welcome.payload.session : '';
}

describe('the topic "clients"', () => {
  it('tells which clients join and leave, and why', async () => {
    await using world = await FeedWorld.start();
    const watcher = await world.client('/ws/watcher');
    await watcher.subscribe('1', 'clients');
    const address = '127.0.0.1';
    const polite = await world.client('/ws/polite');
    polite.socket.close();
    await expect.poll(() => news(watcher)).toHaveLength(2);
    const lost = await world.client('/ws/lost');
    lost.socket.terminate();
    await expect.poll(() => news(watcher)).toHaveLength(4);
    const rude = await world.client('/ws/rude');
    rude.socket.send(Buffer.of(1), { binary: true });
    await expect
      .poll(() => news(watcher))
      .toEqual([
        { event: 'joined', id: 'polite', address },
        { event: 'left', id: 'polite', address, reason: 'closed' },
        { event: 'joined', id: 'lost', address },
        { event: 'left', id: 'lost', address, reason: 'lost' },
        { event: 'joined', id: 'rude', address },
        { event: 'left', id: 'rude', address, reason: 'unsupported_data' },
      ]);
  });

  it('costs nothing before a client subscribes', async () => {
    await using world = await FeedWorld.start();
    await world.client();
    await world.client();
    expect(world.store.rev).toBe(0);
  });
});

describe('the list of clients', () => {
  it('tells what each is subscribed to, and how many bytes went each way', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client('/ws/me');
    await client.subscribe('1', 'a/#');
    client.send({ type: 'get_clients' });
    const [entry] = (await client.next('clients_list')).payload.clients;
    expect(entry).toMatchObject({ id: 'me', subscriptions: ['a/#'], backlog: 0 });
    expect(entry?.bytes_sent).toBeGreaterThan(200);
    expect(entry?.bytes_received).toBeGreaterThan(100);
  });
});

describe('kick', () => {
  it('closes another connection for good', async () => {
    await using world = await FeedWorld.start();
    const admin = await world.client();
    const victim = await world.client('/ws/victim');
    admin.send({ type: 'kick', id: 'k', client_id: 'victim' });
    expect((await admin.next('response')).payload).toEqual({ reply_to: 'k', result: { kicked: 'victim' } });
    expect(await victim.closed).toEqual({ code: 4503, reason: 'kicked' });
    expect(victim.messages.at(-1)).toMatchObject({ type: 'closing', payload: { reconnect: false } });
    admin.send({ type: 'kick', id: 'k', client_id: 'nobody' });
    expect((await admin.next('error')).payload).toMatchObject({ code: 'client_unknown' });
    admin.send({ type: 'resume', session: secretOf(victim) });
    expect((await admin.next('error')).payload).toMatchObject({ code: 'session_unknown' });
  });
});

describe('taking over', () => {
  it('is not for a kicked client, not even while the other connection takes its time to end', async () => {
    await using world = await FeedWorld.start();
    const admin = await world.client();
    const victim = await world.client('/ws/victim');
    const second = await world.client();
    // It does not read, so it does not answer the close either.
    victim.socket.pause();
    admin.send({ type: 'kick', id: 'k', client_id: 'victim' });
    await admin.next('response');
    second.send({ type: 'resume', session: secretOf(victim) });
    expect((await second.next('error')).payload).toMatchObject({ code: 'session_unknown' });
    victim.socket.resume();
    expect((await victim.closed).code).toBe(4503);
  });

  it('moves the session and its client id, and closes the former connection', async () => {
    await using world = await FeedWorld.start();
    const former = await world.client('/ws/me');
    const next = await world.client();
    next.send({ type: 'resume', id: 'r', session: secretOf(former) });
    expect((await next.next('response')).payload.result).toEqual({ client_id: 'me', unacknowledged: 0 });
    expect(await former.closed).toEqual({ code: 4505, reason: 'taken_over' });
    expect(world.feed.clients().map(({ id }) => id)).toEqual(['me']);
    next.socket.terminate();
    await expect.poll(() => world.feed.clients()).toEqual([]);
    const third = await world.client();
    third.send({ type: 'resume', id: 'r', session: secretOf(former) });
    expect((await third.next('response')).payload.result).toMatchObject({ client_id: 'me' });
  });

  it('is published with the addresses of both', async () => {
    const trustedProxies = [parseBlock('127.0.0.0/8')].filter((block) => block !== undefined);
    await using world = await FeedWorld.start({ trustedProxies });
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
    const watcher = await world.client('/ws/watcher');
    await watcher.subscribe('1', 'clients');
    const former = await world.client('/ws/me', from('127.0.0.7'));
    const next = await world.client('/ws/other', from('127.0.0.8'));
    next.send({ type: 'resume', session: secretOf(former) });
    await former.closed;
    await expect
      .poll(() => news(watcher).slice(2))
      .toEqual([
        { event: 'left', id: 'me', address: '127.0.0.7', reason: 'taken_over' },
        { event: 'left', id: 'other', address: '127.0.0.8', reason: 'resumed' },
        { event: 'joined', id: 'me', address: '127.0.0.8' },
      ]);
  });

  it('needs the secret, and comes first', async () => {
    await using world = await FeedWorld.start();
    const former = await world.client('/ws/me');
    const thief = await world.client();
    thief.send({ type: 'resume', session: 'me' });
    expect((await thief.next('error')).payload).toMatchObject({ code: 'session_unknown', retry: false });
    await thief.subscribe('1', 'a');
    thief.send({ type: 'resume', session: secretOf(former) });
    expect((await thief.next('error')).payload).toMatchObject({ code: 'resume_too_late' });
    expect(world.feed.clients().map(({ id }) => id)).toContain('me');
    expect(secretOf(former)).toMatch(/^[\w-]{22}$/);
    expect(secretOf(thief)).not.toBe(secretOf(former));
  });

  it('leaves the client id to the client that has it by then', async () => {
    await using world = await FeedWorld.start();
    const former = await world.client('/ws/me');
    former.socket.terminate();
    await expect.poll(() => world.feed.clients()).toEqual([]);
    await world.client('/ws/me');
    const next = await world.client('/ws/other');
    next.send({ type: 'resume', session: secretOf(former) });
    expect((await next.next('response')).payload.result).toMatchObject({ client_id: 'other' });
    expect(world.feed.clients().map(({ id }) => id)).toEqual(['me', 'other']);
  });
});

describe('more connections than can be taken in', () => {
  it('learn over HTTP when to come back', async () => {
    await using world = await FeedWorld.start({ connectBurst: 2, connectsPerSecond: 1 });
    await world.client();
    await world.client();
    const socket = new WebSocket(world.url());
    // What an event carries is typed as unknown.
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(503);
    expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    response.resume();
    world.clock.advance(1_000);
    await world.client();
  });
});
