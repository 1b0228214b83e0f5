import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { refusedCaller } from '../../../src/feed/hub/admission.ts';
import { FeedClient, FeedWorld } from '../../support/feed-world.ts';

async function refusal(url: string, options: ClientOptions): Promise<{ status: number; code: string }> {
  const socket = new WebSocket(url, options);
  // What an event carries is typed as unknown.
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, code: (JSON.parse(body) as { code: string }).code };
}

describe('admission', () => {
  const local = { host: '127.0.0.1:8080', localAddress: () => '127.0.0.1', remoteAddress: '127.0.0.1' };
  const remote = { host: '10.0.0.5:8080', localAddress: () => '10.0.0.5', remoteAddress: '10.0.0.9' };

  it.each([
    ['a program on this machine', { ...local, origin: undefined }, undefined],
    [
      'its IPv4 address in IPv6',
      { ...local, origin: undefined, remoteAddress: '::ffff:127.0.0.1' },
      undefined,
    ],
    ['our own page', { ...local, origin: 'http://127.0.0.1:8080' }, undefined],
    ['another port of this machine', { ...local, origin: 'http://127.0.0.1:9999' }, 'origin_not_allowed'],
    ['a foreign page', { ...local, origin: 'https://evil.example' }, 'origin_not_allowed'],
    ['a page without an origin', { ...local, origin: 'null' }, 'origin_not_allowed'],
    ['a configured page', { ...local, origin: 'https://lab.example' }, undefined],
    [
      'a name that was made to lead here',
      { ...local, host: 'evil.example:8080', origin: 'http://evil.example:8080' },
      'host_not_allowed',
    ],
    ['no host', { ...local, host: undefined, origin: undefined }, 'host_not_allowed'],
    ['our page seen from another machine', { ...remote, origin: 'http://10.0.0.5:8080' }, undefined],
    ['a program on another machine', { ...remote, origin: undefined }, 'origin_not_allowed'],
  ])('%s', (_name, caller, code) => {
    const answer = refusedCaller(caller, { host: '0.0.0.0', hosts: [], origins: ['https://lab.example'] });
    expect(answer === undefined ? undefined : JSON.parse(String(answer.body)).code).toBe(code);
  });

  it('is a program on another machine too where it has to show a token, and no page of others all the same', () => {
    const admission = { host: '0.0.0.0', hosts: [], origins: [] };
    expect(refusedCaller({ ...remote, origin: undefined }, admission, true)).toBeUndefined();
    expect(refusedCaller({ ...remote, origin: 'https://evil.example' }, admission, true)?.status).toBe(403);
    expect(
      refusedCaller({ ...remote, origin: undefined, host: 'evil.example' }, admission, true)?.status,
    ).toBe(403);
  });

  it('is decided before the upgrade', async () => {
    await using world = await FeedWorld.start();
    expect(await refusal(world.url(), { origin: 'https://evil.example' })).toEqual({
      status: 403,
      code: 'origin_not_allowed',
    });
    expect(await refusal(world.url(), { headers: { Host: 'evil.example' } })).toEqual({
      status: 403,
      code: 'host_not_allowed',
    });
    expect(await refusal(world.url('/ws/a%20b'), {})).toEqual({ status: 400, code: 'bad_request' });
    await world.client('/ws', { origin: `http://127.0.0.1:${world.port}` });
  });

  it.each([
    ['a version that is not spoken', { 'Sec-WebSocket-Version': '12' }],
    ['no key', { 'Sec-WebSocket-Key': 'none' }],
    ['a subprotocol that is none', { 'Sec-WebSocket-Protocol': 'a,,b' }],
  ])('rejects a handshake with %s in the usual form', async (_, wrong) => {
    await using world = await FeedWorld.start();
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const [response] = (await once(
      get({ port: world.port, host: '127.0.0.1', path: '/ws', headers: { ...headers, ...wrong } }),
      'response',
    )) as [IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    expect(response.statusCode).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ code: 'bad_request' });
    expect(response.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'sec-websocket-version': '13',
    });
  });

  it('a client id that is taken is refused with a word', async () => {
    await using world = await FeedWorld.start();
    await world.client('/ws/me');
    const second = new FeedClient(new WebSocket(world.url('/ws/me')));
    expect((await second.next('error')).payload).toMatchObject({ code: 'client_id_in_use' });
    expect(await second.closed).toMatchObject({ code: 4507 });
    expect(world.feed.clients().map(({ id }) => id)).toEqual(['me']);
  });
});
