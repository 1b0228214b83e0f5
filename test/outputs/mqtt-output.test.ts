import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { readConfig, readNamedMessages } from '../../src/config/read.ts';
import type { JsonObject } from '../../src/contract/wire/index.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { lookupOf } from '../../src/links/names/name-resolver.ts';
import { Outputs } from '../../src/outputs/outputs.ts';
import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { discoveryProblems } from '../support/home-assistant.ts';
import { BrokerWatcher, hasMosquitto, Mosquitto } from '../support/mosquitto.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const LATE = { timeout: 30_000 };

let folder: string;
const open: AsyncDisposable[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-mqtt-'));
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

let url = '';

async function begin(yaml: string): Promise<Bridge> {
  await writeFile(join(folder, 'devices.yaml'), `server: { port: 0 }\n${yaml}`);
  const { config, problems } = await readConfig(join(folder, 'devices.yaml'), 'devices.yaml');
  expect(problems.map(formatProblem)).toEqual([]);
  if (config === undefined) throw new Error('no configuration');
  const bridge = new Bridge({ config, clock: systemClock, log: silent, version: '0.0.0-test' });
  open.push(bridge);
  ({ url } = await bridge.start());
  return bridge;
}

const LISTEN = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]';
const state = (bridge: Bridge, device: string, more: JsonObject = {}): void =>
  bridge.store.publishState(`devices/${device}/state`, {
    device,
    status: 'online',
    since: 5,
    link: { status: 'connected', transport: 'tcp', since: 1, attempt: 0 },
    ...more,
  });
const output = (bridge: Bridge): JsonObject | undefined => {
  const outputs = bridge.store.document('bridge/status')?.outputs;
  return Array.isArray(outputs) ? (outputs[0] as JsonObject) : undefined;
};

describe.runIf(hasMosquitto)('over a broker', { timeout: 90_000 }, () => {
  it('states are retained, the last one always comes, and a removed device is taken from it', async () => {
    await using broker = await Mosquitto.start();
    const bridge = await begin(
      `${LISTEN}\noutputs: [{ mqtt: { url: "${broker.url}", state_interval: 50ms } }]`,
    );
    for (let n = 0; n < 500; n++) state(bridge, 'a', { values: { t: { n } } });
    state(bridge, 'b');
    await using watcher = await BrokerWatcher.connect(broker.url);
    await expect
      .poll(() => watcher.json('heartwire/devices/a/state'), LATE)
      .toMatchObject({ values: { t: { n: 499 } } });
    expect(watcher.last.get('heartwire/bridge/state')).toBe('online');
    expect(watcher.last.get('heartwire/devices/a/availability')).toBe('online');
    state(bridge, 'b', { status: 'offline' });
    await expect.poll(() => watcher.last.get('heartwire/devices/b/availability'), LATE).toBe('offline');
    bridge.store.removeState('devices/b/state');
    await expect.poll(() => watcher.last.has('heartwire/devices/b/state'), LATE).toBe(false);
    // Not each of 500 changes of a moment was sent.
    expect(watcher.all.filter(({ topic }) => topic.endsWith('/a/state')).length).toBeLessThan(100);
    await bridge[Symbol.asyncDispose]();
    await expect.poll(() => watcher.last.get('heartwire/bridge/state'), LATE).toBe('offline');
  });

  it('all is there again after the broker was killed and forgot it, and counts add up', async () => {
    await using broker = await Mosquitto.start();
    const bridge = await begin(
      `${LISTEN}\noutputs: [{ mqtt: { url: "${broker.url}", state_interval: 0s } }]`,
    );
    for (let n = 0; n < 50; n++) state(bridge, `d${n}`);
    await expect.poll(() => output(bridge)?.waiting, LATE).toBe(0);
    await broker.kill();
    await expect.poll(() => output(bridge)?.status, LATE).toBe('backoff');
    state(bridge, 'd0', { status: 'offline', reason: 'heartbeat_missed' });
    await broker.begin();
    await using watcher = await BrokerWatcher.connect(broker.url);
    await expect
      .poll(() => watcher.json('heartwire/devices/d0/state'), LATE)
      .toMatchObject({ status: 'offline' });
    await expect
      .poll(() => [...watcher.last.keys()].filter((each) => each.endsWith('/state')).length, LATE)
      .toBe(51);
    await expect.poll(() => output(bridge), LATE).toMatchObject({ status: 'ready', lost: 0, waiting: 0 });
  });

  it('a broker that hangs holds up nothing', async () => {
    await using broker = await Mosquitto.start();
    const bridge = await begin(
      `${LISTEN}\noutputs: [{ mqtt: { url: "${broker.url}", state_interval: 0s } }]`,
    );
    state(bridge, 'a');
    await expect.poll(() => output(bridge)?.waiting, LATE).toBe(0);
    broker.freeze();
    for (let n = 0; n < 5_000; n++) state(bridge, 'a', { values: { t: { n } } });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await expect.poll(() => Number(output(bridge)?.waiting), LATE).toBeGreaterThan(0);
    expect(Number(output(bridge)?.waiting)).toBeLessThan(100);
    broker.thaw();
    await using watcher = await BrokerWatcher.connect(broker.url);
    await expect
      .poll(() => watcher.json('heartwire/devices/a/state'), LATE)
      .toMatchObject({ values: { t: { n: 4_999 } } });
  });

  it('a login that the broker refuses is said by name', async () => {
    await using broker = await Mosquitto.start('allow_anonymous false');
    const bridge = await begin(`${LISTEN}\noutputs: [{ mqtt: { url: "${broker.url}" } }]`);
    await expect
      .poll(() => output(bridge), LATE)
      .toMatchObject({ status: 'backoff', reason: 'output_refused' });
  });

  it('Home Assistant finds the supply, and a command moves it', async () => {
    await using broker = await Mosquitto.start();
    const { protocol } = await readNamedMessages('pack:scpi-supply', folder);
    if (protocol === undefined) throw new Error('no pack');
    const fleet = new SimulatedFleet(
      {
        address: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 },
        count: 1,
        seed: 1,
        declared: { protocol, addresses: [1], seed: 1, everyMs: 200 },
      },
      { clock: systemClock },
    );
    await fleet.start();
    open.push(fleet);
    await using watcher = await BrokerWatcher.connect(broker.url);
    await begin(`devices:
  - { id: supply, link: "tcp:${fleet.devices[0]?.listeningAt}", session: none, messages: "pack:scpi-supply" }
outputs: [{ mqtt: { url: "${broker.url}", home_assistant: true, commands: true, state_interval: 0s } }]`);
    const announced = 'homeassistant/device/heartwire_supply/config';
    await expect.poll(() => watcher.last.has(announced), LATE).toBe(true);
    const payload = watcher.json(announced) as { cmps: Record<string, JsonObject> };
    expect(discoveryProblems(announced, payload)).toEqual([]);
    const control = payload.cmps.command_set_voltage;
    expect(control).toMatchObject({ p: 'number', unit_of_measurement: 'V' });
    await expect.poll(() => watcher.last.get('heartwire/devices/supply/availability'), LATE).toBe('online');

    const set = (payload: string, options = {}) =>
      watcher.client.publishAsync('heartwire/devices/supply/commands/set_voltage', payload, {
        qos: 1,
        ...options,
      });
    await set('{"volts": 12.5}');
    const result = 'heartwire/devices/supply/results/set_voltage';
    await expect.poll(() => watcher.json(result), LATE).toMatchObject({ ok: true });
    await expect
      .poll(() => watcher.json('heartwire/devices/supply/state'), LATE)
      .toMatchObject({ values: { voltage: { volts: 12.5 } } });
    // As people type it.
    await set('7.25');
    await expect
      .poll(() => watcher.json('heartwire/devices/supply/state'), LATE)
      .toMatchObject({ values: { voltage: { volts: 7.25 } } });
    await set('{"volts": 99999}');
    await expect
      .poll(() => watcher.json(result), LATE)
      .toMatchObject({ ok: false, code: expect.any(String) });
  });

  it('a command that the broker kept is not carried out', async () => {
    await using broker = await Mosquitto.start();
    await using watcher = await BrokerWatcher.connect(broker.url);
    const topic = 'heartwire/devices/a/commands/datetime';
    await watcher.client.publishAsync(topic, '{}', { qos: 1, retain: true });
    await begin(`${LISTEN}\noutputs: [{ mqtt: { url: "${broker.url}", commands: true } }]`);
    await expect.poll(() => watcher.last.get('heartwire/bridge/state'), LATE).toBe('online');
    // What is published after the subscription is answered; what was kept before it would have been answered first.
    await expect
      .poll(async () => {
        await watcher.client.publishAsync(topic, '{}', { qos: 1 });
        return watcher.all.filter((each) => each.topic.startsWith('heartwire/devices/a/results/')).length;
      }, LATE)
      .toBeGreaterThan(0);
    const answers = watcher.all.filter(({ topic: each }) => each.startsWith('heartwire/devices/a/results/'));
    const asked = watcher.all.filter(({ topic: each, retain }) => each === topic && !retain);
    expect(answers.length).toBeLessThanOrEqual(asked.length);
    expect(JSON.parse(answers[0]?.text ?? '')).toMatchObject({ ok: false, code: 'device_unknown' });
  });

  it('a device that is to be secret from now on is taken from the broker', async () => {
    await using broker = await Mosquitto.start();
    const store = new FeedStore({ epoch: 'e', notify: 'followed' });
    let secret = false;
    const outputs = new Outputs({
      store,
      clock: systemClock,
      log: silent,
      version: '0',
      random: () => 0,
      lookup: lookupOf(),
      conceals: () => secret,
      command: () => Promise.reject(new Error('no commands here')),
      changed: () => undefined,
    });
    open.push({ [Symbol.asyncDispose]: () => outputs.close() });
    const plain = { device: 'a', status: 'online', since: 1, values: { t: { n: 1 } } };
    store.publishState('devices/a/state', plain);
    const { config } = loadConfig(
      `${LISTEN}\noutputs: [{ mqtt: { url: "${broker.url}", home_assistant: true, state_interval: 0s } }]`,
      'devices.yaml',
    );
    await outputs.apply(config?.outputs);
    await using watcher = await BrokerWatcher.connect(broker.url);
    const of = () =>
      [...watcher.last.keys()].filter((topic) => topic.includes('a/') && !topic.includes('bridge'));
    await expect.poll(() => of().length, LATE).toBe(3);
    secret = true;
    store.publishState('devices/a/state', { $jwe: 'x' });
    await expect.poll(of, LATE).toEqual([]);
  });
});

it('a broker whose authority cannot be read is said by name, and the bridge starts', async () => {
  await writeFile(
    join(folder, 'ca.pem'),
    '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n',
  );
  const bridge = await begin(
    `${LISTEN}\noutputs: [{ mqtt: { url: "mqtts://127.0.0.1:1", ca_file: ca.pem } }]`,
  );
  await expect
    .poll(() => output(bridge), LATE)
    .toMatchObject({ status: 'failed', reason: 'output_secret_unreadable' });
});
