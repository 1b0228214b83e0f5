import { listenersByAddress } from './diff-config.ts';
import type { BridgeConfig, DeviceConfig } from './model.ts';
import type { FailedDevice, LoadedConfig } from './report.ts';

/** What shall run after a reload, where parts of the new file cannot be used. */
export interface LastKnownGood {
  readonly config: BridgeConfig;
  /** Devices that go on as they are, because their new version is wrong. */
  readonly kept: readonly string[];
  /** Devices to be shown as failed: they are wrong, and there is no earlier version of them. */
  readonly failed: readonly FailedDevice[];
}

/**
 * Puts the last good version of a device in the place of a bad one. Where an entry has an error and no usable id, it is
 * not known which device it was, so that none is removed; nor is any listener while one of them is wrong.
 */
export function keepLastKnownGood(
  running: BridgeConfig,
  loaded: LoadedConfig & { readonly config: BridgeConfig },
): LastKnownGood {
  const { config, failed, problems } = loaded;
  const errors = problems.filter(({ severity, file }) => severity === 'error' && file === config.file);
  const anonymous = errors.some(({ device }) => device?.startsWith('devices[') === true);
  const good = new Set(config.devices.map(({ id }) => id));
  const bad = new Set(failed.map(({ id }) => id));
  const goesOn = ({ id }: DeviceConfig) => !good.has(id) && (anonymous || bad.has(id));
  const kept = running.devices.filter(goesOn).map(({ id }) => id);
  const listenersAreGood = !errors.some(({ path }) => path.startsWith('listeners'));
  const named = listenersByAddress(config.listeners);
  const stay = listenersAreGood
    ? []
    : [...listenersByAddress(running.listeners)].filter(([name]) => !named.has(name));
  const keeps = new Set(kept);
  return {
    config: {
      ...config,
      devices: inTheirPlaces(running.devices, config.devices, keeps),
      listeners: [...config.listeners, ...stay.map(([, listener]) => listener)],
    },
    kept,
    failed: failed.filter(({ id }) => !keeps.has(id)),
  };
}

/** The first match in the file wins, so a device that goes on stays behind the one that it stood behind. */
function inTheirPlaces(
  running: readonly DeviceConfig[],
  next: readonly DeviceConfig[],
  keeps: ReadonlySet<string>,
): DeviceConfig[] {
  const devices = [...next];
  const placeOf = new Map(devices.map(({ id }, place) => [id, place]));
  /** What goes behind each place of the new list; -1 is its head. */
  const behind = new Map<number, DeviceConfig[]>();
  let place = -1;
  for (const device of running) {
    if (keeps.has(device.id)) behind.set(place, [...(behind.get(place) ?? []), device]);
    else place = placeOf.get(device.id) ?? place;
  }
  const head = behind.get(-1) ?? [];
  return [...head, ...devices.flatMap((device, at) => [device, ...(behind.get(at) ?? [])])];
}
