import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { AccessWorld, secretOf, token } from '../support/access-world.ts';
import { ask } from '../support/http.ts';
import { SseClient } from '../support/sse-client.ts';

const TOKENS = [
  token('panel', 'read', ['devices/#']),
  token('other', 'read', ['devices/#']),
  token('ops', 'admin', ['#']),
];
/** Where the clock of a world begins. */
const START = Date.UTC(2026, 0, 1);
const open = () => AccessWorld.start({ tokens: TOKENS });
const bearer = (name: string) => ({ headers: { Authorization: `Bearer ${secretOf(name)}` } });
const asProtocol = (text: string) => `heartwire.token.${Buffer.from(text).toString('base64url')}`;

describe('a token', () => {
  it('comes with the handshake of a program', async () => {
    await using world = await open();
    const client = world.socket('/ws', [], bearer('panel'));
    expect((await client.next('welcome')).payload).toMatchObject({
      auth: 'ok',
      position: { epoch: expect.any(Number) },
    });
    expect(world.log).toMatchObject([{ event: 'connected', detail: 'token:panel' }]);
  });

  it('comes as a subprotocol of a browser, and is never sent back', async () => {
    await using world = await open();
    const client = world.socket('/ws', ['heartwire.v1', asProtocol(secretOf('panel'))]);
    expect((await client.next('welcome')).payload.auth).toBe('ok');
    expect(client.socket.protocol).toBe('heartwire.v1');
    const shy = world.socket('/ws', [asProtocol(secretOf('panel'))]);
    // A client that offers protocols and is answered none gives up by itself.
    await shy.closed;
    expect(shy.socket.protocol).toBe('');
  });

  it('comes as the first message, and may be followed at once', async () => {
    await using world = await open();
    for (const client of [world.socket(), world.lines()]) {
      await client.next('welcome');
      client.send({ type: 'auth', id: '1', token: secretOf('panel') });
      client.send({ type: 'subscribe', id: '2', topics: ['devices/p1/state'] });
      expect((await client.next('response')).payload.reply_to).toBe('1');
      expect((await client.next('synced')).payload.reply_to).toBe('2');
    }
  });

  it('comes from a bare program, which gets one object for each of its own with it and without', async () => {
    await using world = await open();
    const [bare, wrong] = [world.bare(), world.bare()];
    bare.send('{"type":"get_clients"}');
    expect((await bare.next('error')).payload.code).toBe('unauthorized');
    bare.send(JSON.stringify({ type: 'auth', token: secretOf('ops') }));
    await bare.next('response');
    const loud = await world.member('ops');
    loud.send({ type: 'broadcast', data: 1 });
    await loud.next('broadcast');
    bare.send('{"type":"get_clients"}');
    expect((await bare.next('clients_list')).payload.count).toBe(2);
    expect(bare.messages.map(({ type }) => type)).toEqual(['error', 'response', 'clients_list']);

    wrong.send(JSON.stringify({ type: 'auth', token: 'hw_wrong' }));
    await wrong.closed;
    expect(wrong.messages.map(({ type }) => type)).toEqual(['error']);
  });

  it.each([400])('in an address is refused with %i over every door, and said why', async (status) => {
    await using world = await open();
    const found = [
      `/api/devices?token=${secretOf('panel')}`,
      `/api/feed?topics=devices/p1/state&access_token=${secretOf('panel')}`,
      `/?authorization=${secretOf('panel')}`,
      `/api/devices?x=${secretOf('panel')}`,
      `/api/devices?%74oken=1`,
      '/healthz?jwt=eyJhbGciOiJub25lIn0.e30.',
    ];
    for (const path of found) {
      const reply = await ask(world.port, path);
      expect([path, reply.status]).toEqual([path, status]);
      expect(reply.json()).toEqual({
        code: 'token_in_address',
        message: expect.stringMatching(/logs.*Authorization: Bearer.*first message/s),
      });
      expect(reply.text).not.toContain(secretOf('panel'));
    }
    const webSocket = new WebSocket(`ws://127.0.0.1:${world.port}/ws?token=${secretOf('panel')}`);
    webSocket.on('error', () => undefined);
    const [, response] = await once(webSocket, 'unexpected-response');
    expect(response.statusCode).toBe(status);
    webSocket.terminate();
    // What only resembles one is read as what it is.
    expect((await ask(world.port, '/api/devices?topics=token', bearer('ops'))).status).toBe(200);
  });

  it('that is wrong closes with 4500, or is answered with 401', async () => {
    await using world = await open();
    const first = world.socket();
    await first.next('welcome');
    first.send({ type: 'auth', id: '1', token: 'hw_wrong' });
    expect((await first.next('error')).payload).toMatchObject({
      reply_to: '1',
      code: 'unauthorized',
      retry: false,
    });
    expect((await first.next('closing')).payload).toMatchObject({ code: 4500, reconnect: false });
    expect((await first.closed).code).toBe(4500);
    const browser = world.socket('/ws', ['heartwire.v1', asProtocol('hw_wrong')]);
    expect((await browser.closed).code).toBe(4500);
    expect(browser.messages.map(({ type }) => type)).toEqual(['error', 'closing']);
    const line = world.lines();
    line.send({ type: 'auth', token: 'hw_wrong' });
    expect((await line.next('closing')).payload.code).toBe(4500);
    const program = new WebSocket(`ws://127.0.0.1:${world.port}/ws`, {
      headers: { Authorization: 'Bearer hw_wrong' },
    });
    program.on('error', () => undefined);
    const [, response] = await once(program, 'unexpected-response');
    expect([response.statusCode, response.headers['www-authenticate']]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ]);
    program.terminate();
    expect(
      (await ask(world.port, '/api/devices', { headers: { Authorization: 'Bearer hw_wrong' } })).status,
    ).toBe(401);
    expect(world.logged).toContain('refused');
    expect(world.logged).not.toContain('hw_');
  });

  it('of another scheme is none of ours', async () => {
    await using world = await open();
    const { status, headers } = await ask(world.port, '/api/devices', {
      headers: { Authorization: 'Basic eDp5' },
    });
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="heartwire"']);
  });
});

describe('before a token', () => {
  it('nothing is heard: no broadcast, no position, no name of a client', async () => {
    await using world = await open();
    const listener = await world.member('ops');
    await listener.subscribe('1', 'clients');
    const stranger = world.socket('/ws/hmi-3');
    expect((await stranger.next('welcome')).payload).toMatchObject({ auth: 'required', position: {} });
    listener.send({ type: 'broadcast', id: '2', data: 'secret' });
    expect((await listener.next('broadcast_ack')).payload.recipients).toBe(1);
    listener.send({ type: 'get_clients', id: '3' });
    expect((await listener.next('clients_list')).payload.count).toBe(1);
    for (let second = 0; second < 3; second++) world.clock.advance(1_000);
    stranger.send({ type: 'ping', id: 'end' });
    await stranger.next('pong');
    expect(stranger.messages.map(({ type }) => type)).toEqual(['welcome', 'pong']);
    // It came in when it showed its token, and only then.
    expect(listener.messages.filter(({ type }) => type === 'event')).toEqual([]);
    stranger.send({ type: 'auth', token: secretOf('panel') });
    expect((await listener.next('event')).payload.data).toMatchObject({ event: 'joined', id: 'hmi-3' });
    listener.send({ type: 'broadcast', id: '4', data: 'hello' });
    expect((await stranger.next('broadcast')).payload.data).toBe('hello');
  });

  it('time runs: it closes with 4001', async () => {
    await using world = await open();
    const [late, early, line] = [world.socket(), world.socket(), world.lines()];
    for (const each of [late, early, line]) await each.next('welcome');
    early.send({ type: 'auth', token: secretOf('panel') });
    await early.next('response');
    for (let second = 0; second < 9; second++) world.clock.advance(1_000);
    late.send({ type: 'ping' });
    await late.next('pong');
    world.clock.advance(1_100);
    expect((await late.closed).code).toBe(4001);
    expect((await line.next('closing')).payload).toMatchObject({ code: 4001, reconnect: true });
    early.send({ type: 'echo', id: '1', data: 1 });
    await early.next('echo');
  });
});

describe('the end of a token', () => {
  it('closes with 4002, and the token is not taken again', async () => {
    const short = token('short', 'read', ['#'], START + 5_000);
    await using world = await AccessWorld.start({ tokens: [short, ...TOKENS] });
    const ending = await world.member('short');
    const going = await world.member('panel');
    for (let second = 0; second < 4; second++) world.clock.advance(1_000);
    ending.send({ type: 'echo', id: '1', data: 1 });
    await ending.next('echo');
    world.clock.advance(1_100);
    expect((await ending.next('closing')).payload).toMatchObject({ code: 4002, reconnect: true });
    expect((await ending.closed).code).toBe(4002);
    const again = world.socket();
    await again.next('welcome');
    again.send({ type: 'auth', token: secretOf('short') });
    expect((await again.next('error')).payload.message).toContain('expired');
    expect((await again.closed).code).toBe(4500);
    going.send({ type: 'echo', id: '1', data: 1 });
    await going.next('echo');
  });

  it('ends a stream of events, too', async () => {
    const short = token('short', 'read', ['#'], START + 5_000);
    await using world = await AccessWorld.start({ tokens: [short] });
    const stream = await SseClient.open(world.port, ['devices/+/state'], bearer('short').headers);
    await expect.poll(() => stream.types).toContain('synced');
    for (let second = 0; second < 6; second++) world.clock.advance(1_000);
    await stream.closed;
    expect(stream.events.at(-1)?.message.payload).toMatchObject({ code: 4002 });
  });
});
