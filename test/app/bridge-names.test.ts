import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NameResolver } from '../../src/links/names/name-resolver.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { DnsServer } from '../support/dns-server.ts';
import { leftBehind, resources } from '../support/resources.ts';
import { startBridge } from '../support/test-bridge.ts';

const LOST = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
const REGISTERED = encodeFrame({ name: 'register', kind: 'reply', error: 0 });

let dns: DnsServer;
let device: Server;
const sockets: Socket[] = [];

beforeEach(async () => {
  dns = await DnsServer.start();
  // A device that lets anything register and says nothing more.
  device = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(REGISTERED));
  });
  await new Promise<void>((resolve) => device.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const each of sockets.splice(0)) each.destroy();
  device.close();
  await dns[Symbol.asyncDispose]();
});

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
};

describe('a bridge with names that no server answers for', () => {
  test('brings the named device that is there online, says what is wrong with the others, and stops at once', async () => {
    for (const name of LOST) dns.set(`${name}.example`, { does: 'drop' });
    dns.set('meter.example', { does: 'answer', addresses: ['127.0.0.1'] });
    const names = new NameResolver({
      servers: [dns.address],
      hostsFile: '/none',
      resolvConf: '/none',
      systemMayKnow: () => false,
      limitMs: 400,
    });
    const register = 'register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" }';
    const lost = LOST.map((name) => `  - { id: ${name}, link: "tcp:${name}.example:9089", ${register} }\n`);
    const before = resources();
    const { bridge } = await startBridge(
      // The time to connect is shorter than a look-up takes.
      `defaults: { connect_timeout: 200ms }\ndevices:\n${lost.join('')}  - { id: meter, link: "tcp:meter.example:${portOf(device)}", ${register} }\n`,
      '{ port: 0 }',
      names,
    );
    const state = (id: string) => bridge.directory.get(id)?.reading.state;
    await expect.poll(() => state('meter')?.status).toBe('online');
    for (const name of LOST) {
      await expect.poll(() => state(name)?.link.reason, { timeout: 5_000 }).toBe('name_not_resolved');
      expect(state(name)?.link.detail).toContain(`${name}.example`);
    }
    expect(state('meter')?.link.status).toBe('connected');
    await expect.poll(() => names.running, { timeout: 5_000 }).toBeGreaterThan(0);
    await bridge[Symbol.asyncDispose]();
    expect(names.running).toBe(0);
    for (const each of sockets) each.destroy();
    await expect.poll(() => leftBehind(before)).toEqual([]);
  });
});
