import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bridge } from '../../../src/app/bridge.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { LoadedConfig } from '../../../src/config/report.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { leftBehind, resources } from '../../support/resources.ts';

/** What may be in the file of one device; a different `kind` or `interval` is another device of the same name. */
const device = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  kind: fc.constantFrom('dialled', 'matched', 'bad'),
  interval: fc.constantFrom('1s', '2s'),
});
const listener = fc.record({ port: fc.constant(0), most: fc.constantFrom(5, 6) });
const version = fc.record({
  devices: fc.uniqueArray(device, { maxLength: 5, selector: ({ id }) => id }),
  listeners: fc.array(listener, { maxLength: 2 }),
  origin: fc.constantFrom('https://a.example', 'https://b.example'),
});
type Version = typeof version extends fc.Arbitrary<infer T> ? T : never;

const REGISTER = 'register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }';

function load({ devices, listeners, origin }: Version): LoadedConfig {
  const entries = devices.map(({ id, kind, interval }) => {
    const beat = `heartbeat: { interval: ${kind === 'bad' ? '3' : interval} }`;
    // Nobody answers there, and the clock does not move.
    if (kind === 'matched') return `{ id: ${id}, match: { from: 192.0.2.${id.charCodeAt(0)} }, ${beat} }`;
    return `{ id: ${id}, link: "tcp:127.0.0.1:9", ${REGISTER}, ${beat} }`;
  });
  const listening = listeners.map(
    ({ port, most }) => `{ link: "tcp-listen:127.0.0.1:${port}", max_devices: ${most} }`,
  );
  return loadConfig(
    `server: { port: 0, origins: ["${origin}"] }\ndevices: [${entries.join(', ')}]\nlisteners: [${listening.join(', ')}]\n`,
    'test.yaml',
  );
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function started(loaded: LoadedConfig, clock: FakeClock): Promise<Bridge> {
  const { config, failed } = loaded;
  if (config === undefined) throw new Error(JSON.stringify(loaded.problems));
  const bridge = new Bridge({ config, failed, clock, log: SILENT, version: 'test', random: () => 0.5 });
  await bridge.start();
  return bridge;
}

/** What there is, whatever has become of it: devices with their settings, listeners, topics. */
function shape(bridge: Bridge) {
  const status = bridge.store.document('bridge/status');
  const listeners = Array.isArray(status?.listeners) ? status.listeners : [];
  return {
    devices: [...bridge.directory.all()].map(({ id, settings }) => [id, settings]),
    listeners: listeners.length,
    topics: bridge.store
      .documents('#')
      .map(({ topic }) => topic)
      .filter((topic) => !topic.endsWith('/stats'))
      .sort(),
  };
}

/** The last version as it is when the ones before it count: a device that is bad now, and was good, goes on. */
function lastGood(versions: readonly Version[]): Version {
  const good = new Map<string, Version['devices'][number]>();
  let last = versions[0] ?? { devices: [], listeners: [], origin: 'https://a.example' };
  for (const each of versions) {
    const named = new Set<string>(each.devices.map(({ id }) => id));
    for (const id of good.keys()) if (!named.has(id)) good.delete(id);
    for (const one of each.devices) if (one.kind !== 'bad') good.set(one.id, one);
    last = each;
  }
  return { ...last, devices: last.devices.map((each) => good.get(each.id) ?? each) };
}

describe('any sequence of versions', () => {
  it('leads to what the last one alone would have led to, and leaves nothing behind', async () => {
    const before = resources();
    let reloads = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(version, { minLength: 6, maxLength: 12 }), async (versions) => {
        const clock = new FakeClock();
        const [first, ...others] = versions;
        if (first === undefined) return;
        const reloaded = await started(load(first), clock);
        for (const each of others) {
          // Links that are being closed are gone a moment later; the clock stands still.
          await reloaded.apply(load(each));
          reloads += 1;
        }
        const freshClock = new FakeClock();
        const fresh = await started(load(lastGood(versions)), freshClock);
        try {
          const sorted = ({ devices, ...rest }: ReturnType<typeof shape>) => ({
            ...rest,
            devices: new Map(devices.map(([id, settings]) => [String(id), settings])),
          });
          expect(sorted(shape(reloaded))).toEqual(sorted(shape(fresh)));
          expect(reloaded.store.document('bridge/status')).toMatchObject({
            config: { generation: versions.length },
          });
        } finally {
          await Promise.all([reloaded[Symbol.asyncDispose](), fresh[Symbol.asyncDispose]()]);
        }
        expect([clock.timers, freshClock.timers]).toEqual([0, 0]);
      }),
      { numRuns: 40 },
    );
    expect(reloads).toBeGreaterThanOrEqual(200);
    expect(await leftBehind(before)).toEqual([]);
  }, 120_000);
});
