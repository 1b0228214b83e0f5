import type { BridgeConfig, DeviceConfig, ListenerConfig } from '../config/model.ts';
import type { SessionSettings } from '../device/settings.ts';
import type { Clock } from './clock.ts';
import type { DeviceDirectory } from './device-directory.ts';
import type { Log } from './log.ts';
import { Recorder } from './recorder.ts';
import type { TracedDevice } from './trace-meta.ts';

export interface BridgeRecorderOptions {
  readonly config: BridgeConfig;
  /** Records every device that does not say `record: false`, into this folder. */
  readonly recordDir?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly directory: DeviceDirectory;
}

/** The recorder of a bridge; undefined where nothing is to be recorded. */
export function recorderFor(options: BridgeRecorderOptions): Recorder | undefined {
  const { config, recordDir, clock, log, directory } = options;
  const everything = recordDir !== undefined;
  const wanted = ({ record }: { readonly record?: boolean }) => record ?? everything;
  if (![...config.devices, ...config.listeners].some(wanted)) return undefined;
  const { recording } = config;
  const byId = new Map(config.devices.map((device) => [device.id, device]));
  return new Recorder({
    settings: { ...recording, dir: recordDir ?? recording.dir },
    clock,
    log,
    describe(id) {
      const device = byId.get(id);
      if (device !== undefined) return wanted(device) ? describeConfigured(device) : undefined;
      // Whoever dialled in unannounced has the settings of the listener that it came by.
      const settings = directory.get(id)?.settings;
      const listener = config.listeners.find((each) => settings !== undefined && cameBy(each, settings));
      if (settings === undefined || listener === undefined || !wanted(listener)) return undefined;
      const knownBy = id.startsWith('addr-') ? 'any-address' : 'register';
      return {
        settings,
        dialIn: true,
        line: 'stream',
        maxFrame: listener.maxFrame,
        timeZone: ownZone(),
        knownBy,
      };
    },
  });
}

function cameBy(listener: ListenerConfig, settings: SessionSettings): boolean {
  return JSON.stringify({ ...listener.session, device: settings.device }) === JSON.stringify(settings);
}

function describeConfigured(device: DeviceConfig): TracedDevice {
  const { session: settings, maxFrame } = device;
  const timeZone = ownZone();
  if (device.kind === 'dialled') {
    return { settings, dialIn: false, line: device.line, maxFrame, timeZone, knownBy: 'register' };
  }
  const { imei, appid } = device.match;
  const knownBy = imei === undefined && appid === undefined ? 'address' : 'register';
  return { settings, dialIn: true, line: 'stream', maxFrame, timeZone, knownBy };
}

const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;
