import type { BridgeConfig, BusConfig, DeviceConfig } from '../config/index.ts';
import type { CommandOutcome, FeedCommand } from '../contract/index.ts';
import type { DeviceDirectory } from '../devices/index.ts';
import type { Clock, Live, Log } from '../system/index.ts';
import { Recorder } from './recorder.ts';
import type { TracedDevice } from './trace-meta.ts';

export interface BridgeRecorderOptions {
  /** What runs; it changes with every reload. */
  readonly live: Live<BridgeConfig>;
  /** Records every device that does not say `record: false`, into this folder. */
  readonly recordDir?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly directory: DeviceDirectory;
}

/** The recorder of a bridge: made as soon as the configuration asks for it, at the start or with a reload. */
export class BridgeRecorder {
  readonly #options: BridgeRecorderOptions;
  #recorder: Recorder | undefined;

  constructor(options: BridgeRecorderOptions) {
    this.#options = options;
  }

  /** Undefined while nothing is to be recorded. */
  get recorder(): Recorder | undefined {
    return this.#recorder;
  }

  /** Starts the recorder where the present configuration asks for the first one. */
  async apply(): Promise<void> {
    const { devices, listeners, buses = [] } = this.#options.live.value;
    if (this.#recorder !== undefined) return;
    if (![...devices, ...listeners, ...buses].some((each) => this.#wants(each))) return;
    const { live, recordDir, clock, log } = this.#options;
    const { recording } = live.value;
    const byId = memoized(
      ({ devices: all, buses: lines = [] }: BridgeConfig) =>
        new Map([...lines, ...all].map((each) => [each.id, each])),
    );
    this.#recorder = new Recorder({
      settings: { ...recording, dir: recordDir ?? recording.dir },
      clock,
      log,
      describe: (id) => this.#describe(id, byId(live.value)),
    });
    await this.#recorder.start();
  }

  /** Performs the command `note`: a line of text in the trace of a device; undefined for another command. */
  note(command: FeedCommand): Promise<CommandOutcome> | undefined {
    if (command.message !== 'note') return undefined;
    return Promise.resolve(note(command, this.#options.directory, this.#recorder));
  }

  async close(): Promise<void> {
    await this.#recorder?.close();
  }

  #wants({ record }: { readonly record?: boolean }): boolean {
    return record ?? this.#options.recordDir !== undefined;
  }

  #describe(id: string, configured: ReadonlyMap<string, DeviceConfig | BusConfig>): TracedDevice | undefined {
    const device = configured.get(id);
    if (device !== undefined && !this.#wants(device)) return undefined;
    if (device !== undefined)
      return 'kind' in device
        ? describeConfigured(device)
        : describeBus(device, this.#options.live.value.devices);
    // An unannounced device has the settings of its listener.
    const { directory } = this.#options;
    const settings = directory.get(id)?.settings;
    const listener = directory.listenerOf(id);
    if (settings === undefined || listener === undefined || !this.#wants(listener)) return undefined;
    return {
      settings,
      dialIn: true,
      line: listener.line ?? 'stream',
      maxFrame: listener.maxFrame,
      timeZone: ownZone(),
      knownBy: id.startsWith('addr-') ? 'any-address' : 'register',
    };
  }
}

function describeBus(bus: BusConfig, devices: readonly DeviceConfig[]): TracedDevice {
  const { session: settings, maxFrame, line, match } = bus;
  const members = devices.flatMap((device) =>
    device.kind === 'bus' && device.bus === bus.id
      ? [{ device: device.id, address: device.address, session: device.session }]
      : [],
  );
  const dialIn = match !== undefined;
  return { settings, dialIn, line, maxFrame, timeZone: ownZone(), knownBy: 'address', members };
}

/** Remembers the value of the last key. */
function memoized<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  let last: { readonly key: K; readonly value: V } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: compute(key) };
    return last.value;
  };
}

function describeConfigured(device: DeviceConfig): TracedDevice | undefined {
  const { session: settings, maxFrame } = device;
  const timeZone = ownZone();
  if (device.kind === 'dialled') {
    return { settings, dialIn: false, line: device.line, maxFrame, timeZone, knownBy: 'register' };
  }
  // A device on a bus is in the trace of the bus.
  if (device.kind === 'bus') return undefined;
  const { imei, appid, identity } = device.match;
  const knownBy = [imei, appid, identity].every((each) => each === undefined) ? 'address' : 'register';
  return { settings, dialIn: true, line: device.line ?? 'stream', maxFrame, timeZone, knownBy };
}

const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

const MOST_CHARACTERS = 1_000;

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
