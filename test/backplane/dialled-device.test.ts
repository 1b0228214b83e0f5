import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { startBridge } from '../support/test-bridge.ts';

const QUICK = 'defaults: { reconnect: { initial: 100ms, max: 500ms } }';
const PATIENCE = { timeout: 30_000 };

let redis: RedisServer;
beforeEach(async () => {
  redis = await RedisServer.start();
});
afterEach(() => redis[Symbol.asyncDispose]());

const start = (instance: string, yaml: string) =>
  startBridge(`backplane: { url: "${redis.url}", instance: ${instance}, lease: 15s }\n${yaml}`);

describe.runIf(hasRedis)('several instances with a dialled device', () => {
  it('dial a device from one instance at a time, and from another one once its owner is gone', async () => {
    let open = 0;
    let most = 0;
    let dialled = 0;
    const device = createServer((socket) => {
      most = Math.max(most, ++open);
      dialled++;
      socket.on('error', () => undefined);
      socket.on('close', () => open--);
      socket.resume();
    }).listen(0, '127.0.0.1');
    await once(device, 'listening');
    const { port } = device.address() as AddressInfo;
    const yaml = `${QUICK}\ndevices:\n  - { id: rack, link: "tcp:127.0.0.1:${port}", session: none }\n`;
    try {
      const north = await start('north', yaml);
      await expect.poll(() => dialled, PATIENCE).toBe(1);
      await using south = await start('south', yaml);
      await using watcher = await DeviceWatcher.connect(south.url, ['devices/rack/state']);
      await watcher.sees('rack', 'unknown, link connected');
      expect([dialled, south.bridge.directory.get('rack')?.started]).toEqual([1, false]);
      await north[Symbol.asyncDispose]();
      await expect.poll(() => dialled, PATIENCE).toBe(2);
      expect(most).toBe(1);
    } finally {
      device.close();
    }
  });
});
