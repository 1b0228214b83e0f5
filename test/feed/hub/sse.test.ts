import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FeedStore } from '../../../src/feed/core/store.ts';
import { positionOf, sseFrame } from '../../../src/feed/transports/sse-frame.ts';
import { BridgeFace } from '../../support/bridge-face.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ask, rawExchange } from '../../support/http.ts';
import { SseClient } from '../../support/sse-client.ts';

describe('a stream of server-sent events', () => {
  it('says the same as the WebSocket: welcome, snapshot, synced, updates, events', async () => {
    await using face = await BridgeFace.open();
    face.store.publishState('devices/a/state', { status: 'online', text: 'é\n€' });
    const client = await SseClient.open(face.port, ['devices/+/state', 'devices/+/messages']);
    expect(client.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
    expect(client.response.headers['transfer-encoding']).toBeUndefined();
    await expect.poll(() => client.types).toEqual(['welcome', 'snapshot', 'synced']);
    face.store.publishState('devices/a/state', { status: 'stale', text: 'é\n€' });
    face.store.publishEvent('devices/a/messages', { n: 1 });
    face.store.publishState('devices/a/stats', { frames_in: 1 });
    await expect.poll(() => client.types.slice(3, 5)).toEqual(['update', 'event']);
    expect(client.view.documents()).toEqual({ 'devices/a/state': { status: 'stale', text: 'é\n€' } });
    expect(client.view.breaches).toEqual([]);
    expect(client.retryMs).toBeGreaterThanOrEqual(1_000);
    expect(face.subscribers).toBe(1);
    client.response.destroy();
    await expect.poll(() => face.subscribers).toBe(0);
  });

  it('marks only what tells a position, from `synced` on', async () => {
    await using face = await BridgeFace.open({ epoch: 'k3f9' });
    face.store.publishState('a', { x: 1 });
    const client = await SseClient.open(face.port, ['#']);
    await expect.poll(() => client.types).toContain('synced');
    face.store.publishState('a', { x: 2 });
    await expect.poll(() => client.types).toContain('position');
    const marked = client.events.filter(({ id }) => id !== undefined);
    expect(marked.map(({ id, message }) => [message.type, id])).toEqual([
      ['synced', 'k3f9:1'],
      ['position', 'k3f9:2'],
    ]);
    client.response.destroy();
  });

  it('goes on from the id that a browser brings back: what changed, and nothing else', async () => {
    await using face = await BridgeFace.open();
    for (const topic of ['a', 'b', 'c']) face.store.publishState(topic, { x: 1 });
    const before = await SseClient.open(face.port, ['#']);
    await expect.poll(() => before.types).toContain('synced');
    const lastId = before.events.at(-1)?.id ?? '';
    before.response.destroy();
    face.store.publishState('b', { x: 2 });
    face.store.removeState('c');
    const items = async (id: string) => {
      const client = await SseClient.open(face.port, ['#'], { 'Last-Event-ID': id });
      await expect.poll(() => client.types).toContain('synced');
      client.response.destroy();
      return client.events.flatMap(({ message }) =>
        message.type === 'snapshot'
          ? [...message.payload.items, ...message.payload.removed].map(({ topic }) => topic)
          : [],
      );
    };
    expect(await items(lastId)).toEqual(['b', 'c']);
    for (const useless of ['', 'nonsense', 'other-life:3']) expect(await items(useless)).toEqual(['a', 'b']);
  });

  it('lets a browser come back where there is no room now, and tells a program when to', async () => {
    await using face = await BridgeFace.open({
      feed: { connectsPerSecond: 1, connectBurst: 1, clock: new FakeClock() },
    });
    const path = '/api/feed?topics=a';
    const first = await SseClient.open(face.port, ['a']);
    const program = await ask(face.port, path);
    expect([program.status, program.json()]).toMatchObject([503, { code: 'too_busy' }]);
    expect(Number(program.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const browser = await ask(face.port, path, { headers: { Accept: 'text/event-stream' } });
    expect([browser.status, browser.text]).toEqual([200, expect.stringMatching(/^retry: \d+000\n\n$/)]);
    first.response.destroy();
    await expect.poll(() => face.subscribers).toBe(0);
  });

  it('takes patterns as they are typed', async () => {
    const store = new FeedStore({ epoch: 'e', notify: 'followed' });
    for (const topic of ['devices/a b/state', 'bridge/status', 'a,b']) store.publishState(topic, {});
    for (const [query, topics] of [
      ['topics=devices/+/state', ['devices/a b/state']],
      ['topics=devices/%2B/state,bridge/%23', ['devices/a b/state', 'bridge/status']],
      ['topics=devices/a%20b/state&topics=a%2Cb', ['devices/a b/state', 'a,b']],
    ] as const) {
      await using face = await BridgeFace.open({ store });
      const reply = rawExchange(face.port, `GET /api/feed?${query} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n`);
      await expect.poll(() => face.subscribers).toBe(1);
      await face.stopFeed();
      const items = [...(await reply).matchAll(/"topic":"(.*?)"/g)].map(([, topic]) => topic);
      expect(items).toEqual(topics);
    }
  });

  it.each([
    ['', 400, 'topics='],
    ['?topics=', 400, 'at least one level'],
    ['?topics=devices/', 400, 'empty level'],
    ['?topics=a/%23/b', 400, 'last level'],
    ['?topics=a&colour=red', 400, '"colour"'],
    ['?topics=%', 400, 'decoded'],
  ])('answers %s with %i and what to do', async (query, status, message) => {
    await using face = await BridgeFace.open();
    const reply = await ask(face.port, `/api/feed${query}`);
    expect([reply.status, reply.json()]).toEqual([
      status,
      { code: 'bad_request', message: expect.stringContaining(message) },
    ]);
    expect(face.subscribers).toBe(0);
  });

  it('is for those pages only that may use the API', async () => {
    await using face = await BridgeFace.open();
    const path = '/api/feed?topics=%23';
    for (const headers of [
      { Origin: 'http://evil.example' },
      { Host: 'evil.example' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ]) {
      expect((await ask(face.port, path, { headers })).status).toBe(403);
    }
    expect((await ask(face.port, path, { method: 'POST' })).headers.allow).toBe('GET, HEAD');
    const head = await ask(face.port, path, { method: 'HEAD' });
    expect([head.status, head.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(face.subscribers).toBe(0);
    const own = await SseClient.open(face.port, ['#'], { Origin: `http://127.0.0.1:${face.port}` });
    expect(own.response.statusCode).toBe(200);
    own.response.destroy();
  });

  it('wants a connection of its own', async () => {
    await using face = await BridgeFace.open();
    const get = 'GET /api/feed?topics=a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const reply = rawExchange(face.port, get + get);
    await expect.poll(() => face.subscribers).toBe(1);
    await turn();
    expect(face.subscribers).toBe(1);
    await face.stopFeed();
    expect((await reply).match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('carries a comment every 20 s, and ends for a client that takes nothing for 30 s', async () => {
    const clock = new FakeClock();
    await using face = await BridgeFace.open({ feed: { clock } });
    const client = await SseClient.open(face.port, ['#']);
    await expect.poll(() => client.types).toContain('synced');
    for (let second = 0; second < 100; second++) {
      clock.advance(1_000);
      await turn();
    }
    await expect.poll(() => client.comments).toEqual(Array(5).fill('heartbeat'));
    expect(face.subscribers).toBe(1);
    client.response.pause();
    for (let round = 0; face.heldBytes <= 64 * 1024; round++) {
      face.store.publishState('a', { text: 'x'.repeat(16_000) + round });
      await turn();
    }
    for (let second = 0; second < 34; second++) clock.advance(1_000);
    client.response.resume();
    await client.closed;
    await expect.poll(() => face.subscribers).toBe(0);
  });

  it('catches up with the present where it was too slow', async () => {
    await using face = await BridgeFace.open();
    const client = await SseClient.open(face.port, ['#']);
    await expect.poll(() => client.types).toContain('synced');
    client.response.pause();
    for (let round = 0; face.heldBytes <= 64 * 1024 || round < 100; round++) {
      for (const topic of ['a', 'b']) face.store.publishState(topic, { text: 'x'.repeat(16_000) + round });
      await turn();
    }
    face.store.removeState('b');
    client.response.resume();
    const present = face.store.document('a');
    await expect.poll(() => client.view.documents()).toEqual({ a: present });
    expect(client.view.breaches).toEqual([]);
  });

  it('learns when the bridge stops', async () => {
    await using face = await BridgeFace.open();
    const client = await SseClient.open(face.port, ['#']);
    await expect.poll(() => client.types).toContain('synced');
    await face.stopFeed();
    await client.closed;
    expect(client.events.at(-1)?.message).toMatchObject({
      type: 'closing',
      payload: { code: 4000, reason: 'draining', reconnect: true },
    });
  });
});

describe('the id of an event', () => {
  const frame = (text: string) => new TextDecoder().decode(sseFrame([text]));

  it('is the position, and absent where there is none', () => {
    expect(frame('{"type":"position","id":"p1","payload":{"position":{"a-_1":7,"b":8}}}')).toMatch(
      /^id: a-_1:7,b:8\ndata: \{"type":"position",.*\}\n\n$/,
    );
    expect(frame('{"type":"position","payload":{"position":{"a b":7}}}')).toMatch(/^data: /);
    expect(frame('{"type":"update","payload":{"position":{"a":7}}}')).toMatch(/^data: /);
  });

  it.each([
    ['a-_1:7,b:8', { 'a-_1': 7, b: 8 }],
    ['', undefined],
    ['a', undefined],
    ['a:7:8', undefined],
    ['a:-1', undefined],
    ['a:9007199254740993', undefined],
    ['<a>:1', undefined],
    [Array.from({ length: 65 }, (_, n) => `e${n}:1`).join(','), undefined],
  ])('%s is read back as %o', (id, position) => {
    expect(positionOf(id)).toEqual(position);
  });
});
