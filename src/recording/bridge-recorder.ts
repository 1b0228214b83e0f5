import type { BlackBoxConfig, BridgeConfig, BusConfig, DeviceConfig } from '../config/index.ts';
import type { CommandOutcome, FeedCommand, Publisher } from '../contract/index.ts';
import type { DeviceDirectory, DeviceTaps } from '../devices/index.ts';
import type { Clock, Live, Log } from '../system/index.ts';
import { BlackBox } from './black-box.ts';
import { bothDialInTaps, bothTaps } from './box-taps.ts';
import { Recorder } from './recorder.ts';
import type { TracedDevice } from './trace-meta.ts';

export interface BridgeRecorderOptions {
  /** What runs; it changes with every reload. */
  readonly live: Live<BridgeConfig>;
  /** Records every device that does not say `record: false`, into this folder. */
  readonly recordDir?: string | undefined;
  /** Keeps what led to incidents; absent: nothing is kept. */
  readonly blackBox?: BlackBoxConfig | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly publisher: Publisher;
  /** Asked once the bridge runs. */
  directory(): DeviceDirectory;
  /** Whether what is published on a topic is encrypted. */
  encrypts(topic: string): boolean;
}

/**
 * What looks on at the links of a bridge: its recorder, made as soon as the configuration asks for it, and its black box.
 */
export class BridgeRecorder {
  readonly blackBox: BlackBox | undefined;
  readonly #options: BridgeRecorderOptions;
  readonly #timeZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  readonly #configured: (config: BridgeConfig) => ReadonlyMap<string, DeviceConfig | BusConfig>;
  #recorder: Recorder | undefined;
  #taps: DeviceTaps | undefined;

  constructor(options: BridgeRecorderOptions) {
    this.#options = options;
    const { blackBox: settings, clock, log, publisher, live, encrypts } = options;
    this.#configured = memoized(
      ({ devices, buses = [] }) => new Map([...buses, ...devices].map((each) => [each.id, each])),
    );
    if (settings === undefined) return;
    this.blackBox = new BlackBox({
      settings,
      clock,
      log,
      publisher,
      describe: (id) => this.#kept(id),
      busOf: (id) => {
        const found = this.#configured(live.value).get(id);
        return found !== undefined && 'kind' in found && found.kind === 'bus' ? found.bus : undefined;
      },
      isSecret: (id) =>
        SAID.some((part) => encrypts(`devices/${id}/${part}`) || encrypts(`buses/${id}/${part}`)),
    });
    this.#taps = this.blackBox;
    live.watch(({ blackBox }) => blackBox && this.blackBox?.limit(blackBox));
  }

  /** Undefined while nothing is to be recorded. */
  get recorder(): Recorder | undefined {
    return this.#recorder;
  }

  /** All that look on; undefined where nothing does. */
  get taps(): DeviceTaps | undefined {
    return this.#taps;
  }

  /** Reads what earlier runs have kept, and starts what the present configuration asks for. */
  async start(): Promise<void> {
    await this.blackBox?.start();
    await this.apply();
  }

  /** Starts the recorder where the present configuration asks for the first one. */
  async apply(): Promise<void> {
    const { devices, listeners, buses = [] } = this.#options.live.value;
    if (this.#recorder !== undefined) return;
    if (![...devices, ...listeners, ...buses].some((each) => this.#wants(each))) return;
    const { live, recordDir, clock, log } = this.#options;
    const { recording } = live.value;
    const recorder = new Recorder({
      settings: { ...recording, dir: recordDir ?? recording.dir },
      clock,
      log,
      describe: (id) => this.#recorded(id),
    });
    this.#recorder = recorder;
    this.#taps = this.blackBox === undefined ? recorder : allTaps(recorder, this.blackBox);
    await recorder.start();
  }

  /**
   * Performs the command `note`: a line of text in the trace of a device, and an incident of it; undefined for another
   * command.
   */
  note(command: FeedCommand): Promise<CommandOutcome> | undefined {
    if (command.message !== 'note') return undefined;
    return Promise.resolve(note(command, this.#options.directory(), this.#recorder, this.blackBox));
  }

  async close(): Promise<void> {
    await Promise.all([this.#recorder?.close(), this.blackBox?.close()]);
  }

  #wants({ record }: { readonly record?: boolean }): boolean {
    return record ?? this.#options.recordDir !== undefined;
  }

  /** How a device is spoken to whose bytes are recorded. */
  #recorded(id: string): TracedDevice | undefined {
    const configured = this.#configured(this.#options.live.value).get(id);
    if (configured !== undefined) return this.#wants(configured) ? this.#describe(id) : undefined;
    const listener = this.#options.directory().listenerOf(id);
    return listener !== undefined && this.#wants(listener) ? this.#describe(id) : undefined;
  }

  /** The same where they are kept for incidents: nothing of a trace that is played, which is no device of now. */
  #kept(id: string): TracedDevice | undefined {
    const configured = this.#configured(this.#options.live.value).get(id);
    const played =
      configured !== undefined && 'links' in configured && configured.links[0]?.scheme === 'replay';
    return played ? undefined : this.#describe(id);
  }

  #describe(id: string): TracedDevice | undefined {
    const { live, directory } = this.#options;
    const configured = this.#configured(live.value).get(id);
    if (configured !== undefined)
      return 'kind' in configured
        ? describeConfigured(configured, this.#timeZone)
        : describeBus(configured, live.value.devices, this.#timeZone);
    // An unannounced device has the settings of its listener.
    const settings = directory().get(id)?.settings;
    const listener = directory().listenerOf(id);
    if (settings === undefined || listener === undefined) return undefined;
    return {
      settings,
      dialIn: true,
      line: listener.line ?? 'stream',
      maxFrame: listener.maxFrame,
      timeZone: this.#timeZone,
      knownBy: id.startsWith('addr-') ? 'any-address' : 'register',
    };
  }
}

/** Where what a device says is published: what is secret there is in no trace of an incident either. */
const SAID = ['state', 'messages', 'alarms', 'bytes'] as const;

/** The taps of both. */
const allTaps = (recorder: Recorder, blackBox: BlackBox): DeviceTaps => ({
  tap: (device) => {
    const [kept, recorded] = [blackBox.tap(device), recorder.tap(device)];
    return kept === undefined || recorded === undefined ? (kept ?? recorded) : bothTaps(kept, recorded);
  },
  tapDialIn: () => {
    const [kept, recorded] = [blackBox.tapDialIn(), recorder.tapDialIn()];
    return recorded === undefined ? kept : bothDialInTaps(kept, recorded);
  },
  note: (bus, text) => {
    blackBox.note(bus, text);
    recorder.note(bus, text);
  },
  retire: (device) => {
    blackBox.retire(device);
    recorder.retire(device);
  },
});

function describeBus(bus: BusConfig, devices: readonly DeviceConfig[], timeZone: string): TracedDevice {
  const { session: settings, maxFrame, line, match } = bus;
  const members = devices.flatMap((device) =>
    device.kind === 'bus' && device.bus === bus.id
      ? [{ device: device.id, address: device.address, session: device.session }]
      : [],
  );
  const dialIn = match !== undefined;
  return { settings, dialIn, line, maxFrame, timeZone, knownBy: 'address', members };
}

/** Remembers the value of the last key. */
function memoized<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  let last: { readonly key: K; readonly value: V } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: compute(key) };
    return last.value;
  };
}

function describeConfigured(device: DeviceConfig, timeZone: string): TracedDevice | undefined {
  const { session: settings, maxFrame } = device;
  if (device.kind === 'dialled') {
    return { settings, dialIn: false, line: device.line, maxFrame, timeZone, knownBy: 'register' };
  }
  // A device on a bus is in the trace of the bus.
  if (device.kind === 'bus') return undefined;
  const { imei, appid, identity } = device.match;
  const knownBy = [imei, appid, identity].every((each) => each === undefined) ? 'address' : 'register';
  return { settings, dialIn: true, line: device.line ?? 'stream', maxFrame, timeZone, knownBy };
}

const MOST_CHARACTERS = 1_000;

function note(
  { device, fields }: FeedCommand,
  directory: DeviceDirectory,
  recorder: Recorder | undefined,
  blackBox: BlackBox | undefined,
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
  const kept = blackBox?.mark(device, text) === true;
  const recorded = recorder?.note(device, text) === true;
  if (!kept && !recorded) {
    const why = `${device} is not recorded, and nothing of it is kept for incidents`;
    return refused('recording_off', `${why}, so there is no trace to write a note into.`);
  }
  return { ok: true, result: { recorded, incident: kept } };
}
