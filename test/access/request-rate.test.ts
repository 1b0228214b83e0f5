import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_ADMISSION_LIMITS } from '../../src/access/admission-control.ts';
import { parseBlock } from '../../src/contract/address-match.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { HttpServer, type HttpServerOptions } from '../../src/server/http/http-server.ts';
import { LiveConfig } from '../../src/system/live-config.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ask } from '../support/http.ts';
import { startBridge } from '../support/test-bridge.ts';

const running: HttpServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server[Symbol.asyncDispose]();
});

async function serve(more: Partial<HttpServerOptions> = {}) {
  const clock = new FakeClock();
  const names = { host: '127.0.0.1', hosts: [], origins: [] };
  const server = new HttpServer({
    ...names,
    port: 0,
    clock,
    store: new FeedStore({ epoch: 'e' }),
    feedServer: { handleUpgrade: (_request, socket) => void socket.destroy() },
    requestsPerSecond: 1,
    requestBurst: 3,
    ...more,
  });
  running.push(server);
  const { port } = await server.start();
  const statuses = async (count: number, headers: Record<string, string> = {}, path = '/healthz') => {
    const found: number[] = [];
    for (let each = 0; each < count; each++) found.push((await ask(port, path, { headers })).status);
    return found;
  };
  return { server, port, clock, statuses };
}

describe('requests of one address', () => {
  it('beyond its rate are refused until the second is over', async () => {
    const { statuses, port, clock } = await serve();
    expect(await statuses(5)).toEqual([200, 200, 200, 429, 429]);
    const refused = await ask(port, '/api/devices');
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toMatchObject({
      code: 'too_many_requests',
      message: expect.stringMatching(/^127\.0\.0\.1 .*server\.max_requests_per_second/),
    });
    clock.advance(Number(refused.headers['retry-after']) * 1_000);
    expect(await statuses(2)).toEqual([200, 429]);
  });

  it('are those of the client, behind a trusted proxy', async () => {
    const proxy = parseBlock('127.0.0.1/32');
    const { statuses } = await serve({ trustedProxies: proxy === undefined ? [] : [proxy] });
    const from = (address: string) => ({ 'X-Forwarded-For': address });
    expect(await statuses(4, from('10.0.0.7'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(1, from('10.0.0.8'))).toEqual([200]);
    expect(await statuses(1, from('10.0.0.7'))).toEqual([429]);
  });

  it('that open a stream are told when to come back, where a browser would give up', async () => {
    const open = (): undefined => undefined;
    const { statuses, port } = await serve({ eventStreams: { open } });
    await statuses(3);
    const stream = '/api/feed?topics=bridge/status';
    const browser = await ask(port, stream, { headers: { Accept: 'text/event-stream' } });
    expect([browser.status, browser.text]).toEqual([200, 'retry: 1000\n\n']);
    expect(await statuses(1, {}, stream)).toEqual([429]);
  });

  it('are counted with a header that asks for no upgrade, too', async () => {
    const { statuses } = await serve();
    expect(await statuses(4, { Upgrade: 'websocket' })).toEqual([200, 200, 200, 429]);
  });

  it.each([
    ['a short one', 1_000, [200, 200, 429]],
    ['a long one', 130 * 1024, [429, 429, 429]],
  ])('count by what they are answered with: %s', async (_, bytes, expected) => {
    const body = Buffer.alloc(bytes);
    const further = (path: string) =>
      path === '/long' ? () => ({ status: 200, headers: {}, body }) : undefined;
    const { statuses } = await serve({ further });
    expect(await statuses(1, {}, '/long')).toEqual([200]);
    expect(await statuses(3)).toEqual(expected);
  });

  it('wait no longer for a very long one than until another burst is over', async () => {
    const further = () => () => ({ status: 200, headers: {}, body: Buffer.alloc(10 * 1024 * 1024) });
    const { statuses, port, clock } = await serve({ further });
    await statuses(1, {}, '/long');
    const refused = await ask(port, '/healthz');
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '4']);
    clock.advance(4_000);
    expect(await statuses(1)).toEqual([200]);
  });

  it('follow other limits at once', async () => {
    const live = new LiveConfig({ ...DEFAULT_ADMISSION_LIMITS, requestsPerSecond: 1, requestBurst: 3 });
    const { statuses } = await serve({ live });
    expect(await statuses(4)).toEqual([200, 200, 200, 429]);
    live.set({ ...live.value, requestBurst: 5 });
    expect(await statuses(6)).toEqual([200, 200, 200, 200, 200, 429]);
  });
});

it('requests with one token are counted together, wherever they come from', async () => {
  const hash = `sha256:${createHash('sha256').update('right').digest('hex')}`;
  const other = `sha256:${createHash('sha256').update('other').digest('hex')}`;
  const server = '{ port: 0, trusted_proxies: [127.0.0.1], max_requests_per_second: 1 }';
  const yaml = `access:
  tokens:
    - { name: panel, hash: "${hash}", roles: [read], topics: ["#"] }
    - { name: spare, hash: "${other}", roles: [read], topics: ["#"] }
devices: []
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
`;
  await using bridge = await startBridge(yaml, server);
  const status = async (at: number, token: string) => {
    const headers = { 'X-Forwarded-For': `10.0.0.${at}`, Authorization: `Bearer ${token}` };
    return (await fetch(`${bridge.url}/api/devices`, { headers })).status;
  };
  const found: number[] = [];
  for (let at = 0; at < 20; at++) found.push(await status(at, 'right'));
  expect(found.slice(0, 5)).toEqual([200, 200, 200, 200, 200]);
  expect(found).toContain(429);
  expect(await status(1, 'other')).toBe(200);
});
