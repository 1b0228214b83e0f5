import type { BridgeConfig, DeviceConfig } from '../config/model.ts';
import type { CommandOutcome, FeedCommand } from '../contract/command.ts';
import type { DeviceDirectory } from '../devices/device-directory.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { Recorder } from './recorder.ts';
import type { TracedDevice } from './trace-meta.ts';

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

const MOST_CHARACTERS = 1_000;

/** Performs the command `note`: a line of text in the trace of a device; undefined where it is another command. */
export function noteCommand(
  command: FeedCommand,
  directory: DeviceDirectory,
  recorder: Recorder | undefined,
): Promise<CommandOutcome> | undefined {
  if (command.message !== 'note') return undefined;
  return Promise.resolve(note(command, directory, recorder));
}

function note(
  { device, fields }: FeedCommand,
  directory: DeviceDirectory,
  recorder: Recorder | undefined,
): CommandOutcome {
  const refused = (
    code: 'device_unknown' | 'bad_field' | 'recording_off',
    message: string,
  ): CommandOutcome => ({
    ok: false,
    code,
    message,
    retry: false,
  });
  if (directory.get(device) === undefined) {
    return refused('device_unknown', `There is no device ${device}; GET /api/devices lists them.`);
  }
  const { text, ...others } = fields;
  const [other] = Object.keys(others);
  if (other !== undefined) return refused('bad_field', `note has no field ${other}; it takes text.`);
  if (typeof text !== 'string' || text.trim() === '' || text.length > MOST_CHARACTERS) {
    return refused('bad_field', `note takes a text of 1 to ${MOST_CHARACTERS} characters.`);
  }
  if (recorder?.note(device, text) !== true) {
    return refused('recording_off', `${device} is not recorded, so there is no trace to write a note into.`);
  }
  return { ok: true, result: {} };
}
