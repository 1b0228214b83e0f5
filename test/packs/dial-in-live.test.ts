import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Bridge } from '../../src/app/bridge.ts';
import { publishedValues } from '../../src/cli/simulated-speech.ts';
import { readShippedPacks } from '../../src/config/packs/tables.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { readConfig } from '../../src/config/read.ts';
import type { Values } from '../../src/contract/value.ts';
import type { SimulatorEvent } from '../../src/simulator/settings.ts';
import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';

/** The packs whose devices dial in and say who they are. */
const packs = (await readShippedPacks()).filter(({ protocol }) => protocol.logsIn);

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-dial-in-live-'));
});
afterEach(() => rm(dir, { recursive: true }));

const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };
const PATIENCE = { timeout: 20_000 };

/** A bridge that runs the example of a pack on a free port, with quick heartbeats. */
async function bridgeOf(example: string, keys: object = {}, listener: object = {}) {
  const config = parse(example) as { listeners: readonly object[]; devices: readonly object[] };
  const listeners = [{ ...config.listeners[0], link: 'tcp-listen:127.0.0.1:0', ...listener }];
  const devices = [{ ...config.devices[0], ...keys }];
  await writeFile(
    join(dir, 'devices.yaml'),
    stringify({ ...config, server: { port: 0 }, listeners, devices }),
  );
  const read = await readConfig(join(dir, 'devices.yaml'), 'devices.yaml');
  expect(read.problems.map(formatProblem)).toEqual([]);
  if (read.config === undefined) throw new Error('no configuration');
  const bridge = new Bridge({ config: read.config, clock: systemClock, log: LOG, version: '0.0.0-test' });
  const { url, listeners: bound } = await bridge.start();
  return { bridge, url, port: Number(bound[0]?.split(':').at(-1)) };
}

/** What a field says that the device makes itself: who it is, and the number of the message. */
const OWN = new Set(['imei', 'phone', 'serial']);

const shownOf = (values: Values | undefined): Values =>
  Object.fromEntries(Object.entries(values ?? {}).filter(([name]) => !OWN.has(name)));

describe('a pack of devices that dial in', () => {
  it('is each of these', () => {
    expect(packs.map(({ name }) => name)).toEqual(['gt06', 'jt808-2013', 'jt808-2019', 'teltonika']);
  });

  it.each(packs.map((pack) => [pack.name, pack] as const))(
    '%s logs in, shows its published values, keeps its heartbeat, and comes back',
    { timeout: 90_000 },
    async (_, { protocol, example, frames }) => {
      const said = publishedValues(frames);
      const { devices } = parse(example) as {
        devices: readonly [{ id: string; match: { identity: string } }];
      };
      const [{ id, match }] = devices;
      const { bridge, url, port } = await bridgeOf(example, {
        silence: '4s',
        presence: { every: '10m' },
      });
      await using _bridge = bridge;
      await using watcher = await DeviceWatcher.connect(url, ['devices/+/state', 'devices/+/stats']);
      const events: SimulatorEvent[] = [];
      await using fleet = new SimulatedFleet(
        {
          address: { scheme: 'tcp', host: '127.0.0.1', port },
          count: 1,
          seed: 1,
          reconnect: { initialMs: 20, maxMs: 50 },
          declared: {
            protocol,
            addresses: [1],
            seed: 1,
            everyMs: 50,
            heartbeatEveryMs: 100,
            timeEveryMs: 200,
            name: match.identity,
            said,
          },
        },
        { clock: systemClock, report: (event) => events.push(event) },
      );
      await fleet.start();
      const [device] = fleet.devices;
      const state = () => watcher.document(`devices/${id}/state`);
      const stats = () => watcher.document(`devices/${id}/stats`) as Record<string, number> | undefined;
      await expect.poll(state, PATIENCE).toMatchObject({ status: 'online', identity: match });
      // Every published value comes by, under the name of its message.
      const left = new Map([...said].map(([name, all]) => [name, new Set(all.map((each) => shownOf(each)))]));
      const logins = new Set(protocol.declaration.session?.login?.map(({ message }) => message));
      await expect
        .poll(() => {
          const shown = (state()?.values ?? {}) as Record<string, Values>;
          for (const [name, wanted] of left) {
            for (const each of wanted) {
              if (same(shownOf(shown[name]), each)) wanted.delete(each);
            }
            if (wanted.size === 0 || logins.has(name) || protocol.answers.answersRequests(name))
              left.delete(name);
          }
          return [...left].map(([name, wanted]) => [name, [...wanted], shown[name]]);
        }, PATIENCE)
        .toEqual([]);
      // Counts come a beat later: those of all that had been said by now.
      const sent = device?.counts.sent ?? 0;
      await expect.poll(() => stats()?.frames_in, PATIENCE).toBeGreaterThanOrEqual(sent);
      expect(stats()).toMatchObject({ invalid: 0, unknown: 0 });
      const beats = protocol.declaration.session?.heartbeat;
      const beatAt = () => stats()?.last_heartbeat_at;
      const earlier = beatAt();
      if (beats === undefined) expect(earlier).toBeUndefined();
      else await expect.poll(beatAt, PATIENCE).toBeGreaterThan(earlier ?? 0);
      // All that is answered by rule was answered.
      expect(device?.counts.received).toBeGreaterThan(said.size);
      expect(events.filter(({ kind }) => kind !== 'connected' && kind !== 'registered')).toEqual([]);
      // It stands still: nothing comes, and its link is closed.
      device?.freeze();
      await watcher.sees(id, 'offline (silent), link listening (silent)');
      device?.thaw();
      await watcher.sees(id, 'offline (silent), link listening (silent)', 'online, link connected');
      // It hangs up between its reports, and comes back.
      watcher.forget();
      device?.cut();
      await expect
        .poll(() => watcher.steps(id).map((step) => step.split(',')[0]), PATIENCE)
        .toContainEqual(expect.stringMatching(/^away \(link_(?:closed|reset)\)$/));
      await watcher.sees(id, 'online, link connected');
      expect(events.filter(({ kind }) => kind === 'registered').length).toBeGreaterThan(1);
    },
  );
});

describe('a pack of devices that dial in, where no device may be new', () => {
  it.each(packs.map((pack) => [pack.name, pack] as const))(
    '%s learns that it is refused, as its messages declare, and none is made',
    { timeout: 60_000 },
    async (_, { protocol, example, frames }) => {
      const { bridge, port } = await bridgeOf(example, {}, { unknown: 'refuse' });
      await using _bridge = bridge;
      const events: SimulatorEvent[] = [];
      await using fleet = new SimulatedFleet(
        {
          address: { scheme: 'tcp', host: '127.0.0.1', port },
          count: 1,
          seed: 1,
          reconnect: { initialMs: 20, maxMs: 50 },
          declared: { protocol, addresses: [1], seed: 1, everyMs: 50, said: publishedValues(frames) },
        },
        { clock: systemClock, report: (event) => events.push(event) },
      );
      await fleet.start();
      const count = (kind: SimulatorEvent['kind']) => events.filter((each) => each.kind === kind).length;
      // It comes back, and is refused again.
      await expect.poll(() => count('disconnected'), PATIENCE).toBeGreaterThan(1);
      const { session, hello } = protocol.declaration;
      const says = hello?.refuse !== undefined || session?.login?.[0]?.refuse !== undefined;
      if (says) await expect.poll(() => count('refused'), PATIENCE).toBeGreaterThan(1);
      else expect(count('refused')).toBe(0);
      expect(count('registered')).toBe(0);
      // The configured one, which never came.
      expect(bridge.store.documents('devices/+/state')).toHaveLength(1);
    },
  );
});

/** Whether all that was published is shown. */
function same(shown: Values, published: Values): boolean {
  try {
    expect(shown).toEqual(published);
    return true;
  } catch {
    return false;
  }
}
