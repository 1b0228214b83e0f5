import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FeedClient } from '../support/feed-world.ts';
import { hasNginx, Nginx } from '../support/nginx.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

/** Not the address of the proxy, and reachable without any network. */
const SOMEBODY = '127.0.0.2';
const ANYBODY = 'access: { insecure: true }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]';

const serving = (port = 0, proxies = '[127.0.0.1]'): Promise<TestBridge> =>
  startBridge(ANYBODY, `{ port: ${port}, hosts: [panel.example], trusted_proxies: ${proxies} }`);

const portOf = ({ url }: TestBridge): number => Number(new URL(url).port);

async function ask(nginx: Nginx, path: string, headers: Record<string, string> = {}) {
  const outgoing = request({
    ...wayTo(nginx),
    path,
    headers: { Host: `panel.example:${nginx.port}`, ...headers },
    agent: false,
  }).end();
  // What an event carries is typed as unknown.
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

async function statusOf(nginx: Nginx, path: string): Promise<number | undefined> {
  const response = await ask(nginx, path);
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

const wayTo = (nginx: Nginx) => ({
  host: '127.0.0.1',
  port: nginx.port,
  localAddress: SOMEBODY,
  ca: readFileSync(nginx.certificate.cert),
});

function subscriber(nginx: Nginx, headers: Record<string, string> = {}): WebSocket {
  const host = `panel.example:${nginx.port}`;
  return new WebSocket(`wss://127.0.0.1:${nginx.port}/ws`, {
    ...wayTo(nginx),
    headers: { Host: host, Origin: `https://${host}`, ...headers },
  });
}

describe.runIf(hasNginx)('behind nginx, with the configuration that is shipped', () => {
  it('page and API are served over TLS, and plain requests are led there', async () => {
    await using bridge = await serving();
    await using nginx = await Nginx.start(portOf(bridge));
    const plain = await fetch(`http://127.0.0.1:${nginx.plainPort}/api/devices`, { redirect: 'manual' });
    expect([plain.status, plain.headers.get('location')]).toEqual([301, 'https://127.0.0.1/api/devices']);
    for (const path of ['/', '/api/devices', '/healthz'])
      expect([path, await statusOf(nginx, path)]).toEqual([path, 200]);
  });

  it('WebSockets come through, each as the one who he is and not as who he says', async () => {
    await using bridge = await serving();
    await using nginx = await Nginx.start(portOf(bridge));
    const client = new FeedClient(subscriber(nginx, { 'X-Forwarded-For': '203.0.113.9' }));
    await client.next('welcome');
    client.send({ type: 'get_clients', id: '1' });
    expect((await client.next('clients_list')).payload.clients).toMatchObject([{ address: SOMEBODY }]);
    await client.subscribe('2', 'bridge/status');
    client.socket.terminate();
  });

  it('a page of the same name without TLS is of another origin', async () => {
    await using bridge = await serving();
    await using nginx = await Nginx.start(portOf(bridge));
    const stranger = subscriber(nginx, { Origin: `http://panel.example:${nginx.port}` });
    const [, response] = (await once(stranger, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(403);
    response.destroy();
  });

  it('events are not held back', async () => {
    await using bridge = await serving();
    await using nginx = await Nginx.start(portOf(bridge));
    const response = await ask(nginx, '/api/feed?topics=devices/%23');
    expect(response.statusCode).toBe(200);
    response.setEncoding('utf8');
    let heard = '';
    response.on('data', (text: string) => {
      heard += text;
    });
    await expect.poll(() => heard).toContain('"synced"');
    for (const word of ['first', 'second']) {
      bridge.bridge.store.publishState('devices/a/state', { word });
      await expect.poll(() => heard).toContain(word);
    }
    response.destroy();
  });

  it('a bridge that is restarted is missed, and found again at once', async () => {
    const first = await serving();
    const port = portOf(first);
    await using nginx = await Nginx.start(port);
    const client = new FeedClient(subscriber(nginx));
    await client.next('welcome');
    await first[Symbol.asyncDispose]();
    expect(await client.closed).toMatchObject({ code: 4000 });
    expect(await statusOf(nginx, '/healthz')).toBe(502);
    const refused = subscriber(nginx);
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(502);
    response.destroy();
    await using _again = await serving(port);
    expect(await statusOf(nginx, '/healthz')).toBe(200);
    const back = new FeedClient(subscriber(nginx));
    await back.next('welcome');
    back.socket.terminate();
  });

  it('a bridge to which nobody named the proxy refuses, and says what to write', async () => {
    await using bridge = await serving(0, '[]');
    await using nginx = await Nginx.start(portOf(bridge));
    const response = await ask(nginx, '/api/devices');
    let body = '';
    for await (const chunk of response) body += String(chunk);
    expect(response.statusCode).toBe(403);
    expect(JSON.parse(body)).toMatchObject({
      code: 'proxy_not_trusted',
      message: expect.stringContaining('server.trusted_proxies'),
    });
  });
});
