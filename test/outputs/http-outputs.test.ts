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
