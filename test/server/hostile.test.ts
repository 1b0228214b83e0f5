import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FeedStore } from '../../src/feed/core/store.ts';
import { FeedServer } from '../../src/feed/transports/feed-server.ts';
import { HttpServer, type HttpServerOptions } from '../../src/server/http/http-server.ts';
import { ask, rawExchange } from '../support/http.ts';

const HASTY = { headersMs: 300, requestMs: 600, lookMs: 50, idleMs: 500 };
const HOST = 'Host: 127.0.0.1\r\n';

const running: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

async function serve(more: Partial<HttpServerOptions> = {}) {
  const store = new FeedStore({ epoch: 'e' });
  store.publishState('devices/a/state', { device: 'a', secret: 'do not tell' });
  const names = { host: '127.0.0.1', hosts: [], origins: [] };
  const feed = new FeedServer({ ...names, store });
  const server = new HttpServer({ ...names, port: 0, store, feedServer: feed, ...more });
  const { port } = await server.start();
  running.push(async () => {
    await feed[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  return { port, store, feed };
}

const statuses = (reply: string): readonly number[] =>
  [...reply.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Sends a byte every few milliseconds until it is cut off; resolves with all that came back. */
async function trickle(port: number, bytes: string, rest: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1');
  });
  socket.on('error', () => socket.destroy());
  socket.write(bytes);
  const more = setInterval(() => socket.write(rest), 10);
  await once(socket, 'close');
  clearInterval(more);
  return heard;
}

describe('who takes his time', () => {
  it.each([
    ['over the request line', 'GET /', 'a'],
    ['over the headers', `GET / HTTP/1.1\r\n${HOST}`, 'X-a: b\r\n'],
    ['over an upgrade', `GET /ws HTTP/1.1\r\n${HOST}Upgrade: websocket\r\n`, 'X'],
  ])('%s is told so and cut off', async (_what, bytes, rest) => {
    const { port } = await serve({ patience: HASTY });
    expect(await trickle(port, bytes, rest)).toMatch(/^HTTP\/1\.1 408 [\s\S]*bad_request/);
    expect((await ask(port, '/healthz')).status).toBe(200);
  });

  it.each([
    ['with a length', 'Content-Length: 100000', 'x'],
    ['in chunks', 'Transfer-Encoding: chunked', '1\r\nx\r\n'],
  ])('over a body %s, has his answer at once and is not read', async (_what, header, rest) => {
    const { port } = await serve({ patience: { ...HASTY, headersMs: 60_000, requestMs: 60_000 } });
    const heard = await trickle(port, `POST /api/devices HTTP/1.1\r\n${HOST}${header}\r\n\r\n`, rest);
    expect(statuses(heard)).toEqual([405]);
  });

  it('over saying anything at all is cut off, and so is who does not read his answer', async () => {
    const { port } = await serve({ patience: HASTY });
    const silent = connect(port, '127.0.0.1');
    await once(silent.resume(), 'close');
    const deaf = connect(port, '127.0.0.1');
    deaf.on('error', () => deaf.destroy());
    deaf.write(`GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(2_000));
    await expect.poll(() => stillOpen(deaf)).toBe(false);
  });

  /** Who does not read learns from a write only that he was cut off. */
  function stillOpen(socket: Socket): boolean {
    if (!socket.destroyed) socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    return !socket.destroyed;
  }
});

describe('what looks like two requests to one and like one to another', () => {
  const SECOND = `GET /api/devices HTTP/1.1\r\n${HOST}\r\n`;

  it.each([
    ['both lengths', `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SECOND}`],
    [
      'both lengths, the other way round',
      `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SECOND}`,
    ],
    ['two lengths that differ', `Content-Length: 0\r\nContent-Length: ${SECOND.length}\r\n\r\n${SECOND}`],
    ['a length with a sign', `Content-Length: +5\r\n\r\nhello${SECOND}`],
    ['a length in two parts', `Content-Length: 5, 6\r\n\r\nhello${SECOND}`],
    ['an unknown encoding last', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SECOND}`],
    ['a space before the colon', `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SECOND}`],
    ['a folded header', `Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SECOND}`],
    ['a length of a chunk that is none', `Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${SECOND}`],
    [
      'a length of a chunk beyond all bounds',
      `Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\n${SECOND}`,
    ],
    ['a body behind a GET', `Content-Length: ${SECOND.length}\r\n\r\n${SECOND}`],
    ['a null byte in a header', `X: a\0b\r\n\r\n${SECOND}`],
  ])('%s: the second is never answered', async (_what, rest) => {
    const { port } = await serve();
    const reply = await rawExchange(port, `GET /healthz HTTP/1.1\r\n${HOST}${rest}`);
    expect(reply).not.toContain('do not tell');
    expect(statuses(reply).length).toBe(1);
    expect((await ask(port, '/healthz')).status).toBe(200);
  });
});

describe('many requests in one breath', () => {
  it('are answered one by one, in their order', async () => {
    const { port } = await serve({ requestBurst: 2_000 });
    const paths = Array.from({ length: 1_000 }, (_, at) => (at % 3 === 0 ? '/healthz' : `/n${at}`));
    const lines = paths.map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`).join('');
    const reply = await rawExchange(port, `${lines}GET / HTTP/1.0\r\n${HOST}Connection: close\r\n\r\n`);
    expect(statuses(reply)).toEqual([...paths.map((path) => (path === '/healthz' ? 200 : 404)), 200]);
    const told = [...reply.matchAll(/There is nothing at (\/n\d+);/g)].map(([, path]) => path);
    expect(told).toEqual(paths.filter((path) => path !== '/healthz'));
  });

  it('from who reads no answer wait in the socket, and not in our memory', async () => {
    const { port } = await serve();
    const before = process.memoryUsage().rss;
    const deaf = connect(port, '127.0.0.1');
    deaf.on('error', () => deaf.destroy());
    // 50 kB each: 500 MB if all were answered.
    deaf.write(`GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(10_000));
    for (let i = 0; i < 50; i += 1) expect((await ask(port, '/healthz')).status).toBe(200);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
    deaf.destroy();
  });
});

describe('paths that lead elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-hostile-'));
  writeFileSync(join(folder, 'outside.txt'), 'do not tell');

  const files: HttpServerOptions['files'] = {
    files: [{ id: 'known.bin', bytes: 5, at: 0 }],
    // One that would follow whatever it is given.
    find: (id) => (id === 'known.bin' ? { path: join(folder, id), bytes: 5 } : undefined),
  };

  it.each([
    '/../package.json',
    '/%2e%2e/package.json',
    '/%2e%2e%2fpackage.json',
    '/..%5c..%5cpackage.json',
    '/..\\..\\package.json',
    '/%252e%252e%252fpackage.json',
    '/api/files/../outside.txt',
    '/api/files/..%2foutside.txt',
    '/api/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/api/files/known.bin%00.txt',
    '/api/files/known.bin%0d%0aX-Injected:%20yes',
    '/api/devices/a%00',
    '/api/devices/%2e%2e%2fa',
    '/api/devices/__proto__',
    '/api/devices/constructor',
    '/api/devices/+',
    '/api/devices/%23',
    '/web/index.html',
    '//127.0.0.1/api/devices/a',
    'http://127.0.0.1/../package.json',
    'http://evil.example/api/nothing',
    'file:///etc/passwd',
    '/%c0%ae%c0%ae/package.json',
    '/%ff',
    '/%',
    '*',
  ])('%s: refused, in JSON, and nothing is told', async (path) => {
    const { port } = await serve({ files });
    const reply = await rawExchange(port, `GET ${path} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect(statuses(reply)).toEqual([expect.toSatisfy((status: number) => status >= 400 && status < 500)]);
    expect(reply).not.toMatch(/do not tell|root:|"name": "heartwire"|^X-Injected/m);
    expect(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n')))).toMatchObject({ code: expect.any(String) });
  });

  it('a target that names us whole is a path like any other', async () => {
    const { port } = await serve();
    const reply = await rawExchange(
      port,
      `GET http://127.0.0.1:${port}/api/devices/a HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    );
    expect([statuses(reply), reply.includes('"device":"a"')]).toEqual([[200], true]);
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['within bounds', 15_000, 200],
    ['beyond them', 20_000, 431],
  ])('a query %s', async (_what, length, status) => {
    const { port } = await serve();
    expect((await ask(port, `/healthz?${'q'.repeat(length)}`)).status).toBe(status);
  });
});
