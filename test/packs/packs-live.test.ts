import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Bridge } from '../../src/app/bridge.ts';
import { readShippedPacks } from '../../src/config/packs/tables.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { readConfig } from '../../src/config/read.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';

/** The devices of packs that are dialled. */
const packs = (await readShippedPacks()).filter(
  ({ example }) => /\blink:/.test(example) && !/\blisteners:/.test(example),
);

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-packs-live-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('a pack, tried without hardware', () => {
  it.each(packs.map((pack) => [pack.name, pack] as const))(
    '%s gives values from the simulator, by its own example',
    { timeout: 30_000 },
    async (_, { protocol, example }) => {
      // The example is that of the pack, which has one device.
      const { devices } = parse(example) as { devices: readonly Record<string, unknown>[] };
      const [{ baud: _baud, ...device } = {}] = devices;
      await using fleet = new SimulatedFleet(
        {
          address: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 },
          count: 1,
          seed: 1,
          declared: { protocol, addresses: [Number(device.address ?? 1)], seed: 1, everyMs: 200 },
        },
        { clock: systemClock },
      );
      await fleet.start();
      const [host = '', port = ''] = fleet.devices[0]?.listeningAt?.split(':') ?? [];
      const serial = makeFraming(protocol.declaration.framing).needsSilence
        ? { line: 'serial', gap: '60ms' }
        : {};
      const config = {
        server: { port: 0 },
        devices: [{ ...device, ...serial, link: `tcp:${host}:${port}` }],
      };
      await writeFile(join(dir, 'devices.yaml'), stringify(config));
      const read = await readConfig(join(dir, 'devices.yaml'), 'devices.yaml');
      expect(read.problems.map(formatProblem)).toEqual([]);
      if (read.config === undefined) throw new Error('no configuration');
      const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
      await using bridge = new Bridge({
        config: read.config,
        clock: systemClock,
        log,
        version: '0.0.0-test',
      });
      const { url } = await bridge.start();
      await using watcher = await DeviceWatcher.connect(url, ['devices/+/state', 'devices/+/stats']);
      const topic = `devices/${device.id}`;
      const values = () => Object.values(watcher.document(`${topic}/state`)?.values ?? {});
      await expect.poll(() => values().length, { timeout: 15_000 }).toBeGreaterThan(0);
      expect(watcher.document(`${topic}/state`)).toMatchObject({ status: 'online' });
      // Counts come a beat later: those of all that had been said by now.
      const said = fleet.devices[0]?.counts.sent ?? 0;
      const stats = () => watcher.document(`${topic}/stats`) as Record<string, number> | undefined;
      await expect.poll(() => stats()?.frames_in, { timeout: 15_000 }).toBeGreaterThanOrEqual(said);
      expect(stats()).toMatchObject({ invalid: 0, unknown: 0 });
    },
  );
});
