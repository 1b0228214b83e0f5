import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { HttpServer, type HttpServerOptions } from '../../src/server/http/http-server.ts';
import { ask, rawExchange } from '../support/http.ts';

const running: HttpServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server[Symbol.asyncDispose]();
});

class Door {
  readonly requests: IncomingMessage[] = [];
  handleUpgrade(request: IncomingMessage, socket: Duplex): void {
    this.requests.push(request);
    socket.on('error', () => socket.destroy());
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nhello');
  }
}

async function serve(more: Partial<HttpServerOptions> = {}) {
  const store = new FeedStore({ epoch: 'first-life' });
  const door = new Door();
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    hosts: ['bridge.lab'],
    origins: ['https://ops.example'],
    store,
    feedServer: door,
    health: () => ({ version: '0.0.1' }),
    ...more,
  });
  running.push(server);
  const { port, url } = await server.start();
  return { server, store, door, port, url };
}

const upgrade = (path: string, headers: string, host = '127.0.0.1'): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\n${headers}\r\n\r\n`;

describe('the routes', () => {
  it('serves the page so that nothing but its own script and style runs', async () => {
    const { port } = await serve();
    const page = await ask(port, '/');
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.text).toContain('<title>Heartwire</title>');
    const policy = page.headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    const again = await ask(port, '/', { headers: { 'If-None-Match': page.headers.etag ?? '' } });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('serves what the page loads by names that never change their content, compressed where that is taken', async () => {
    const { port } = await serve();
    const { text } = await ask(port, '/');
    const script = /src="\.(\/assets\/[^"]+\.js)"/.exec(text)?.[1] ?? '';
    const plain = await ask(port, script);
    expect([plain.status, plain.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(plain.headers['content-encoding']).toBeUndefined();
    const packed = await ask(port, script, { headers: { 'Accept-Encoding': 'br, gzip' } });
    expect([packed.headers['content-encoding'], packed.headers.vary]).toEqual(['gzip', 'Accept-Encoding']);
    expect(Number(packed.headers['content-length'])).toBeLessThan(
      Number(plain.headers['content-length']) / 2,
    );
    const refused = await ask(port, script, { headers: { 'Accept-Encoding': 'gzip;q=0' } });
    expect(refused.headers['content-encoding']).toBeUndefined();
    const again = await ask(port, script, { headers: { 'If-None-Match': plain.headers.etag ?? '' } });
    expect([again.status, again.text]).toEqual([304, '']);
    for (const path of ['/assets/', '/assets/nowhere.js', '/index.html', '/assets/..%2findex.html'])
      expect([path, (await ask(port, path)).status]).toEqual([path, 404]);
    const manifest = await ask(port, '/manifest.webmanifest');
    expect([manifest.status, manifest.headers['content-type']]).toEqual([200, 'application/manifest+json']);
    expect((await ask(port, '/inspect')).text).toBe(text);
  });

  it('lists the devices with the position that the list stands for', async () => {
    const { port, store } = await serve();
    store.publishState('devices/b/state', { device: 'b', status: 'online' });
    store.publishState('devices/a/state', { device: 'a', status: 'stale' });
    store.publishState('devices/a/stats', { frames_in: 3 });
    const reply = await ask(port, '/api/devices?pretty=no');
    expect(reply.json()).toEqual({
      position: { 'first-life': 3 },
      devices: [
        { device: 'a', status: 'stale' },
        { device: 'b', status: 'online' },
      ],
    });
    expect(reply.headers['cache-control']).toBe('no-cache');
    expect((await ask(port, '/api/devices/a')).json()).toEqual({ device: 'a', status: 'stale' });
  });

  it('sends one device only to who does not have this version of it', async () => {
    const { port, store } = await serve();
    store.publishState('devices/a/state', { device: 'a', status: 'online' });
    const { etag = '' } = (await ask(port, '/api/devices/a')).headers;
    const again = (ifNoneMatch: string) =>
      ask(port, '/api/devices/a', { headers: { 'If-None-Match': ifNoneMatch } });
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const same = await again(known);
      expect([known, same.status, same.text, same.headers.etag]).toEqual([known, 304, '', etag]);
    }
    store.publishState('devices/b/state', { device: 'b' });
    expect((await again(etag)).status).toBe(304);
    store.publishState('devices/a/state', { device: 'a', status: 'stale' });
    const changed = await again(etag);
    expect([changed.status, changed.json()]).toEqual([200, { device: 'a', status: 'stale' }]);
    expect(changed.headers.etag).not.toBe(etag);
    store.removeState('devices/a/state');
    expect((await again(etag)).status).toBe(404);
    expect((await ask(port, '/api/devices/+')).status).toBe(404);
  });

  it('sends the list only to who does not have it, whatever else went on', async () => {
    const { port, store } = await serve();
    const tag = async () => (await ask(port, '/api/devices')).headers.etag ?? '';
    const status = async (etag: string) =>
      (await ask(port, '/api/devices', { headers: { 'If-None-Match': etag } })).status;
    const seen = [await tag()];
    const changes = [
      () => store.publishState('devices/a/state', { device: 'a' }),
      () => store.publishState('devices/b/state', { device: 'b' }),
      () => store.publishState('devices/a/state', { device: 'a', status: 'online' }),
      () => store.removeState('devices/b/state'),
      () => store.publishState('devices/b/state', { device: 'b' }),
    ];
    for (const change of changes) {
      change();
      for (const former of seen) expect(await status(former)).toBe(200);
      const etag = await tag();
      store.publishState('devices/a/stats', { frames_in: store.position()['first-life'] });
      store.publishEvent('devices/a/messages', {});
      expect(await status(etag)).toBe(304);
      seen.push(etag);
    }
    const other = await serve({ store: new FeedStore({ epoch: 'second-life' }) });
    expect((await ask(other.port, '/api/devices')).headers.etag).not.toBe(seen[0]);
  });

  it('says in JSON what it does not have', async () => {
    const { port } = await serve();
    for (const [path, status, code] of [
      ['/api/devices/nobody', 404, 'device_unknown'],
      ['/api/devices/%2e%2e%2Fx', 404, 'not_found'],
      ['/api/devices/a/b', 404, 'not_found'],
      ['/../package.json', 404, 'not_found'],
      ['/%', 400, 'bad_request'],
      ['/ws', 426, 'upgrade_required'],
    ] as const) {
      const reply = await ask(port, path);
      expect([path, reply.status, reply.json()]).toEqual([
        path,
        status,
        { code, message: expect.any(String) },
      ]);
      expect(ERROR_CODES).toHaveProperty(code);
    }
  });

  it('answers HEAD without a body, and other methods with what is allowed', async () => {
    const { port } = await serve();
    const [got, head] = await Promise.all([ask(port, '/healthz'), ask(port, '/healthz', { method: 'HEAD' })]);
    expect(got.json()).toEqual({ status: 'ok', version: '0.0.1' });
    expect([head.status, head.text, head.headers['content-length']]).toEqual([
      200,
      '',
      String(got.text.length),
    ]);
    const posted = await ask(port, '/api/devices', { method: 'POST', body: 'x'.repeat(10) });
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(posted.headers.connection).toBe('close');
  });
});

describe('who may ask', () => {
  it('answers only to its own names, upgrades included', async () => {
    const { port, door } = await serve();
    const foreign = await ask(port, '/api/devices', { headers: { Host: 'evil.example' } });
    expect([foreign.status, foreign.json()]).toEqual([
      403,
      { code: 'host_not_allowed', message: expect.stringContaining('server.hosts') },
    ]);
    expect((await ask(port, '/api/devices', { headers: { Host: 'bridge.lab:99' } })).status).toBe(200);
    const rebound = await rawExchange(port, upgrade('/ws', 'Upgrade: websocket', 'evil.example'));
    expect(rebound).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(rebound).toContain('host_not_allowed');
    expect(door.requests).toEqual([]);
  });

  it('refuses pages of other origins, and gives CORS headers to configured ones only', async () => {
    const { port, door } = await serve();
    const evil = await ask(port, '/api/devices', { headers: { Origin: 'http://evil.example' } });
    expect([evil.status, evil.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    const own = await ask(port, '/api/devices', { headers: { Origin: `http://127.0.0.1:${port}` } });
    expect([own.status, own.headers['access-control-allow-origin']]).toEqual([200, undefined]);
    const ops = await ask(port, '/api/devices', { headers: { Origin: 'https://ops.example' } });
    expect([ops.status, ops.headers['access-control-allow-origin']]).toEqual([200, 'https://ops.example']);
    const before = await ask(port, '/api/devices', {
      method: 'OPTIONS',
      headers: { Origin: 'https://ops.example', 'Access-Control-Request-Method': 'GET' },
    });
    expect([before.status, before.headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD']);
    const socket = await rawExchange(
      port,
      upgrade('/ws', 'Upgrade: websocket\r\nOrigin: http://evil.example', `127.0.0.1:${port}`),
    );
    expect(socket).toMatch(/^HTTP\/1\.1 403 /);
    expect(door.requests).toEqual([]);
  });
});

describe('upgrades', () => {
  it('tells whoever runs it whom it turned away, and why: a page is not told of its WebSocket', async () => {
    const told: Array<readonly [address: string, code: unknown]> = [];
    const { port } = await serve({
      refused: (address, detail) => told.push([address, JSON.parse(detail).code]),
    });
    await rawExchange(port, upgrade('/ws', 'Upgrade: websocket\r\nOrigin: https://evil.example'));
    await rawExchange(port, upgrade('/ws', 'Upgrade: websocket', 'evil.example'));
    await ask(port, '/api/devices', { headers: { Origin: 'https://evil.example' } });
    await ask(port, '/api/devices?token=hw_x');
    await ask(port, '/nothing-here');
    expect(told).toEqual([
      ['127.0.0.1', 'origin_not_allowed'],
      ['127.0.0.1', 'host_not_allowed'],
      ['127.0.0.1', 'origin_not_allowed'],
      ['127.0.0.1', 'token_in_address'],
    ]);
  });

  it('hands WebSockets on /ws and /ws/<client_id> to the feed', async () => {
    const { port, door } = await serve();
    for (const path of ['/ws', '/ws/wall-display?x=1']) {
      expect(await rawExchange(port, upgrade(path, 'Upgrade: WebSocket'))).toContain('hello');
    }
    expect(door.requests.map((each) => each.url)).toEqual(['/ws', '/ws/wall-display?x=1']);
  });

  it.each([
    ['/elsewhere', 'Upgrade: websocket', /^HTTP\/1\.1 404 Not Found\r\n/],
    ['/ws/a/b', 'Upgrade: websocket', /^HTTP\/1\.1 404 /],
    ['/ws', 'Upgrade: h2c', /^HTTP\/1\.1 426 Upgrade Required\r\n[\s\S]*Upgrade: websocket\r\n/],
  ])('answers %s with %s, and closes', async (path, header, answer) => {
    const { port, door } = await serve();
    const reply = await rawExchange(port, upgrade(path, header));
    expect(reply).toMatch(answer);
    expect(reply).toMatch(/\r\nConnection: close\r\n/);
    expect(door.requests).toEqual([]);
  });
});

describe('bad bytes', () => {
  it.each([
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['an HTTP/1.0 request without host', 'GET / HTTP/1.0\r\n\r\n', 403],
    ['a proxy request', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405],
    ['large headers', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s gets its answer and the server goes on', async (_what, bytes, status) => {
    const { port } = await serve();
    expect(await rawExchange(port, bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await ask(port, '/healthz')).status).toBe(200);
  });

  it('survives peers that reset in the middle of a request or an upgrade', async () => {
    const { port } = await serve();
    for (const bytes of ['GET / HT', upgrade('/nowhere', 'Upgrade: websocket')]) {
      await new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes, () => socket.resetAndDestroy()));
        socket.on('error', reject);
        socket.on('close', () => resolve());
      });
    }
    expect((await ask(port, '/healthz')).status).toBe(200);
  });
});

describe('its life', () => {
  it('names the fix where the port is taken', async () => {
    const { port } = await serve();
    await expect(serve({ port })).rejects.toMatchObject({
      code: 'address_in_use',
      seen: `127.0.0.1:${port}`,
      fix: expect.stringMatching(/--port.*server\.port/),
    });
  });

  it('says so where the address is not of this machine', async () => {
    await expect(serve({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'address_unavailable' });
  });

  it('says so where the page is missing', async () => {
    await expect(serve({ pageFile: '/nowhere/index.html' })).rejects.toMatchObject({
      code: 'page_unreadable',
    });
  });

  it('closes twice, without waiting for connections that are only kept open', async () => {
    const { server, port } = await serve();
    const idle = connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => idle.on('close', resolve));
    await new Promise((resolve) => idle.on('connect', resolve));
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    await closed;
    await expect(ask(port, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('closes before it was started', async () => {
    const store = new FeedStore({ epoch: 'e' });
    const server = new HttpServer({
      host: '127.0.0.1',
      port: 0,
      hosts: [],
      origins: [],
      store,
      feedServer: new Door(),
    });
    await expect(server[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
});
