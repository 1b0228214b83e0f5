import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type AddressBlock, parseBlock } from '../../../src/contract/address-match.ts';
import { BridgeFace } from '../../support/bridge-face.ts';
import { FeedClient } from '../../support/feed-world.ts';
import { ask } from '../../support/http.ts';

/** A proxy on this machine is trusted, so that a test can have any address. */
const PROXIES = [parseBlock('127.0.0.1')].filter((each): each is AddressBlock => each !== undefined);

function open(limits: object): Promise<BridgeFace> {
  return BridgeFace.open({ trustedProxies: PROXIES, feed: { trustedProxies: PROXIES, ...limits } });
}

function caller(face: BridgeFace, address: string): WebSocket {
  const origin = `http://127.0.0.1:${face.port}`;
  return new WebSocket(`${face.url.replace('http', 'ws')}/ws`, {
    headers: { 'X-Forwarded-For': address, Origin: origin },
  });
}

describe('subscribers of one address', () => {
  it('learn of the limit, and the one too many is closed with its code', async () => {
    await using face = await open({ maxConnectionsPerAddress: 2 });
    const clients = ['203.0.113.9', '203.0.113.9', '203.0.113.8'].map(
      (address) => new FeedClient(caller(face, address)),
    );
    for (const client of clients) {
      expect((await client.next('welcome')).payload.limits).toMatchObject({ max_connections_per_address: 2 });
    }
    const third = new FeedClient(caller(face, '203.0.113.9'));
    expect((await third.next('error')).payload).toMatchObject({ code: 'connection_limit' });
    expect((await third.next('closing')).payload).toMatchObject({ code: 4504, reconnect: false });
    expect(await third.closed).toMatchObject({ code: 4504 });
    const [first] = clients;
    first?.socket.close();
    await first?.closed;
    await expect.poll(() => face.subscribers).toBe(2);
    await new FeedClient(caller(face, '203.0.113.9')).next('welcome');
  });

  it('are counted together whatever they come over: streams too', async () => {
    await using face = await open({ maxConnectionsPerAddress: 1 });
    await new FeedClient(caller(face, '203.0.113.9')).next('welcome');
    const stream = await ask(face.port, '/api/feed?topics=devices/%23', {
      headers: { 'X-Forwarded-For': '203.0.113.9' },
    });
    expect(stream.text).toContain('connection_limit');
    expect(stream.text).toContain('4504');
  });

  it('that come too fast learn before the upgrade when to come back; others come in meanwhile', async () => {
    await using face = await open({ connectsPerSecondPerAddress: 0.01, connectBurstPerAddress: 2 });
    for (let i = 0; i < 2; i += 1) await new FeedClient(caller(face, '203.0.113.9')).next('welcome');
    const late = caller(face, '203.0.113.9');
    // What an event carries is typed as unknown.
    const [, response] = (await once(late, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toMatch(/^\d+$/);
    response.destroy();
    await new FeedClient(caller(face, '203.0.113.8')).next('welcome');
  });
});
