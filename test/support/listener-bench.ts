import type { ListenerConfig, MatchedDeviceConfig } from '../../src/config/model.ts';
import type { SessionSettings } from '../../src/config/session-settings.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { MessageCatalog } from '../../src/devices/core/message-catalog.ts';
import { DeviceDirectory } from '../../src/devices/device-directory.ts';
import { DeviceListener } from '../../src/devices/device-listener.ts';
import { DeviceRunner } from '../../src/devices/device-runner.ts';
import type { UnannouncedRun } from '../../src/devices/unannounced-devices.ts';
import type { DialInTap } from '../../src/devices/wire.ts';
import { LinkCodecs } from '../../src/devices/wire-codec.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import type { ListenerHandlers } from '../../src/links/link.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { Arrivals } from '../../src/system/arrivals.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLink } from './fake-link.ts';
import { dialIn } from './session-bench.ts';

export const LISTENER: ListenerConfig = {
  link: { scheme: 'tcp-listen', host: '127.0.0.1', port: 9089 },
  unknown: 'accept',
  anonymous: 'refuse',
  maxDevices: 1_000,
  maxNewPerMinute: 1_000,
  forgetMs: 86_400_000,
  maxNameless: 256,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 1_000,
  maxFrame: 1_048_576,
  session: dialIn(),
};

/** A listener without sockets: a test dials in, and lets time pass. */
export class ListenerBench {
  readonly clock = new FakeClock();
  readonly arrivals = new Arrivals();
  readonly store = new FeedStore({ epoch: 'test' });
  readonly directory: DeviceDirectory;
  readonly deviceListener: DeviceListener;
  /** Handlers of the listeners, in the order in which they were started. */
  readonly listeners: ListenerHandlers[] = [];
  readonly warnings: string[] = [];
  /** How often what is known of unannounced devices became different. */
  changes = 0;
  /** The answer to a device that asks the time. */
  localTime = (): string => '2026-11-21 00:07:36';
  readonly #make: (settings: SessionSettings, of: MatchedDeviceConfig) => DeviceRunner;
  #port = 50_000;

  constructor(
    changes: Partial<ListenerConfig> = {},
    matched: readonly MatchedDeviceConfig[] = [],
    tap?: () => DialInTap,
  ) {
    const note = (_fields: object, text: string) => void this.warnings.push(text);
    const log = { info: () => undefined, warn: note, error: note };
    const localTime = () => this.localTime();
    const ports = { random: () => 0.5, localTime, parseLocalTime: () => undefined };
    const codecs = new LinkCodecs();
    const make = (
      settings: SessionSettings,
      of: ListenerConfig | MatchedDeviceConfig,
      run?: UnannouncedRun,
    ) =>
      new DeviceRunner({
        settings,
        ports: of.messages === undefined ? ports : { ...ports, messages: new MessageCatalog(of.messages) },
        dialIn: codecs.of(settings, of),
        publisher: this.store,
        clock: this.clock,
        log,
        makeWire: () => {
          throw new Error('a device that dials in is never dialled');
        },
        wantsBytes: () => false,
        ...run,
      });
    this.directory = new DeviceDirectory({
      clock: this.clock,
      makeRunner: make,
      changed: () => {
        this.changes += 1;
      },
    });
    this.#make = make;
    for (const device of matched) this.configure(device);
    this.deviceListener = new DeviceListener({
      config: { ...LISTENER, ...changes },
      directory: this.directory,
      clock: this.clock,
      log,
      localTime,
      random: () => 0.5,
      arrivals: this.arrivals,
      ...(tap === undefined ? {} : { tap }),
      makeListener: () => ({
        address: '127.0.0.1:9089',
        start: (handlers) => void this.listeners.push(handlers),
        close: () => undefined,
      }),
    });
    void this.deviceListener.start();
    this.listeners[0]?.listening('127.0.0.1:9089');
  }

  /** One more device of the configuration. */
  configure(device: MatchedDeviceConfig): void {
    const runner = this.#make(device.session, device);
    this.directory.add(runner, device.match);
    runner.start();
  }

  /** A peer dials in. */
  dialIn(host = '10.0.0.1'): FakeLink {
    const link = new FakeLink(`${host}:${this.#port++}`);
    this.listeners.at(-1)?.accepted(link, host);
    if (link.calls.includes('open') && !link.calls.includes('destroy')) link.connect(link.address);
    return link;
  }

  state(device: string): JsonObject | undefined {
    return this.store.document(`devices/${device}/state`);
  }

  get devices(): string[] {
    return this.store.documents('devices/+/state').map(({ topic }) => topic.split('/')[1] ?? '');
  }
}

/** A device of the configuration that dials in. */
export const matchedDevice = (
  id: string,
  match: MatchedDeviceConfig['match'],
  changes: Partial<MatchedDeviceConfig> = {},
): MatchedDeviceConfig => ({
  kind: 'matched',
  id,
  match,
  maxFrame: 1_048_576,
  session: dialIn({ device: id }),
  ...changes,
});

export const HEARTBEAT = encodeFrame({ name: 'heartbeat', kind: 'request' });
export const DATETIME = encodeFrame({ name: 'datetime', kind: 'request' });
export const REGISTERED = encodeFrame({ name: 'register', kind: 'reply', error: 0 });
export const REFUSED = encodeFrame({ name: 'register', kind: 'reply', error: -1 });
export const HEARTBEAT_REPLY = encodeFrame({ name: 'heartbeat', kind: 'reply', error: 0 });

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Frames as hex, to be compared. */
export const hex = (frames: readonly Uint8Array[]): string[] =>
  frames.map((frame) => Buffer.from(frame).toString('hex'));
