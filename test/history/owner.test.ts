import { createHash } from 'node:crypto';
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

const METER = (at: number) =>
  `devices:
  - { id: meter, link: "tcp:127.0.0.1:${at}", session: none, messages: lines.yaml, reconnect: { initial: 100ms, max: 500ms } }
`;
const GUEST = 'guest-secret-of-this-test';

const start = (instance: string, yaml = METER(port)) =>
  startBridge(
    `backplane: { url: "${redis.url}", instance: ${instance}, lease: 15s }\n${yaml}`,
    undefined,
    undefined,
    new Map([['lines.yaml', loadMessages(MESSAGES, 'lines.yaml')]]),
    { dir: join(folder, `${instance}-incidents`), afterMs: 500 },
    yaml === '' || yaml.startsWith('access') ? undefined : join(folder, `${instance}.db`),
  );

interface Body extends HistoryBody {
  readonly status: number;
  readonly unreached?: readonly string[];
}

async function get({ url }: TestBridge, path: string, token?: string): Promise<Body> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/api/history/${path}`, { headers });
  return { ...((await response.json()) as HistoryBody), status: response.status };
}

const statuses = async (bridge: TestBridge) =>
  (await get(bridge, 'events?device=meter&kind=status')).events?.map(({ status }) => status);
const VALUES = 'values?device=meter&field=line.volts';
const voltsIn = async (bridge: TestBridge) =>
  ((await get(bridge, VALUES)).points as ReadonlyArray<readonly number[]> | undefined)?.map(([, , , v]) => v);

describe.runIf(hasRedis)('the history of one of several instances', { timeout: 90_000 }, () => {
  it('stays with its owner, is asked at any instance, and goes on at the next owner', async () => {
    const north = await start('north');
    await expect.poll(() => device.connected, PATIENCE).toBe(true);
    await using south = await start('south');
    await using gateway = await start('gateway', '');
    await using watcher = await DeviceWatcher.connect(gateway.url, ['devices/meter/#']);
    await watcher.sees('meter', 'unknown, link connected');
    device.say('31,idle');
    await watcher.sees('meter', 'online, link connected');
    for (const bridge of [north, south, gateway]) {
      await expect.poll(() => voltsIn(bridge), PATIENCE).toEqual([31]);
      expect(await statuses(bridge)).toContain('online');
      expect(await get(bridge, 'devices')).toMatchObject({ devices: [{ device: 'meter' }] });
      const { events } = await get(bridge, 'events?device=meter&kind=alarm');
      expect(events).toMatchObject([{ kind: 'alarm', instance: 'north' }]);
      expect(await get(bridge, 'values?device=meter&field=none')).toMatchObject({
        status: 404,
        code: 'field_unknown',
      });
      expect(await get(bridge, `${VALUES}&from=soon`)).toMatchObject({ status: 400, code: 'bad_request' });
    }
    await north[Symbol.asyncDispose]();
    await expect.poll(() => south.bridge.directory.get('meter')?.started, PATIENCE).toBe(true);
    await expect.poll(() => device.connected, PATIENCE).toBe(true);
    device.say('2,idle');
    // What north knows is missing, and said to be; south has kept nothing of what was before.
    await expect.poll(() => voltsIn(gateway), PATIENCE).toEqual([2]);
    expect(await get(gateway, VALUES)).toMatchObject({ status: 200, unreached: ['north'] });
    await using again = await start('north');
    await expect.poll(() => voltsIn(gateway), PATIENCE).toEqual([31, 2]);
    await expect.poll(() => voltsIn(again), PATIENCE).toEqual([31, 2]);
    const { gaps, unreached } = await get(again, VALUES);
    expect(unreached).toBeUndefined();
    const times = (await get(again, VALUES)).points?.map(([t]) => t) ?? [];
    // It was on its way from one to the other once, whatever the reasons, and at no other time.
    const way = gaps?.filter(([begin, end]) => begin >= (times[0] ?? 0) && end <= (times[1] ?? 0)) ?? [];
    expect(way.length).toBeGreaterThan(0);
    for (const [index, [begin]] of way.slice(1).entries()) expect(begin).toBe(way[index]?.[1]);
    expect(gaps?.filter(([begin]) => begin >= (times[1] ?? 0))).toEqual([]);
  });

  it('is asked with the rights of the token, where it is asked', async () => {
    await using north = await start('north');
    const hash = createHash('sha256').update(GUEST).digest('hex');
    const tokens = `access: { tokens: [{ name: guest, hash: "sha256:${hash}", roles: [read], topics: ["devices/other/#"] }] }`;
    await using gateway = await start('gateway', tokens);
    await using _watcher = await DeviceWatcher.connect(north.url, ['devices/meter/#']);
    await expect.poll(() => device.connected, PATIENCE).toBe(true);
    device.say('31,idle');
    await expect.poll(() => voltsIn(north), PATIENCE).toEqual([31]);
    const absent = await get(gateway, VALUES.replace('meter', 'none'), GUEST);
    const hidden = await get(gateway, VALUES, GUEST);
    expect(hidden).toEqual({ ...absent, message: absent.message?.replace('none', 'meter') });
    expect(hidden.status).toBe(404);
    // North answers, and leaves out what the token may not see.
    await expect
      .poll(() => get(gateway, 'devices', GUEST), PATIENCE)
      .toMatchObject({ status: 200, devices: [] });
    expect((await get(gateway, 'events', GUEST)).events).toEqual([]);
  });

  it('is an error with its code where no instance that answers has it', async () => {
    const north = await start('north');
    await using gateway = await start('gateway', '');
    await using watcher = await DeviceWatcher.connect(gateway.url, ['devices/meter/#']);
    await expect.poll(() => device.connected, PATIENCE).toBe(true);
    device.say('31,idle');
    await watcher.sees('meter', 'online, link connected');
    await expect.poll(() => voltsIn(gateway), PATIENCE).toEqual([31]);
    await redis.kill();
    await watcher.sees('meter', 'stale (backplane_lost), link connected (backplane_lost)');
    const lost = await get(gateway, VALUES);
    expect(lost).toMatchObject({ status: 503, code: 'backplane_lost' });
    const { since } = watcher.document('devices/meter/state') ?? {};
    expect(lost.message).toContain(`nothing is known of it since ${new Date(Number(since)).toISOString()}`);
    // The owner goes on.
    expect(await voltsIn(north)).toEqual([31]);
    await redis.run();
    await expect.poll(() => voltsIn(gateway), PATIENCE).toEqual([31]);
    watcher.forget();
    await north[Symbol.asyncDispose]();
    await expect
      .poll(() => get(gateway, VALUES), PATIENCE)
      .toMatchObject({ status: 503, code: 'owner_lost' });
  });

  it('includes incidents: their list, their traces, and who may see them', async () => {
    await using north = await start('north');
    await using gateway = await start('gateway', '');
    await using watcher = await DeviceWatcher.connect(gateway.url, ['devices/meter/#', 'bridge/+/incidents']);
    await expect.poll(() => device.connected, PATIENCE).toBe(true);
    for (let volts = 1; volts < 5; volts++) device.say(`${volts},idle`);
    await watcher.sees('meter', 'online, link connected');
    watcher.send({ type: 'command', id: 'n', device: 'meter', message: 'note', fields: { text: 'smoke' } });
    expect((await watcher.reply('n')).type).toBe('response');
    const listed = async ({ url }: TestBridge) =>
      (await (await fetch(`${url}/api/incidents`)).json()) as {
        incidents: { id: string; instance: string; detail: string }[];
      };
    await expect.poll(async () => (await listed(gateway)).incidents.length, PATIENCE).toBe(1);
    const [incident] = (await listed(gateway)).incidents;
    expect(incident).toMatchObject({ instance: 'north', detail: 'smoke' });
    expect(await listed(north)).toEqual(await listed(gateway));
    const shown = () => Object.keys(watcher.document('bridge/north/incidents')?.incidents ?? {});
    await expect.poll(shown, PATIENCE).toEqual([incident?.id]);
    const textAt = async ({ url }: TestBridge, suffix: string) =>
      (await fetch(`${url}/api/incidents/${incident?.id}${suffix}`)).text();
    const trace = await textAt(gateway, '.trace');
    expect(trace).toContain('smoke');
    expect(trace).toBe(await textAt(north, '.trace'));
    expect(JSON.parse(await textAt(gateway, ''))).toEqual(incident);
    expect((await fetch(`${gateway.url}/api/incidents/none.1.trace`)).status).toBe(404);
    await redis.kill();
    expect((await fetch(`${gateway.url}/api/incidents/${incident?.id}.trace`)).status).toBe(503);
  });
});
