import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { dialIn, SIMULATED_IMEI } from '../support/simulated-device.ts';
import { startBridge } from '../support/test-bridge.ts';

const QUICK =
  'defaults: { heartbeat: { interval: 10s, missed: 3 }, reconnect: { initial: 100ms, max: 500ms } }';
const ONLINE = 'online, link connected';
const LISTENERS = `
${QUICK}
devices:
  - { id: tracker, match: { imei: "${SIMULATED_IMEI}" } }
listeners:
  - { link: "tcp-listen:127.0.0.1:0" }
`;

let redis: RedisServer;
beforeEach(async () => {
  redis = await RedisServer.start();
});
afterEach(() => redis[Symbol.asyncDispose]());

const start = (instance: string, yaml = '', lease = '5s') =>
  startBridge(`backplane: { url: "${redis.url}", instance: ${instance}, lease: ${lease} }\n${yaml}`);

describe.runIf(hasRedis)('several instances, one feed', () => {
  it('show a device of one of them at a gateway, which carries out its commands there', async () => {
    await using north = await start('north', LISTENERS);
    await using gateway = await start('gateway');
    await using watcher = await DeviceWatcher.connect(gateway.url, ['devices/tracker/#', 'bridge/+/status']);
    await using _device = await dialIn(north.devicePort);
    await watcher.sees('tracker', ONLINE);
    watcher.send({ type: 'command', id: 'c1', device: 'tracker', message: 'datetime', fields: {} });
    const answer = await watcher.reply('c1');
    const local = await DeviceWatcher.connect(north.url, ['devices/tracker/#']);
    local.send({ type: 'command', id: 'c1', device: 'tracker', message: 'datetime', fields: {} });
    expect(answer.type).toBe((await local.reply('c1')).type);
    await local[Symbol.asyncDispose]();
    const { devices } = (await (await fetch(`${gateway.url}/api/devices`)).json()) as { devices: object[] };
    expect(devices).toMatchObject([{ device: 'tracker', status: 'online' }]);
    // A status is published once a second, and then stays so.
    const counted = (instance: string) => watcher.document(`bridge/${instance}/status`)?.devices;
    await expect.poll(() => counted('north')).toEqual({ online: 1 });
    await expect.poll(() => counted('gateway')).toEqual({});
  });

  it('read no more shards than their subscribers ask for', async () => {
    await using north = await start('north', LISTENERS);
    await using gateway = await start('gateway');
    await using _device = await dialIn(north.devicePort);
    await using watcher = await DeviceWatcher.connect(gateway.url, ['devices/tracker/state']);
    await watcher.sees('tracker', ONLINE);
    // Its status may be a second old: it never says more than what was read.
    const { shards = 0 } = (gateway.bridge.store.document('bridge/status')?.backplane ?? {}) as {
      shards?: number;
    };
    expect(shards).toBeLessThanOrEqual(1);
    await using everything = await DeviceWatcher.connect(gateway.url, ['#']);
    await everything.sees('tracker', ONLINE);
    const seen = () => (everything.document('bridge/status')?.backplane as { shards?: number })?.shards;
    await expect.poll(seen).toBe(64);
  });

  it('hand a device over to the instance at which it arrives', async () => {
    await using north = await start('north', LISTENERS);
    await using south = await start('south', LISTENERS);
    await using gateway = await start('gateway');
    await using watcher = await DeviceWatcher.connect(gateway.url, [
      'devices/tracker/state',
      'bridge/+/status',
    ]);
    {
      await using _device = await dialIn(north.devicePort);
      await watcher.sees('tracker', ONLINE);
    }
    watcher.forget();
    await using _again = await dialIn(south.devicePort);
    await watcher.sees('tracker', ONLINE);
    await expect.poll(() => watcher.document('bridge/south/status')?.devices).toEqual({ online: 1 });
  });

  it('show a device of an instance that is gone as stale, and as online once it is back', async () => {
    const north = await start('north', LISTENERS);
    await using gateway = await start('gateway');
    await using watcher = await DeviceWatcher.connect(gateway.url, ['devices/tracker/state']);
    await using device = await dialIn(north.devicePort);
    await watcher.sees('tracker', ONLINE);
    watcher.forget();
    await north[Symbol.asyncDispose]();
    await device[Symbol.asyncDispose]();
    // What it said last may have been that it was online, or that it stops.
    const doubted = () => watcher.steps('tracker').some((step) => step.includes('(owner_lost)'));
    await expect.poll(doubted).toBe(true);
    await using again = await start('north', LISTENERS);
    await using _back = await dialIn(again.devicePort);
    await watcher.sees('tracker', ONLINE);
  });

  it('go on without the server: foreign devices are stale, own ones stay, and all of it heals', async () => {
    await using north = await start('north', LISTENERS);
    await using gateway = await start('gateway');
    await using _device = await dialIn(north.devicePort);
    await using far = await DeviceWatcher.connect(gateway.url, ['devices/tracker/state']);
    await using near = await DeviceWatcher.connect(north.url, ['devices/tracker/state']);
    await far.sees('tracker', ONLINE);
    await near.sees('tracker', ONLINE);
    near.forget();
    for (const how of ['stopped', 'killed'] as const) {
      far.forget();
      if (how === 'stopped') redis.signal('SIGSTOP');
      else await redis.kill();
      await far.sees('tracker', 'stale (backplane_lost), link connected (backplane_lost)');
      expect(near.steps('tracker').filter((step) => step !== ONLINE)).toEqual([]);
      far.forget();
      if (how === 'stopped') redis.signal('SIGCONT');
      else await redis.run();
      await far.sees('tracker', ONLINE);
    }
    expect(near.steps('tracker').filter((step) => step !== ONLINE)).toEqual([]);
  });

  it('do not say of a device that it is unknown while the server never answered', async () => {
    await redis.kill();
    await using north = await start('north', LISTENERS);
    await using watcher = await DeviceWatcher.connect(north.url);
    const asked = async (device: string) => {
      watcher.send({ type: 'command', id: device, device, message: 'datetime', fields: {} });
      const { code, retry } = (await watcher.reply(device)).payload as { code?: string; retry?: boolean };
      return [code, retry];
    };
    // The one is in the file of this instance; of the other one another instance may know.
    expect(await asked('tracker')).toEqual(['device_not_online', true]);
    expect(await asked('elsewhere')).toEqual(['backplane_lost', true]);
  });
});
