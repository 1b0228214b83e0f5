import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Bridge } from '../../../src/app/bridge.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { leftBehind, resources } from '../../support/resources.ts';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const load = (port: number, interval: string) =>
  loadConfig(
    `server: { port: 0 }\ndevices:\n  - { id: a, link: "tcp:127.0.0.1:${port}", heartbeat: { interval: ${interval} }, register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" } }\n`,
    'test.yaml',
  );

/** A device that takes every link and neither reads, answers nor closes it. */
async function deafDevice() {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.pause();
    socket.on('error', () => undefined);
    sockets.push(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    sockets,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function started(port: number): Promise<Bridge> {
  const { config } = load(port, '3s');
  if (config === undefined) throw new Error('the configuration is wrong');
  const bridge = new Bridge({ config, clock: systemClock, log: SILENT, version: 'test' });
  await bridge.start();
  return bridge;
}

describe('a bridge that ends', () => {
  it('in the middle of a reload starts nothing any more, and leaves nothing behind', async () => {
    const before = resources();
    {
      await using device = await deafDevice();
      const bridge = await started(device.port);
      await expect.poll(() => device.sockets.length).toBe(1);
      // It waits for the link, which the device does not close.
      const reloading = bridge.apply(load(device.port, '4s'));
      const ended = bridge[Symbol.asyncDispose]();
      await Promise.all([reloading, ended]);
      await bridge.apply(load(device.port, '5s'));
      expect(device.sockets).toHaveLength(1);
    }
    expect(await leftBehind(before)).toEqual([]);
  });

  it('waits for a link that its device does not close, before the device is dialled again', async () => {
    await using device = await deafDevice();
    await using bridge = await started(device.port);
    await expect.poll(() => device.sockets.length).toBe(1);
    await bridge.apply(load(device.port, '4s'));
    await expect.poll(() => device.sockets.length).toBe(2);
    expect(bridge.directory.get('a')?.settings.heartbeat.intervalMs).toBe(4_000);
  });
});
