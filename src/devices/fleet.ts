import type { SessionSettings } from '../config/index.ts';
import {
  type BridgeConfig,
  type BusConfig,
  type BusDeviceConfig,
  type ConfigDiff,
  type DeviceConfig,
  type FailedDevice,
  type ListenerChange,
  type ListenerConfig,
  listenersByAddress,
} from '../config/index.ts';
import { addressLabel, type LinkEnd, listen } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { formatLocalTime, inSlices, markReplay, parseLocalTime, Slices } from '../system/index.ts';
import { BusRunner, MemberWire, memberCodec } from './bus-runner.ts';
import { ClosingLinks, resourcesOf } from './closing-links.ts';
import { describeMessages } from './core/describe-messages.ts';
import { MessageCatalog } from './core/message-catalog.ts';
import type { StopReason } from './core/session-events.ts';
import type { SessionPorts } from './core/session-ports.ts';
import { DeviceDirectory, type Settling } from './device-directory.ts';
import { DeviceListener } from './device-listener.ts';
import { type DeviceObservers, observersOf } from './device-observer.ts';
import { declarationTopic } from './device-publisher.ts';
import { DeviceRunner } from './device-runner.ts';
import { FailedDevices } from './failed-devices.ts';
import { RECEIVING } from './files/upload-store.ts';
import type { FleetOptions } from './fleet-options.ts';
import { busUnit, FleetUnits } from './fleet-units.ts';
import type { KnownDevice } from './known-devices.ts';
import { sharePort } from './share-port.ts';
import type { UnannouncedRun } from './unannounced-devices.ts';
import { dialBusWire, dialWire } from './wire.ts';
import { LinkCodecs } from './wire-codec.ts';

/** The device side of the bridge: runners, and the listeners at which devices dial in. */
export class Fleet {
  readonly directory: DeviceDirectory;
  /** What of it belongs to this instance. */
  readonly units: FleetUnits;
  readonly #options: FleetOptions;
  readonly #ports: SessionPorts;
  readonly #deviceListeners = new Map<string, DeviceListener>();
  readonly #failed: FailedDevices;
  readonly #codecs = new LinkCodecs();
  readonly #buses = new Map<string, BusRunner>();
  readonly #links: ClosingLinks;
  /** By which key the messages of each are described. */
  readonly #declarations = new WeakMap<DeviceRunner, string>();
  #config: BridgeConfig;
  #started = false;
  #stopped = false;

  constructor(options: FleetOptions) {
    const { config, clock, random, publisher, recorder } = options;
    this.#options = options;
    this.#config = config;
    const { observers = [] } = options;
    const wantsSamples = (): boolean => observers.some((factory) => factory.wantsSamples());
    this.#ports = { random, localTime: (wallMs) => formatLocalTime(wallMs), parseLocalTime, wantsSamples };
    this.#failed = new FailedDevices(publisher, clock);
    this.#links = new ClosingLinks(clock);
    this.directory = new DeviceDirectory({
      clock,
      makeRunner: (settings, listener, run) => this.#makeRunner(settings, listener, run),
      over: (id) => recorder()?.retire(id),
      changed: () => options.knownChanged?.(),
    });
    this.units = new FleetUnits({
      ownership: options.ownership,
      directory: this.directory,
      running: () => this.#started && !this.#stopped,
      devices: () => this.#config.devices,
      bus: (id) => this.#buses.get(id),
      buses: () => this.#buses.values(),
      freed: (of) => this.#links.closingOf(new Set([of.id]))(resourcesOf(of)),
      replaceDevice: (device) => {
        recorder()?.retire(device.id);
        this.directory.replace(this.#runnerOf(device));
      },
      replaceBus: (bus) => {
        this.#endBus(this.#buses.get(bus.id), 'moved');
        this.#buses.set(bus.id, this.#makeBus(bus));
      },
    });
    for (const [name, listener] of listenersByAddress(config.listeners)) {
      this.#deviceListeners.set(name, this.#makeListener(listener));
    }
    for (const bus of config.buses ?? []) this.#buses.set(bus.id, this.#makeBus(bus));
    for (const device of config.devices) this.directory.add(this.#runnerOf(device), matchOf(device));
    this.#matchBuses();
  }

  buses(): readonly BusRunner[] {
    return [...this.#buses.values()];
  }

  bus(id: string): BusRunner | undefined {
    return this.#buses.get(id);
  }

  deviceListeners(): readonly DeviceListener[] {
    return [...this.#deviceListeners.values()];
  }

  /**
   * Listens, then dials. Resolves with the addresses that it listens at.
   * @throws HeartwireError the code of the failure, e.g. `address_in_use`
   */
  async start(): Promise<string[]> {
    const listeners = await Promise.all(
      this.deviceListeners().map((deviceListener) => deviceListener.start()),
    );
    this.#failed.show(this.#options.failed, this.directory);
    this.#started = true;
    const waiting = this.units.waiting();
    for (const runner of this.directory.all()) if (!waiting.has(runner.id)) runner.start();
    // Their devices say how the bytes of a line are read.
    for (const bus of this.#buses.values()) if (this.units.owns(busUnit(bus.id))) bus.start();
    return listeners;
  }

  /**
   * Runs another configuration, in slices: touches what is different, and nothing else. What needs a port that another
   * one holds waits until that is let go of. Resolves with the listeners that could not be opened; they are tried again.
   */
  async apply(diff: ConfigDiff, config: BridgeConfig, failed: readonly FailedDevice[]): Promise<LinkEnd[]> {
    if (this.#stopped) return [];
    const { added, changed, removed } = diff.devices;
    const fresh = new Set([...added, ...changed.map(({ to }) => to)]);
    const slices = new Slices();
    const lines = this.#changedBuses(diff);
    // Before anything is stopped: where something of it cannot be made, all stays as it is.
    const made = new Map<DeviceConfig, DeviceRunner>();
    for (const device of config.devices) {
      if (!fresh.has(device) && this.directory.get(device.id) !== undefined) continue;
      made.set(device, this.#runnerOf(device));
      await slices.pause();
    }
    if (this.#stopped) return [];
    const described = this.#described();
    this.#config = config;
    const entries = config.devices.flatMap((device) => {
      const runner = made.get(device) ?? this.directory.get(device.id);
      return runner === undefined ? [] : [{ runner, match: matchOf(device) }];
    });
    const gone = removed.map(({ id }) => id);
    const settling = new Map<string, Settling>([
      ...gone.map((id) => [id, this.#removing(id)] as const),
      ...[...fresh].map((device) => [device.id, this.#replacing(device)] as const),
    ]);
    const opening = this.#relisten(diff.listeners.changed);
    await inSlices(this.directory.configure(entries, settling));
    const opened = this.#replaceBuses(diff, lines);
    await inSlices(this.#failed.showing(failed, this.directory));
    const closing = this.#links.closingOf(new Set([...gone, ...changed.map(({ to }) => to.id)]));
    const starting: Promise<void>[] = [];
    for (const device of fresh) {
      // What dials in has begun when it was settled; what is dialled needs its port to be free.
      if (device.kind === 'bus' && this.units.mayStart(device)) this.directory.get(device.id)?.start();
      if (device.kind !== 'dialled') continue;
      starting.push(
        closing(resourcesOf(device)).then(() => {
          if (!this.#stopped && this.units.mayStart(device)) this.directory.get(device.id)?.start();
        }),
      );
      await slices.pause();
    }
    starting.push(...opened());
    const [ends] = await Promise.all([Promise.all(opening), Promise.all(starting)]);
    const still = this.#described();
    for (const key of described)
      if (!still.has(key)) this.#options.publisher.removeState(declarationTopic(key));
    return ends.filter((end) => end !== undefined);
  }

  #removing(id: string): Settling {
    const former = this.directory.get(id);
    const act = (): void => {
      former?.remove();
      this.#options.recorder()?.retire(id);
    };
    return { former, act };
  }

  /** The former runner of a device stops, and the one in its place begins where it is not dialled. */
  #replacing({ id, kind }: DeviceConfig): Settling {
    const former = this.directory.isConfigured(id) ? this.directory.get(id) : undefined;
    const act = (): void => {
      if (former !== undefined) {
        former.stop('reconfigured');
        this.#options.recorder()?.retire(id);
      }
      if (kind === 'matched' && !this.#stopped) this.directory.get(id)?.start();
    };
    return { former, act };
  }

  /** A device that an earlier run knew, where its listener would take it still. */
  restore(device: KnownDevice): void {
    const listener = this.#config.listeners.find(({ link }) => addressLabel(link) === device.listener);
    if (listener !== undefined) this.directory.restore(device, listener);
  }

  /** Closes every link; the last states stay published. */
  stop(): void {
    this.#stopped = true;
    for (const deviceListener of this.#deviceListeners.values()) deviceListener.close();
    this.directory.stop();
    for (const bus of this.#buses.values()) bus.stop();
  }

  /** The lines that are new, or are opened in another way; they are not open yet. */
  #changedBuses({ buses }: ConfigDiff): ReadonlyMap<string, BusRunner> {
    const made = [...buses.added, ...buses.changed.map(({ to }) => to)];
    return new Map(made.map((bus) => [bus.id, this.#makeBus(bus)]));
  }

  /** Closes the lines that are gone or changed; returns what opens the new ones once their ports are free. */
  #replaceBuses({ buses }: ConfigDiff, made: ReadonlyMap<string, BusRunner>): () => Promise<void>[] {
    const closing = this.#links.closingOf(
      new Set([...buses.removed, ...buses.changed.map(({ from }) => from)].map(({ id }) => id)),
    );
    const former = new Map(this.#buses);
    for (const { id } of buses.removed) this.#buses.delete(id);
    for (const [id, bus] of made) this.#buses.set(id, bus);
    // Devices that stay as they are go over to the new line.
    for (const { id } of buses.removed) this.#endBus(former.get(id), 'removed');
    for (const { from } of buses.changed) this.#endBus(former.get(from.id), 'reconfigured');
    this.#matchBuses();
    return () =>
      [...made.values()].map(async (bus) => {
        await closing(resourcesOf(bus.config));
        if (!this.#stopped && this.#buses.get(bus.id) === bus && this.units.owns(busUnit(bus.id)))
          bus.start();
      });
  }

  #endBus(bus: BusRunner | undefined, reason: StopReason): void {
    bus?.stop(reason);
    if (bus !== undefined) this.#options.recorder()?.retire(bus.id);
  }

  /** DTUs that dial in are known by their addresses, behind the devices. */
  #matchBuses(): void {
    for (const { config, port } of this.#buses.values())
      if (config.match !== undefined) this.directory.addLine(port, config.match);
  }

  #makeBus(config: BusConfig): BusRunner {
    const { clock, log, publisher, recorder, wantsBytes, names } = this.#options;
    const members = this.#config.devices.filter((each) => each.kind === 'bus' && each.bus === config.id);
    const sessions = [
      { ...config.session, requestTimeoutMs: config.timeoutMs },
      ...members.map((each) => each.session),
    ];
    const sharing = sharePort(config, sessions, log, () => bus.port);
    const bus: BusRunner = new BusRunner({
      config,
      sharing,
      ports: this.#ports,
      publisher: config.links[0]?.scheme === 'replay' ? markReplay(publisher) : publisher,
      clock,
      log,
      makeWire: (addressIndex, owner, codec) => {
        const ended = this.#links.opened(config.id, resourcesOf(config));
        return dialBusWire(config, addressIndex, owner, codec, {
          tap: recorder()?.tap(config.id),
          ended,
          names,
          sharing,
        });
      },
      note: (text) => void recorder()?.note?.(config.id, text),
      wantsBytes,
    });
    return bus;
  }

  /** Closes listeners that are gone, reconfigures those that changed, and opens new ones. */
  #relisten(changed: readonly ListenerChange[]): Promise<LinkEnd | undefined>[] {
    const { listeners } = this.#config;
    const named = listenersByAddress(listeners);
    for (const [name, deviceListener] of this.#deviceListeners) {
      if (named.has(name)) continue;
      this.#deviceListeners.delete(name);
      deviceListener.close('this listener was taken out of the configuration');
      this.directory.relisten(deviceListener.config, undefined, false);
    }
    const opening: Promise<LinkEnd | undefined>[] = [];
    for (const [name, listener] of named) {
      const deviceListener = this.#deviceListeners.get(name);
      const change = changed.find(({ to }) => to === listener);
      if (deviceListener === undefined) {
        const made = this.#makeListener(listener);
        this.#deviceListeners.set(name, made);
        opening.push(made.open());
      } else if (change !== undefined) {
        this.directory.relisten(deviceListener.config, listener, change.restarts);
        deviceListener.reconfigure(listener, change.restarts);
      }
    }
    return opening;
  }

  /** The keys of all messages that devices speak now. */
  #described(): ReadonlySet<string> {
    return new Set([...this.directory.all()].flatMap((runner) => this.#declarations.get(runner) ?? []));
  }

  #busOf({ id, bus }: BusDeviceConfig): BusRunner {
    const found = this.#buses.get(bus);
    // A configuration without problems has the bus of each of its devices.
    if (found === undefined) throw new Error(`${id} is on no bus`);
    return found;
  }

  #runnerOf(device: DeviceConfig): DeviceRunner {
    if (device.kind !== 'bus') return this.#makeRunner(device.session, device);
    const codec = memberCodec(device);
    const { links } = this.#config.buses?.find(({ id }) => id === device.bus) ?? {};
    const { clock, log, publisher, wantsBytes, retired } = this.#options;
    const runner = new DeviceRunner({
      settings: device.session,
      ports: this.#portsWith(device.messages),
      publisher: links?.[0]?.scheme === 'replay' ? markReplay(publisher) : publisher,
      clock,
      log,
      makeWire: (_, owner) => new MemberWire(device, codec, owner, this.#busOf(device)),
      member: {
        wanted: (wish) => this.#buses.get(device.bus)?.wanted(device.id, wish),
        turnOver: (how) => this.#buses.get(device.bus)?.turnOver(device.id, how),
      },
      wantsBytes,
      retired,
      observers: this.#observersOf(device.id, links?.[0]?.scheme, device.messages),
    });
    this.#declarations.set(runner, describeMessages(device.messages.declaration).key);
    return runner;
  }

  #makeRunner(
    settings: SessionSettings,
    of: Exclude<DeviceConfig, { kind: 'bus' }> | ListenerConfig,
    run?: UnannouncedRun,
  ): DeviceRunner {
    const { clock, log, uploads, publisher, recorder, wantsBytes, names } = this.#options;
    const { messages } = of;
    const device = 'kind' in of && of.kind === 'dialled' ? of : undefined;
    const links = this.#links;
    const sharing = 'kind' in of ? sharePort(of, [of.session], log, () => runner) : undefined;
    const runner: DeviceRunner = new DeviceRunner({
      sharing,
      settings,
      ...(device === undefined ? { dialIn: this.#codecs.of(settings, of) } : {}),
      ports: messages === undefined ? this.#ports : this.#portsWith(messages),
      uploads,
      publisher: device?.links[0].scheme === 'replay' ? markReplay(publisher) : publisher,
      clock,
      log,
      makeWire(addressIndex, owner) {
        if (device === undefined) throw new Error(`${settings.device} is not dialled`);
        const ended = links.opened(device.id, resourcesOf(device));
        return dialWire(device, addressIndex, owner, {
          tap: recorder()?.tap(device.id),
          ended,
          names,
          sharing,
        });
      },
      wantsBytes,
      retired: this.#options.retired,
      observers: this.#observersOf(settings.device, device?.links[0].scheme, messages),
      ...run,
    });
    if (messages !== undefined) this.#declarations.set(runner, describeMessages(messages.declaration).key);
    return runner;
  }

  #observersOf(
    id: string,
    scheme: string | undefined,
    messages: DeclaredProtocol | undefined,
  ): DeviceObservers {
    return observersOf(this.#options.observers ?? [], id, messages, scheme === 'replay');
  }

  #portsWith(messages: DeclaredProtocol): SessionPorts {
    const { files } = this.#config;
    const limits = files && { maxBytes: files.maxFileBytes, ...RECEIVING };
    return {
      ...this.#ports,
      messages: new MessageCatalog(messages),
      ...(limits === undefined ? {} : { files: limits }),
    };
  }

  #makeListener(listener: ListenerConfig): DeviceListener {
    const { clock, log, recorder, names, arrivals } = this.#options;
    return new DeviceListener({
      config: listener,
      directory: this.directory,
      clock,
      log,
      localTime: this.#ports.localTime,
      random: this.#ports.random,
      arrivals,
      ownership: this.#options.ownership,
      makeListener: () =>
        listen(listener.link, {
          names,
          peersByHost: listener.session.bare !== undefined,
          silentAfterMs: longestSilenceMs(listener.session),
        }),
      tap: () => recorder()?.tapDialIn(),
    });
  }
}

const matchOf = (device: DeviceConfig) => (device.kind === 'matched' ? device.match : undefined);

/** A peer that sends datagrams and has no connection to lose is gone after so long at the least, in ms. */
const LEAST_SILENCE_MS = 10 * 60_000;

/** No device with these settings is silent for so long while it is there. */
function longestSilenceMs({ heartbeat, bare, presence }: SessionSettings): number {
  const silentMs = bare === undefined ? heartbeat.intervalMs * (heartbeat.missed + 1) : (bare.silenceMs ?? 0);
  return Math.max(LEAST_SILENCE_MS, 2 * silentMs, 2 * (presence?.everyMs ?? 0));
}
