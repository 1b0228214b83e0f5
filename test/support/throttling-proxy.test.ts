import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ThrottlingOptions, ThrottlingProxy } from './throttling-proxy.ts';

let server: Server;
const sockets: Socket[] = [];

beforeEach(async () => {
  // An echo server, so that both directions are seen from one end.
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  await once(server, 'close');
});

const start = (options?: ThrottlingOptions): Promise<ThrottlingProxy> =>
  ThrottlingProxy.start((server.address() as AddressInfo).port, options);

async function client(
  proxy: ThrottlingProxy,
): Promise<{ socket: Socket; received: () => string; log: string[] }> {
  const socket = connect(proxy.port, '127.0.0.1');
  sockets.push(socket);
  const log: string[] = [];
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  socket.on('end', () => log.push('end'));
  socket.on('error', (error) => log.push('code' in error ? String(error.code) : error.message));
  socket.on('close', () => log.push('close'));
  await once(socket, 'connect');
  return { socket, received: () => text, log };
}

describe('ThrottlingProxy', () => {
  test('forwards both ways, and the end', async () => {
    await using proxy = await start();
    const { socket, received, log } = await client(proxy);
    socket.write('hello');
    await expect.poll(received).toBe('hello');
    socket.end();
    await expect.poll(() => log).toContain('close');
    await expect.poll(() => proxy.connections).toBe(0);
  });

  test('a rate spreads the bytes over time, a delay puts them off', async () => {
    await using proxy = await start({ bytesPerSecond: 2_000, delayMs: 30 });
    const { socket, received } = await client(proxy);
    const startedAt = performance.now();
    socket.write('x'.repeat(400));
    await expect.poll(() => received().length).toBe(400);
    // 400 bytes at 2,000 a second take 200 ms, and each way is late by 30 ms; both are lower bounds.
    expect(performance.now() - startedAt).toBeGreaterThan(200);
  });

  test('a cut ends, a reset resets', async () => {
    await using proxy = await start();
    const first = await client(proxy);
    const second = await client(proxy);
    await expect.poll(() => proxy.connections).toBe(2);
    proxy.cut();
    await expect.poll(() => first.log).toEqual(['end', 'close']);
    await expect.poll(() => second.log).toEqual(['end', 'close']);
    const third = await client(proxy);
    await expect.poll(() => proxy.connections).toBe(1);
    proxy.reset();
    await expect.poll(() => third.log).toEqual(['ECONNRESET', 'close']);
  });

  test('half-open: nothing comes, nothing ends, and the next connection works', async () => {
    await using proxy = await start();
    const stuck = await client(proxy);
    stuck.socket.write('a');
    await expect.poll(stuck.received).toBe('a');
    proxy.halfOpen();
    stuck.socket.write('b');
    const next = await client(proxy);
    next.socket.write('c');
    await expect.poll(next.received).toBe('c');
    expect(stuck.received()).toBe('a');
    expect(stuck.log).toEqual([]);
    expect(proxy.accepted).toBe(2);
    // More than a system holds for a connection that nobody reads.
    for (let count = 0; count < 300; count++) stuck.socket.write(Buffer.alloc(64 * 1024));
    await expect.poll(() => next.socket.writableLength).toBe(0);
    expect(stuck.socket.writableLength).toBeGreaterThan(0);
  });

  test('a black hole takes connections and carries nothing', async () => {
    await using proxy = await start();
    proxy.blackHole = true;
    const lost = await client(proxy);
    lost.socket.write('a');
    await expect.poll(() => proxy.accepted).toBe(1);
    proxy.blackHole = false;
    const next = await client(proxy);
    next.socket.write('b');
    await expect.poll(next.received).toBe('b');
    expect(lost.received()).toBe('');
  });
});
