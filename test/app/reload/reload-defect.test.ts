import { describe, expect, it } from 'vitest';
import { ConfigApplier } from '../../../src/app/reload/config-applier.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { BridgeConfig, DeviceConfig } from '../../../src/config/model.ts';
import { Fleet } from '../../../src/devices/fleet.ts';
import { FeedStore } from '../../../src/feed/core/store.ts';
import { LiveConfig } from '../../../src/system/live-config.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const TEXT = `
devices:
  - { id: a, match: { imei: "490154203237518" } }
  - { id: b, match: { imei: "869858030720693" } }
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
`;

function configOf(text: string): BridgeConfig {
  const { config, problems } = loadConfig(text, 'test.yaml');
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

/** A device that cannot be made, for a reason that nobody foresaw. */
function broken(device: DeviceConfig | undefined): DeviceConfig {
  if (device === undefined) throw new Error('there is no such device');
  const session = Object.defineProperty({ ...device.session }, 'addresses', {
    get() {
      throw new TypeError('this cannot be made');
    },
  });
  return { ...device, session };
}

describe('a reload that fails half way by a defect', () => {
  it('leaves every device as it is', async () => {
    const config = { ...configOf(TEXT), listeners: [] };
    const store = new FeedStore({ epoch: 'test' });
    const fleet = new Fleet({
      config,
      failed: [],
      clock: new FakeClock(),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      random: () => 0.5,
      publisher: store,
      uploads: undefined,
      recorder: () => undefined,
      wantsBytes: () => false,
    });
    await fleet.start();
    const [a, b] = config.devices;
    const next = broken(b);
    const changed = b === undefined ? [] : [{ from: b, to: next }];
    const diff = {
      devices: { added: [], changed, removed: a === undefined ? [] : [a], unchanged: [] },
      listeners: { added: [], changed: [], removed: [], unchanged: [] },
      buses: { added: [], changed: [], removed: [], unchanged: [] },
      settings: [],
      needsRestart: [],
    };
    await expect(fleet.apply(diff, { ...config, devices: [next] }, [])).rejects.toThrow(
      'this cannot be made',
    );
    for (const id of ['a', 'b']) {
      expect(fleet.directory.get(id)?.reading.state.link.status).toBe('listening');
      expect(store.document(`devices/${id}/state`)).toBeDefined();
    }
    fleet.stop();
  });

  it('is as if it had not been: the next one is compared with what runs', async () => {
    let fails = true;
    const clock = new FakeClock();
    const live = new LiveConfig(configOf(TEXT));
    const applier = new ConfigApplier({
      live,
      problems: [],
      clock,
      run: async () => {
        if (fails) throw new TypeError('this cannot be made');
        return undefined;
      },
      applied: () => undefined,
    });
    const next = () => applier.apply(loadConfig(TEXT.replace('id: b', 'id: c'), 'test.yaml'));
    const before = applier.status();
    clock.advance(1_000);
    await expect(next()).rejects.toThrow('this cannot be made');
    expect(live.value.devices.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(applier.status()).toEqual(before);
    fails = false;
    const { diff, generation } = await next();
    expect(generation).toBe(2);
    expect(diff?.devices.added.map(({ id }) => id)).toEqual(['c']);
  });
});
