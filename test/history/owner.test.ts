import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { type HistoryBody, LineDevice, MESSAGES } from '../support/history-world.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const PATIENCE = { timeout: 30_000 };

let redis: RedisServer;
let folder: string;
let device: LineDevice;
let port: number;
beforeEach(async () => {
  redis = await RedisServer.start();
  folder = await mkdtemp(join(tmpdir(), 'heartwire-history-owner-'));
  device = new LineDevice();
  port = await device.listen();
});
afterEach(async () => {
  await device[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const start = (instance: string) =>
  startBridge(
    `backplane: { url: "${redis.url}", instance: ${instance}, lease: 15s }
devices:
  - { id: meter, link: "tcp:127.0.0.1:${port}", session: none, messages: lines.yaml, reconnect: { initial: 100ms, max: 500ms } }
`,
    undefined,
    undefined,
    new Map([['lines.yaml', loadMessages(MESSAGES, 'lines.yaml')]]),
    undefined,
    join(folder, `${instance}.db`),
  );

async function get({ url }: TestBridge, path: string): Promise<HistoryBody & { readonly status: number }> {
  const response = await fetch(`${url}/api/history/${path}`);
  return { ...((await response.json()) as HistoryBody), status: response.status };
}

const statuses = async (bridge: TestBridge) =>
  (await get(bridge, 'events?device=meter&kind=status')).events?.map(({ status }) => status);

describe.runIf(hasRedis)('the history of one of several instances', { timeout: 90_000 }, () => {
  it('has what its own devices said, and nothing of those of the others that it shows', async () => {
    const north = await start('north');
    await expect.poll(() => device.connected, PATIENCE).toBe(true);
    await using south = await start('south');
    await using watcher = await DeviceWatcher.connect(south.url, ['devices/meter/#']);
    await watcher.sees('meter', 'unknown, link connected');
    let alarms = 0;
    south.bridge.store.listen((change) => {
      if (change.kind === 'event' && change.topic === 'devices/meter/alarms') alarms++;
    });
    device.say('31,idle');
    await watcher.sees('meter', 'online, link connected');
    await expect.poll(() => statuses(north), PATIENCE).toContain('online');
    // South shows the alarm, and does not keep it.
    await expect.poll(() => alarms, PATIENCE).toBe(1);
    const values = 'values?device=meter&field=line.volts';
    expect((await get(north, values)).points).toHaveLength(1);
    expect(await get(south, values)).toMatchObject({ status: 404, code: 'field_unknown' });
    expect(await get(south, 'devices')).toMatchObject({ devices: [] });
    expect((await get(south, 'events?device=meter')).events).toEqual([]);
    await north[Symbol.asyncDispose]();
    await expect.poll(() => south.bridge.directory.get('meter')?.started, PATIENCE).toBe(true);
    await expect.poll(() => device.connected, PATIENCE).toBe(true);
    device.say('2,idle');
    await expect.poll(() => statuses(south), PATIENCE).toContain('online');
    expect((await get(south, values)).points).toMatchObject([[expect.anything(), 2, 2, 2]]);
  });
});
