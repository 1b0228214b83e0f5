import { describe, expect, it } from 'vitest';
import { FeedWorld } from '../../support/feed-world.ts';

describe('what a client does wrong', () => {
  it.each([
    ['{', 'bad_json'],
    [`{"type":"echo","payload":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'bad_json'],
    ['{"type":"foo","id":"3"}', 'unknown_type'],
    ['{"type":"subscribe","topics":["a//b"]}', 'bad_topic'],
    ['{"type":"subscribe","topics":["a"],"since":{"e":-1}}', 'bad_field'],
    ['{"type":"auth","token":""}', 'bad_field'],
    ['{"type":"ping","payload":{},"x":1}', 'bad_field'],
    [
      JSON.stringify({ type: 'subscribe', topics: Array.from({ length: 256 }, (_, n) => `t/${n}`) }),
      'too_many_patterns',
    ],
    [
      JSON.stringify({ type: 'subscribe', topics: Array.from({ length: 257 }, (_, n) => `t/${n}`) }),
      'too_many_patterns',
    ],
    [
      JSON.stringify({ type: 'resync', topics: Array.from({ length: 257 }, (_, n) => `t/${n}`) }),
      'bad_field',
    ],
  ])('%.40s is answered with %s, and the connection goes on', async (text, code) => {
    await using world = await FeedWorld.start({ maxPatterns: 255 });
    const client = await world.client();
    client.send(text);
    expect((await client.next('error')).payload).toMatchObject({ code, retry: false });
    client.send('{"type":"ping","timestamp":7}');
    expect((await client.next('pong')).payload).toEqual({ timestamp: 7 });
  });

  it('more than 20 errors in a minute end the connection, and no other', async () => {
    await using world = await FeedWorld.start();
    const other = await world.client();
    const client = await world.client();
    for (let count = 0; count < 20; count++) client.send('x');
    client.send('{"type":"ping"}');
    await client.next('pong');
    world.clock.advance(61_000);
    for (let count = 0; count < 21; count++) client.send('x');
    expect(await client.next('closing')).toMatchObject({ payload: { code: 4509, reconnect: false } });
    expect(await client.closed).toMatchObject({ code: 4509, reason: 'too_many_errors' });
    other.send('{"type":"ping"}');
    await other.next('pong');
  });

  it('messages above the rate are refused, and a flood is closed', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    for (let count = 0; count < 201; count++) client.send({ type: 'ping', id: `p${count}` });
    expect((await client.next('error')).payload).toMatchObject({
      reply_to: 'p200',
      code: 'rate_limited',
      retry: true,
    });
    world.clock.advance(1_000);
    client.send('{"type":"ping","id":"again"}');
    await expect.poll(() => client.view.replies.get('again')?.type).toBe('pong');
    for (let count = 0; count < 400; count++) client.send('{"type":"ping"}');
    expect(await client.closed).toMatchObject({ code: 4013 });
  });

  it('64 KiB are taken, one byte more is not', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    const empty = JSON.stringify({ type: 'echo', payload: '' });
    const payload = 'x'.repeat(65_536 - empty.length);
    client.send({ type: 'echo', payload });
    expect((await client.next('echo')).payload.data).toBe(payload);
    client.send({ type: 'echo', payload: `${payload}x` });
    expect(await client.closed).toMatchObject({ code: 1009 });
    await expect.poll(() => world.feed.clients()).toEqual([]);
  });

  it('binary data is refused', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    client.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect(await client.closed).toMatchObject({ code: 1003 });
  });

  it('text that is no UTF-8 is refused', async () => {
    await using world = await FeedWorld.start();
    const client = await world.client();
    client.socket.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]), { binary: false });
    expect(await client.closed).toMatchObject({ code: 1007 });
  });

  it('harms no other client, and leaves nothing behind', async () => {
    await using world = await FeedWorld.start();
    const other = await world.client();
    await other.subscribe('1', '#');
    const raw = await world.raw();
    raw.frame(0x81, Buffer.from('{"type":"subscribe","topics":["#"]}'));
    raw.frame(0xff, Buffer.from('reserved bits'));
    await expect.poll(() => world.feed.clients().length).toBe(1);
    world.store.publishState('a', { x: 1 });
    expect(await other.next('update')).toMatchObject({ payload: { state: { x: 1 } } });
  });
});
