import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { brokenEnd, connectEnd } from '../../src/links/tcp-end.ts';
import { dial } from '../../src/links/transports.ts';
import { RecordedLink } from '../support/recorded-link.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const each of sockets.splice(0)) each.destroy();
  for (const each of servers.splice(0)) each.close();
});

async function serve(host = '127.0.0.1'): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

async function freePort(): Promise<number> {
  const port = await serve();
  const server = servers.pop();
  await new Promise((resolve) => server?.close(resolve));
  return port;
}

describe('dialling over TCP', () => {
  test('a port that nobody listens on is refused, by address', async () => {
    const port = await freePort();
    const recorded = new RecordedLink(dial({ scheme: 'tcp', host: '127.0.0.1', port }));
    await expect.poll(() => recorded.end?.code).toBe('connect_refused');
    expect(recorded.end?.detail).toContain(`127.0.0.1:${port}`);
    expect(recorded.events).toHaveLength(1);
  });

  test('a name with several addresses is refused only when all of them are', async () => {
    const port = await freePort();
    const refused = new RecordedLink(dial({ scheme: 'tcp', host: 'localhost', port }));
    await expect.poll(() => refused.end?.code).toBe('connect_refused');
    const there = new RecordedLink(dial({ scheme: 'tcp', host: 'localhost', port: await serve() }));
    await expect.poll(() => there.opened).toBe(true);
    there.link.destroy();
  });

  test('a port that cannot be one is an end, not an exception', async () => {
    const recorded = new RecordedLink(dial({ scheme: 'tcp', host: '127.0.0.1', port: 70_000 }));
    expect(recorded.events).toEqual([]);
    await expect.poll(() => recorded.end?.code).toBe('connect_failed');
  });

  test('IPv6 is dialled and written in brackets', async () => {
    const port = await serve('::1');
    const recorded = new RecordedLink(dial({ scheme: 'tcp', host: '::1', port }));
    await expect.poll(() => recorded.opened).toBe(true);
    expect(recorded.events).toEqual([{ event: 'opened', address: `[::1]:${port}` }]);
    recorded.link.destroy();
  });

  test('a peer that resets the connection is told from one that closes it', async () => {
    const recorded = new RecordedLink(dial({ scheme: 'tcp', host: '127.0.0.1', port: await serve() }));
    await expect.poll(() => recorded.opened && sockets.length).toBe(1);
    sockets[0]?.resetAndDestroy();
    await expect.poll(() => recorded.end?.code).toBe('link_reset');
  });

  test('what a peer said before it hung up is answered before the link closes', async () => {
    const port = await serve();
    const link = dial({ scheme: 'tcp', host: '127.0.0.1', port });
    const answered = new RecordedLink(link, { data: () => void link.send(Uint8Array.of(2)) });
    await expect.poll(() => answered.opened && sockets.length).toBe(1);
    const [peer] = sockets;
    const heard: Buffer[] = [];
    peer?.on('data', (chunk) => heard.push(chunk));
    peer?.end(Uint8Array.of(1));
    await expect.poll(() => answered.end?.code).toBe('link_closed');
    await expect.poll(() => Buffer.concat(heard)).toEqual(Buffer.of(2));
  });

  test('silence is told where it was asked for, and only there', async () => {
    const port = await serve();
    const line = new RecordedLink(dial({ scheme: 'tcp', host: '127.0.0.1', port }, { idleAfterMs: 60 }));
    const stream = new RecordedLink(dial({ scheme: 'tcp', host: '127.0.0.1', port }));
    await expect.poll(() => line.opened && stream.opened && sockets.length).toBe(2);
    for (const each of sockets) each.write('half a frame');
    await expect.poll(() => line.idles).toBe(1);
    for (const each of sockets) each.write('and another');
    await expect.poll(() => line.idles).toBe(2);
    expect(stream.idles).toBe(0);
    line.link.destroy();
    stream.link.destroy();
  });
});

const systemError = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

test.each([
  ['ETIMEDOUT', 'connect_timeout', 'did not answer'],
  ['EHOSTUNREACH', 'connect_unreachable', 'route'],
  ['ENETUNREACH', 'connect_unreachable', 'route'],
  ['EMFILE', 'open_file_limit', 'ulimit -n'],
  ['EACCES', 'connect_failed', 'firewall'],
  ['EADDRNOTAVAIL', 'connect_failed', 'local address'],
  ['EINVAL', 'connect_failed', 'scope'],
  ['ESTRANGE', 'connect_failed', 'ESTRANGE'],
])('dialling fails with %s: %s', (code, expected, fix) => {
  const end = connectEnd(systemError(code), 'meter:9089');
  expect(end.code).toBe(expected);
  expect(end.detail).toContain('meter:9089');
  expect(end.detail).toContain(fix);
});

test.each([
  ['ECONNRESET', 'link_reset'],
  ['EPIPE', 'link_reset'],
  ['ETIMEDOUT', 'link_reset'],
  ['ESTRANGE', 'link_error'],
])('an open link breaks with %s: %s', (code, expected) => {
  expect(brokenEnd(systemError(code), 'meter:9089').code).toBe(expected);
});
