import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { JsonLinesServer } from '../../../src/feed/transports/json-lines-server.ts';
import { LinesWorld } from '../../support/lines-world.ts';

describe('JSON lines over TCP', () => {
  it('say the same as the WebSocket: welcome, snapshot, synced, updates, events', async () => {
    await using world = await LinesWorld.start();
    world.store.publishState('devices/a/state', { status: 'online', text: 'é€😀' });
    const client = await world.client();
    await client.subscribe('1', 'devices/#');
    world.store.publishState('devices/a/state', { status: 'stale', text: 'é€😀' });
    world.store.publishEvent('devices/a/messages', { n: 1 });
    await client.next('event');
    expect(client.messages.map(({ type }) => type)).toEqual([
      'welcome',
      'snapshot',
      'synced',
      'update',
      'event',
    ]);
    expect(client.view.documents()).toEqual({ 'devices/a/state': { status: 'stale', text: 'é€😀' } });
    expect(client.view.breaches).toEqual([]);
    expect(world.subscriberRegistry.clients()).toMatchObject([
      { address: '127.0.0.1', subscriptions: ['devices/#'] },
    ]);
  });

  it('take an object without a newline, several at once, and one in pieces', async () => {
    await using world = await LinesWorld.start();
    const client = await world.client();
    client.send('{"type":"echo","id":"1","payload":"}{"}');
    expect(await client.next('echo')).toMatchObject({ payload: { reply_to: '1', data: '}{' } });
    client.send('{"type":"ping","id":"2"}{"type":"ping","id":"3"}\r\n{"type":"pi');
    expect(await client.next('pong')).toMatchObject({ payload: { reply_to: '2' } });
    expect(await client.next('pong')).toMatchObject({ payload: { reply_to: '3' } });
    client.send('ng","id":"4"}');
    expect(await client.next('pong')).toMatchObject({ payload: { reply_to: '4' } });
  });

  it.each([
    ['a request of a browser', 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n{"type":"broadcast","data":1}'],
    ['an array', '[{"type":"get_clients"}]\n'],
    ['TLS', '\u0016\u0003\u0001'],
    ['half an object', '{"type":"broad\n{"type":"broadcast","data":1}'],
    ['something like an object', '{type: broadcast}{"type":"broadcast","data":1}'],
  ])('are cut off at once where the first line is %s', async (_, bytes) => {
    await using world = await LinesWorld.start();
    const other = await world.client();
    const client = await world.client();
    client.send(bytes);
    await client.closed;
    expect(client.messages.map(({ type }) => type)).toEqual(['welcome']);
    expect(world.log).toContainEqual(
      expect.objectContaining({ event: 'refused', detail: 'its first message is not a JSON object' }),
    );
    other.send({ type: 'ping' });
    await other.next('pong');
    expect(other.messages.map(({ type }) => type)).not.toContain('broadcast');
    await expect.poll(() => world.subscriberRegistry.clients().length).toBe(1);
  });

  it('answer a later line that is wrong with an error, and more than 20 with the end', async () => {
    await using world = await LinesWorld.start();
    const client = await world.client();
    client.send('{"type":"ping"}\n', 'hello\n', '{"type":\n', '{"type":"foo"}\n');
    for (const code of ['bad_json', 'bad_json', 'unknown_type']) {
      expect((await client.next('error')).payload.code).toBe(code);
    }
    client.send('x\n'.repeat(30));
    expect((await client.next('closing')).payload).toMatchObject({ code: 4509, reconnect: false });
    await client.closed;
    expect(client.messages.filter(({ type }) => type === 'error')).toHaveLength(21);
  });

  it('keep to the same limits: size, text, rate', async () => {
    await using world = await LinesWorld.start({ maxMessageBytes: 100 });
    const large = await world.client();
    const empty = JSON.stringify({ type: 'echo', payload: '' });
    large.send(JSON.stringify({ type: 'echo', payload: 'x'.repeat(100 - empty.length) }));
    await large.next('echo');
    large.send(JSON.stringify({ type: 'echo', payload: 'x'.repeat(101 - empty.length) }));
    expect((await large.next('closing')).payload).toMatchObject({ code: 1009, reason: 'message_too_large' });
    await large.closed;
    const garbled = await world.client();
    garbled.socket.write(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]));
    expect((await garbled.next('closing')).payload).toMatchObject({ code: 1007, reason: 'invalid_utf8' });
    const fast = await world.client();
    fast.send('{"type":"ping"}'.repeat(500));
    expect((await fast.next('error')).payload).toMatchObject({ code: 'rate_limited', retry: true });
    expect((await fast.next('closing')).payload).toMatchObject({ code: 4013, reconnect: true });
    await expect.poll(() => world.subscriberRegistry.clients()).toEqual([]);
  });

  it('bring a ping every 20 s that needs no answer', async () => {
    await using world = await LinesWorld.start();
    const client = await world.client();
    for (let second = 0; second < 100; second++) world.clock.advance(1_000);
    for (let count = 0; count < 5; count++) {
      expect((await client.next('ping')).payload).toEqual({ server_time: expect.any(Number) });
    }
    client.send({ type: 'ping', id: 'here' });
    expect((await client.next('pong')).payload).toMatchObject({ reply_to: 'here' });
  });

  it('end for a client that answered a ping once, and then no more: its cable may be cut', async () => {
    await using world = await LinesWorld.start();
    const [dead, mute] = [await world.client(), await world.client()];
    const advance = (seconds: number): void => {
      for (let second = 0; second < seconds; second++) world.clock.advance(1_000);
    };
    advance(20);
    await dead.next('ping');
    dead.send({ type: 'pong' });
    const id = dead.clientId;
    const heardAt = (): number | undefined =>
      world.subscriberRegistry.clients().find((each) => each.id === id)?.last_activity;
    const before = heardAt();
    await expect.poll(heardAt).not.toBe(before);
    advance(51);
    expect((await dead.next('closing')).payload).toMatchObject({ code: 4012, reason: 'ping_timeout' });
    advance(200);
    mute.send({ type: 'ping', id: 'still here' });
    expect((await mute.next('pong')).payload).toMatchObject({ reply_to: 'still here' });
  });

  it('refuse a client when there is no room, with the time to come back', async () => {
    await using world = await LinesWorld.start({ connectsPerSecond: 1, connectBurst: 1 });
    const first = await world.client();
    const second = world.stranger();
    expect((await second.next('error')).payload).toMatchObject({ code: 'too_busy', retry: true });
    const { payload } = await second.next('closing');
    expect(payload).toMatchObject({ code: 4000, reconnect: true });
    expect(payload.retry_after_ms).toBeGreaterThanOrEqual(1_000);
    await second.closed;
    world.clock.advance(1_000);
    await world.client();
    first.send({ type: 'get_clients' });
    expect((await first.next('clients_list')).payload.count).toBe(2);
  });

  it('recover from a position, and acknowledge, as over a WebSocket', async () => {
    await using world = await LinesWorld.start();
    world.store.publishState('a', { x: 1 });
    world.store.publishState('b', { x: 1 });
    const before = await world.client();
    before.send({ type: 'subscribe', id: '1', topics: ['#'] });
    const { position } = (await before.next('synced')).payload;
    before.socket.destroy();
    world.store.publishState('b', { x: 2 });
    const after = await world.client();
    after.send({ type: 'subscribe', id: '1', topics: ['#'], since: position, ack: true });
    expect((await after.next('snapshot')).payload.items).toMatchObject([{ topic: 'b', state: { x: 2 } }]);
    world.store.publishEvent('e', { n: 1 });
    const event = await after.next('event');
    expect(event).toMatchObject({ ack_required: true });
    after.send({ type: 'ack', ids: [event.id] });
  });

  it('go on for a client that has sent its last message', async () => {
    await using world = await LinesWorld.start();
    const client = await world.client();
    client.socket.end('{"type":"subscribe","topics":["#"]}');
    await client.next('synced');
    world.store.publishState('a', { x: 1 });
    await client.next('update');
    client.socket.destroy();
    await expect
      .poll(() => {
        world.store.publishEvent('a/b', {});
        return world.subscriberRegistry.clients();
      })
      .toEqual([]);
  });

  it('hold little for a client that does not read, read nothing of it meanwhile, and let it catch up', async () => {
    await using world = await LinesWorld.start();
    const client = await world.client();
    await client.subscribe('1', '#');
    client.socket.pause();
    const big = 'x'.repeat(16_000);
    const backlog = (): number => world.subscriberRegistry.clients()[0]?.backlog ?? 0;
    for (let round = 0; backlog() <= 64 * 1024; round++) {
      world.store.publishState('devices/a/state', { round, big: big + round });
      world.store.publishEvent('devices/a/messages', { round });
      await turn();
      expect(round).toBeLessThan(10_000);
    }
    client.send('{"type":"ping","id":"in the middle"}'.repeat(50));
    for (let round = 0; round < 2_000; round++) {
      world.store.publishState('devices/a/state', { late: round, big: big + round });
      world.store.publishEvent('devices/a/messages', { round });
      if (round % 100 === 0) await turn();
    }
    expect(backlog()).toBeLessThan(1_400_000);
    client.socket.resume();
    const present = world.store.document('devices/a/state');
    await expect.poll(() => client.view.documents()).toEqual({ 'devices/a/state': present });
    await expect.poll(() => client.messages.filter(({ type }) => type === 'pong')).toHaveLength(50);
    expect(client.view.gaps).toHaveLength(1);
    expect(client.view.breaches).toEqual([]);
    await expect.poll(backlog).toBe(0);
  });

  it('end for a client that takes nothing for 30 s, without its consent', async () => {
    await using world = await LinesWorld.start();
    const client = await world.client();
    await client.subscribe('1', '#');
    client.socket.pause();
    for (let round = 0; (world.subscriberRegistry.clients()[0]?.backlog ?? 0) <= 64 * 1024; round++) {
      world.store.publishState('devices/a/state', { round, big: 'x'.repeat(16_000) + round });
      await turn();
    }
    for (let second = 0; second < 32; second++) world.clock.advance(1_000);
    expect(world.subscriberRegistry.clients()).toEqual([]);
    // Two seconds for an end in order.
    world.clock.advance(2_000);
    await expect.poll(() => world.subscriberRegistry.heldBytes).toBe(0);
    expect(world.clock.timers).toBeLessThanOrEqual(1);
  });
});

describe('its server', () => {
  it('tells every client when to come back, and closes', async () => {
    await using world = await LinesWorld.start();
    const client = await world.client();
    await world.subscriberRegistry[Symbol.asyncDispose]();
    expect((await client.next('closing')).payload).toMatchObject({
      code: 4000,
      retry_after_ms: expect.any(Number),
    });
    await client.closed;
    await Promise.all([world.server[Symbol.asyncDispose](), world.server[Symbol.asyncDispose]()]);
    expect(world.clock.timers).toBe(0);
  });

  it('names the fix where the port is taken', async () => {
    await using world = await LinesWorld.start();
    const second = new JsonLinesServer({
      subscriberRegistry: world.subscriberRegistry,
      host: '127.0.0.1',
      port: world.port,
    });
    await expect(second.start()).rejects.toMatchObject({
      code: 'address_in_use',
      fix: expect.stringContaining('server.tcp.port'),
    });
  });
});
