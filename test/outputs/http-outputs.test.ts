import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { JsonObject } from '../../src/contract/wire/index.ts';
import { Endpoint } from '../support/endpoint.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const LISTEN = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]';
const link = (status: string, reason?: string) => ({
  status,
  transport: 'tcp',
  since: 1,
  attempt: 0,
  ...(reason === undefined ? {} : { reason }),
});

let folder: string;
let endpoint: Endpoint;
let bridge: TestBridge | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-outputs-'));
  endpoint = await Endpoint.start();
});
afterEach(async () => {
  await bridge?.[Symbol.asyncDispose]();
  bridge = undefined;
  await endpoint[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const begin = async (outputs: string): Promise<TestBridge> => {
  bridge = await startBridge(`${LISTEN}\noutputs:\n${outputs}`);
  return bridge;
};
const state = (device: string, more: JsonObject = {}): void =>
  bridge?.bridge.store.publishState(`devices/${device}/state`, {
    device,
    status: 'online',
    since: 5,
    link: link('connected'),
    ...more,
  });
const shown = (): JsonObject | undefined => {
  const outputs = bridge?.bridge.store.document('bridge/status')?.outputs;
  return Array.isArray(outputs) ? (outputs[0] as JsonObject) : undefined;
};
/** The counts as `bridge/status` shows them within a second or so. */
const counts = () => {
  const { sent, lost, waiting } = shown() ?? {};
  return { sent, lost, waiting };
};
const lines = (): string[] => endpoint.taken.flatMap(({ body }) => body.trim().split('\n'));

describe('a database of values', () => {
  const influx = (more = '') =>
    `  - influx: { url: "${endpoint.url}", bucket: bench, org: lab, batch: 20ms, token_file: ${join(folder, 'token')} ${more} }`;

  beforeEach(() => writeFile(join(folder, 'token'), 'secret\n'));

  it('gets each measurement with its time, and each change of status, with the token', async () => {
    await begin(influx());
    // As the bridge does it: a group that says nothing new is the same object.
    const u = { y: true };
    state('a', { values: { t: { x: 1 }, u } });
    state('a', { values: { t: { x: 2 }, u } });
    state('a', { status: 'offline', reason: 'heartbeat_missed', link: link('connected') });
    await expect.poll(() => lines().length).toBe(3);
    expect(lines().map((line) => line.replace(/ \d+$/, ' T'))).toEqual([
      'heartwire_status,device=a online=true,status="online",link="connected",reason="" T',
      't,device=a x=2 T',
      'heartwire_status,device=a online=false,status="offline",link="connected",reason="heartbeat_missed" T',
    ]);
    const [{ path, headers } = { path: '', headers: {} }] = endpoint.taken;
    expect(path).toBe('/api/v2/write?bucket=bench&org=lab&precision=ns');
    expect(headers.authorization).toBe('Token secret');
    const times = lines().map((line) => BigInt(line.split(' ').at(-1) ?? ''));
    expect(times).toEqual([...new Set(times)].sort((a, b) => (a < b ? -1 : 1)));
  });

  it.each([
    ['answers with 500', () => endpoint.behave({ status: 500 })],
    ['asks to wait', () => endpoint.behave({ status: 429, headers: { 'Retry-After': '1' } })],
    ['does not take the token', () => endpoint.behave({ status: 401, body: 'no' })],
    ['is not there', () => endpoint.stop()],
  ])('that %s gets all of it later, once and in order', { timeout: 60_000 }, async (_, harm) => {
    await begin(influx());
    const port = Number(new URL(endpoint.url).port);
    state('a', { values: { t: { x: 0 } } });
    await expect.poll(() => lines().length).toBe(1);
    await harm();
    for (let x = 1; x <= 50; x++) state('a', { values: { t: { x } } });
    await expect.poll(() => shown()?.status, { timeout: 20_000 }).toBe('backoff');
    expect(shown()).toMatchObject({ kind: 'influx', url: endpoint.url, retry_at: expect.any(Number) });
    endpoint.behaviour = { status: 204 };
    if (_ === 'is not there') await endpoint.listen(port);
    await expect.poll(() => lines().length, { timeout: 30_000 }).toBe(51);
    expect(
      lines()
        .slice(1)
        .map((line) => Number(/x=(\d+)/.exec(line)?.[1])),
    ).toEqual(Array.from({ length: 50 }, (__, index) => index + 1));
    await expect.poll(counts, { timeout: 10_000 }).toEqual({ sent: 51, lost: 0, waiting: 0 });
  });

  it('that refuses what is sent loses that alone, and it is counted', async () => {
    await begin(influx());
    endpoint.behaviour = { status: 400, body: 'bad line' };
    state('a');
    await expect.poll(() => shown()?.status, { timeout: 10_000 }).toBe('failed');
    expect(shown()).toMatchObject({ reason: 'output_refused', detail: 'HTTP status 400: bad line' });
    endpoint.behaviour = { status: 204 };
    state('b');
    await expect.poll(counts, { timeout: 10_000 }).toEqual({ sent: 1, lost: 1, waiting: 0 });
    expect(shown()?.status).toBe('ready');
  });

  it('that hangs holds up nothing: what is too much is lost, counted, and the feed goes on', {
    timeout: 60_000,
  }, async () => {
    await begin(influx(', buffer_mb: 1'));
    endpoint.behaviour = 'hang';
    const total = 20_000;
    for (let x = 1; x <= total; x++) {
      state('a', { values: { t: { x, text: 'x'.repeat(100) } } });
      if (x % 1_000 === 0) await new Promise(setImmediate);
    }
    await expect.poll(() => Number(shown()?.lost), { timeout: 10_000 }).toBeGreaterThan(1_000);
    expect((await fetch(`${bridge?.url}/api/devices`)).status).toBe(200);
    // The first state is a status and no measurement.
    await expect
      .poll(() => Object.values(counts()).reduce<number>((sum, each) => sum + Number(each), 0), {
        timeout: 10_000,
      })
      .toBe(total);
  });

  it('whose token cannot be read says so by name', async () => {
    await rm(join(folder, 'token'));
    await begin(influx());
    expect(shown()).toMatchObject({ status: 'failed', reason: 'output_secret_unreadable' });
    expect(String(shown()?.detail)).toContain(join(folder, 'token'));
  });

  it('gets nothing of a device whose state is encrypted, and nothing that is replayed', async () => {
    await begin(influx());
    state('a', { replay: true });
    state('b');
    await expect.poll(lines).toHaveLength(1);
    expect(lines()[0]).toContain('device=b');
  });
});

describe('a webhook', () => {
  const hook = (more = '') => `  - webhook: { url: "${endpoint.url}/hook", for: 0s ${more} }`;
  const offline = (device = 'a') =>
    state(device, {
      status: 'offline',
      reason: 'heartbeat_missed',
      link: link('backoff', 'connect_refused'),
    });

  it('is told once of a device that goes and comes back, signed, in one language', async () => {
    await writeFile(join(folder, 'key'), 'k');
    await begin(hook(`, secret_file: ${join(folder, 'key')}, language: zh`));
    state('a', { label: '电源' });
    state('a', { label: '电源', status: 'offline', reason: 'heartbeat_missed', link: link('connected') });
    await expect.poll(() => endpoint.taken.length).toBe(1);
    state('a', { label: '电源' });
    await expect.poll(() => endpoint.taken.length).toBe(2);
    const [first, second] = endpoint.taken.map(({ body }) => JSON.parse(body));
    expect(first).toMatchObject({ event: 'offline', device: 'a', label: '电源', reason: 'heartbeat_missed' });
    expect(first.text).toBe('电源 (a) 离线 (heartbeat_missed)');
    expect(second).toMatchObject({ event: 'online' });
    const [taken] = endpoint.taken;
    if (taken === undefined) throw new Error('nothing was taken');
    const { headers, body } = taken;
    const signed = createHmac('sha256', 'k').update(`${String(headers['x-heartwire-timestamp'])}.${body}`);
    expect(headers['x-heartwire-signature']).toBe(`sha256=${signed.digest('hex')}`);
    expect(headers['x-heartwire-delivery']).toBe(first.id);
  });

  it('gets a message again under the same id where it was not taken', { timeout: 30_000 }, async () => {
    await begin(hook());
    endpoint.behaviour = { status: 503 };
    state('a');
    offline();
    await expect.poll(() => endpoint.refused.length, { timeout: 10_000 }).toBeGreaterThan(0);
    endpoint.behaviour = { status: 200 };
    await expect.poll(() => endpoint.taken.length, { timeout: 20_000 }).toBe(1);
    const ids = [...endpoint.refused, ...endpoint.taken].map(({ body }) => JSON.parse(body).id);
    expect(new Set(ids).size).toBe(1);
  });

  it('is told of alarms and incidents where it wants them', async () => {
    await begin(hook(', on: [alarm, incident]'));
    const { store } = bridge?.bridge ?? {};
    state('a');
    offline();
    store?.publishEvent('devices/a/alarms', {
      at: 1,
      message: 't',
      field: 'x',
      level: 'alarm',
      previous: 'good',
      cleared: false,
      value: 61.5,
      unit: '°C',
      limit: 60,
      direction: 'above',
    });
    store?.publishState('bridge/incidents', {
      incidents: { i1: { id: 'i1', device: 'a', at: 1, reason: 'alarm', detail: 'x' } },
    });
    await expect
      .poll(() => endpoint.taken.map(({ body }) => JSON.parse(body).text))
      .toEqual(['a t.x = 61.5 °C: alarm alarm', 'a incident: alarm, x']);
  });

  it.each([
    ['slack', { text: 'a is offline (heartbeat_missed)' }],
    ['feishu', { msg_type: 'text', content: { text: 'a is offline (heartbeat_missed)' } }],
    ['dingtalk', { msgtype: 'text', text: { content: 'a is offline (heartbeat_missed)' } }],
    ['wecom', { msgtype: 'text', text: { content: 'a is offline (heartbeat_missed)' } }],
  ])('writes for %s', async (format, body) => {
    endpoint.behaviour = { status: 200, body: '{"code":0,"errcode":0}' };
    await begin(hook(`, format: ${format}`));
    state('a');
    offline();
    await expect.poll(() => endpoint.taken.map((each) => JSON.parse(each.body))).toEqual([body]);
  });

  it('of a chat that says no with status 200 is refused', async () => {
    endpoint.behaviour = { status: 200, body: '{"errcode":310000,"errmsg":"sign not match"}' };
    await begin(hook(', format: dingtalk'));
    state('a');
    offline();
    await expect.poll(shown, { timeout: 10_000 }).toMatchObject({
      status: 'failed',
      detail: 'It answered with code 310000: sign not match',
      lost: 1,
    });
  });

  it('writes plain text for ntfy', async () => {
    await begin(hook(', format: ntfy'));
    state('a');
    offline();
    await expect
      .poll(() => endpoint.taken.map(({ body, headers }) => [body, headers.priority]))
      .toEqual([['a is offline (heartbeat_missed)', 'high']]);
  });
});

describe('outputs', () => {
  it('that did not change go on through a reload; the others end and begin', async () => {
    const keep = `  - influx: { url: "${endpoint.url}", bucket: keep, batch: 0s }`;
    const before = await begin(`${keep}\n  - influx: { url: "${endpoint.url}", bucket: gone, batch: 0s }`);
    state('a');
    await expect
      .poll(() => endpoint.taken.map(({ path }) => /bucket=(\w+)/.exec(path)?.[1]).sort())
      .toEqual(['gone', 'keep']);
    const text = `server: { port: 0 }\n${LISTEN}\noutputs:\n${keep}\n  - influx: { url: "${endpoint.url}", bucket: new, batch: 0s }`;
    expect(await before.bridge.apply(loadConfig(text, 'test.yaml'))).toMatchObject({});
    endpoint.taken.length = 0;
    state('a', { status: 'offline', reason: 'heartbeat_missed' });
    await expect
      .poll(() => endpoint.taken.map(({ path }) => /bucket=(\w+)/.exec(path)?.[1]).sort())
      .toEqual(['keep', 'new', 'new']);
    await expect
      .poll(() => {
        const outputs = before.bridge.store.document('bridge/status')?.outputs;
        return Array.isArray(outputs) ? outputs.map((each) => (each as JsonObject).sent) : [];
      })
      .toEqual([2, 2]);
  });
});
