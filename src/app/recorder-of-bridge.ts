import type { BridgeConfig, DeviceConfig } from '../config/model.ts';
import type { DeviceDirectory } from '../devices/device-directory.ts';
import { Recorder } from '../recording/recorder.ts';
import type { TracedDevice } from '../recording/trace-meta.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

export interface BridgeRecorderOptions {
  /** What runs; it changes with every reload. */
  config(): BridgeConfig;
  /** Records every device that does not say `record: false`, into this folder. */
  readonly recordDir?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly directory: DeviceDirectory;
}

/** The recorder of a bridge; undefined where nothing is to be recorded. */
export function recorderFor(options: BridgeRecorderOptions): Recorder | undefined {
  const { recordDir, clock, log, directory } = options;
  const everything = recordDir !== undefined;
  const wanted = ({ record }: { readonly record?: boolean }) => record ?? everything;
  const { recording, devices, listeners } = options.config();
  if (![...devices, ...listeners].some(wanted)) return undefined;
  const byId = memoized((config: BridgeConfig) => new Map(config.devices.map((each) => [each.id, each])));
  return new Recorder({
    settings: { ...recording, dir: recordDir ?? recording.dir },
    clock,
    log,
    describe(id) {
      const device = byId(options.config()).get(id);
      if (device !== undefined) return wanted(device) ? describeConfigured(device) : undefined;
      // Whoever dialled in unannounced has the settings of the listener that it came by.
      const settings = directory.get(id)?.settings;
      const listener = directory.listenerOf(id);
      if (settings === undefined || listener === undefined || !wanted(listener)) return undefined;
      const knownBy = id.startsWith('addr-') ? 'any-address' : 'register';
      return {
        settings,
        dialIn: true,
        line: listener.line ?? 'stream',
        maxFrame: listener.maxFrame,
        timeZone: ownZone(),
        knownBy,
      };
    },
  });
}

/** Computes anew only where it is asked about another thing than before. */
function memoized<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  let last: { readonly key: K; readonly value: V } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: compute(key) };
    return last.value;
  };
}

function describeConfigured(device: DeviceConfig): TracedDevice {
  const { session: settings, maxFrame } = device;
  const timeZone = ownZone();
  if (device.kind === 'dialled') {
    return { settings, dialIn: false, line: device.line, maxFrame, timeZone, knownBy: 'register' };
  }
  const { imei, appid } = device.match;
  const knownBy = imei === undefined && appid === undefined ? 'address' : 'register';
  return { settings, dialIn: true, line: device.line ?? 'stream', maxFrame, timeZone, knownBy };
}

const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;
