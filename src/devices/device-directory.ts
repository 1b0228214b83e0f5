import type { ListenerConfig, MatchConfig, SessionSettings } from '../config/index.ts';
import { type Identity, identityText } from '../contract/index.ts';
import type { DeviceStatus } from '../contract/wire/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { atOnce, type Clock } from '../system/index.ts';
import type { DeviceRunner } from './device-runner.ts';
import { arrivalOf, type KnownDevice, knownBefore } from './known-devices.ts';
import { MatchIndex } from './match-index.ts';
import {
  type Arrival,
  type Resolution,
  type Unannounced,
  UnannouncedDevices,
  type UnannouncedRun,
} from './unannounced-devices.ts';

interface DirectoryOptions {
  readonly clock: Clock;
  makeRunner(settings: SessionSettings, listener: ListenerConfig, run: UnannouncedRun): DeviceRunner;
  /** An unannounced device is not known any more, or starts again. */
  over?(id: string): void;
  /** What is known of unannounced devices is different now. */
  changed?(): void;
}

/** A device of the configuration; with `match` where it dials in. */
interface Configured {
  readonly runner: DeviceRunner;
  readonly match?: MatchConfig | undefined;
}

/** What is still to be done before a device may be used: its former runner ends, and its new one begins. */
export interface Settling {
  readonly former?: DeviceRunner | undefined;
  act(): void;
}

/** Devices between two places where counting may be interrupted. */
const COUNT_STRIDE = 64;
/** Counts of more devices are kept for so long, in ms; those of fewer are always those of now. */
const MOST_FRESH = 1_000;
const KEPT_MS = 1_000;

/** How many devices there are of each status. */
export type StatusCounts = Readonly<Partial<Record<DeviceStatus, number>>>;

/** Every device of the bridge by its id: the configured ones, and those that dialled in unannounced. */
export class DeviceDirectory {
  readonly #configured = new Map<string, DeviceRunner>();
  readonly #matches = new MatchIndex<DeviceRunner>();
  readonly #clock: Clock;
  readonly #unannounced: UnannouncedDevices;
  readonly #unsettled = new Map<string, Settling>();
  #protocols: readonly DeclaredProtocol[] | undefined;
  #latestCounts: { readonly counts: StatusCounts; readonly atMs: number } | undefined;

  constructor({ clock, makeRunner, over, changed }: DirectoryOptions) {
    this.#clock = clock;
    this.#unannounced = new UnannouncedDevices({
      clock,
      makeRunner: (device, listener, run) => makeRunner({ ...listener.session, device }, listener, run),
      over: (id) => over?.(id),
      changed: () => changed?.(),
    });
  }

  /**
   * The devices of the configuration, in its order, instead of those that there were. `settling` is what is to be done
   * for each device that changed, by id: it is done one after the other, or when the device is asked for. Unannounced
   * devices that are among them now, by name or by match, are removed: they come back as what they are. May be
   * interrupted wherever it yields.
   */
  *configure(
    devices: readonly Configured[],
    settling: ReadonlyMap<string, Settling> = new Map(),
  ): Generator<undefined, void> {
    this.#settleAll();
    this.#configured.clear();
    this.#matches.clear();
    this.#protocols = undefined;
    for (const [id, each] of settling) this.#unsettled.set(id, each);
    for (const { runner, match } of devices) this.add(runner, match);
    for (const id of settling.keys()) {
      this.#settle(id);
      yield;
    }
    for (const [name, { arrival }] of this.#unannounced.entries()) {
      yield;
      if (this.#configured.has(name) || this.#matched(arrival) !== undefined) this.#unannounced.remove(name);
    }
  }

  /**
   * A listener has another configuration from now on, or (undefined) is gone. Devices that it accepted and would not
   * accept any more are removed; the others start again with their new settings where it `restarts` them.
   */
  relisten(from: ListenerConfig, to: ListenerConfig | undefined, restarts: boolean): void {
    this.#unannounced.removeWhere(
      (_, { listener, byAddress }) => listener === from && (to === undefined || refuses(to, byAddress)),
    );
    if (to !== undefined) this.#unannounced.relisten(from, to, restarts);
  }

  /** One more device of the configuration; with `match` where it dials in. */
  add(runner: DeviceRunner, match?: MatchConfig): void {
    this.#configured.set(runner.id, runner);
    if (match !== undefined) this.#matches.add(match, runner);
    this.#protocols = undefined;
  }

  /** Another runner of a device of the configuration that is dialled, or on a bus. */
  replace(runner: DeviceRunner): void {
    if (this.#configured.has(runner.id)) this.#configured.set(runner.id, runner);
  }

  /** The link of a bus whose DTU dials in; it is no device. */
  addLine(port: DeviceRunner, match: MatchConfig): void {
    this.#matches.add(match, port);
  }

  /** The protocols of configured devices that dial in and register; the same array while they stay the same. */
  registeringProtocols(): readonly DeclaredProtocol[] {
    this.#protocols ??= [
      ...new Set(
        [...this.#matches.values()].flatMap(({ settings, messages }) =>
          settings.bare === undefined && messages !== undefined ? [messages.protocol] : [],
        ),
      ),
    ];
    return this.#protocols;
  }

  /** The device of this address that never registers. */
  resolveBare(host: string): DeviceRunner | undefined {
    const first = this.#matches.findBare(host);
    if (first === undefined) return undefined;
    const { bare, login } = first.settings;
    return bare === undefined || login === true ? undefined : this.#settled(first);
  }

  isConfigured(id: string): boolean {
    return this.#configured.has(id);
  }

  get(id: string): DeviceRunner | undefined {
    this.#settle(id);
    return this.#configured.get(id) ?? this.#unannounced.get(id)?.runner;
  }

  /** Of a device that is not settled yet, the former runner: it is the one that runs. */
  *all(): Generator<DeviceRunner> {
    for (const [id, runner] of this.#configured) yield this.#unsettled.get(id)?.former ?? runner;
    for (const [id, { former }] of this.#unsettled) {
      if (former !== undefined && !this.#configured.has(id)) yield former;
    }
    for (const { runner } of this.#unannounced.all()) yield runner;
  }

  /** Of many devices as they were a second ago at most. */
  countByStatus(): StatusCounts {
    const latest = this.#latestCounts;
    if (latest !== undefined && this.#clock.now().monoMs - latest.atMs < KEPT_MS) return latest.counts;
    return atOnce(this.countingByStatus());
  }

  /** Counts the devices as they are now; may be interrupted wherever it yields. */
  *countingByStatus(): Generator<undefined, StatusCounts> {
    const counts: Partial<Record<DeviceStatus, number>> = {};
    let devices = 0;
    for (const { status } of this.all()) {
      counts[status] = (counts[status] ?? 0) + 1;
      if (++devices % COUNT_STRIDE === 0) yield;
    }
    this.#latestCounts = devices > MOST_FRESH ? { counts, atMs: this.#clock.now().monoMs } : undefined;
    return counts;
  }

  /** The device of a link by what it registered as. Configured devices come first. */
  resolve(identity: Identity, host: string, listener: ListenerConfig): Resolution {
    const device = this.#matched({ identity, host });
    const name = identityText(identity);
    if (device !== undefined) {
      return readsAlike(device, listener)
        ? { device }
        : {
            refused: `the messages of ${device.id}, which is ${name}, have another framing than this listener`,
          };
    }
    if (listener.unknown === 'refuse') return { refused: `no device of the configuration matches ${name}` };
    return this.accept(nameByIdentity(name), listener, { identity, host });
  }

  /**
   * The configured device that is known by this address alone. Until the peer has had its time to register
   * (`waited`), a device that stands before it in the configuration and may yet be named by its register has precedence.
   */
  resolveAddress(host: string, waited: boolean): DeviceRunner | undefined {
    const found = this.#matches.findByAddress(host, waited);
    return found && this.#settled(found);
  }

  /** An unannounced device by its name; it is made where it is new. */
  accept(name: string, listener: ListenerConfig, arrival: Arrival): Resolution {
    this.#settle(name);
    if (this.#configured.has(name))
      return { refused: `the configuration has a device ${name} of another kind` };
    return this.#unannounced.accept(name, listener, arrival);
  }

  /** An unannounced device that an earlier run knew, unless it is one of the configuration now, or long away. */
  restore(device: KnownDevice, listener: ListenerConfig): void {
    const { id, byAddress, settled } = device;
    const arrival = arrivalOf(device);
    if (this.#configured.has(id) || refuses(listener, byAddress)) return;
    if (this.#matched(arrival) !== undefined) return;
    this.#unannounced.restore(
      id,
      { listener, arrival, byAddress, settled },
      knownBefore(device, this.#clock.now()),
    );
  }

  /** Every unannounced device. */
  unannounced(): Iterable<Readonly<Unannounced>> {
    return this.#unannounced.all();
  }

  /** The configured device that registers so; nothing is made for a device that is new. */
  matching(identity: Identity, host: string): DeviceRunner | undefined {
    return this.#matched({ identity, host });
  }

  /** The listener that an unannounced device came by at first. */
  listenerOf(name: string): ListenerConfig | undefined {
    return this.#unannounced.get(name)?.listener;
  }

  /** Stops every device. */
  stop(): void {
    this.#settleAll();
    for (const runner of this.#configured.values()) runner.stop();
    this.#unannounced.stop();
  }

  /** The configured device of a peer, found by its register or its address. */
  #matched({ identity, host }: Arrival): DeviceRunner | undefined {
    if (identity === undefined) return this.resolveAddress(host, true);
    const logsIn = identity.identity !== undefined;
    const found = this.#matches.find(
      { identity, host },
      ({ settings }) => (settings.login === true) === logsIn,
    );
    return found && this.#settled(found);
  }

  #settled(runner: DeviceRunner): DeviceRunner {
    this.#settle(runner.id);
    return runner;
  }

  #settle(id: string): void {
    const settling = this.#unsettled.get(id);
    if (settling === undefined) return;
    this.#unsettled.delete(id);
    // One that came unannounced under this name ends before the one that is configured begins.
    if (this.#configured.has(id)) this.#unannounced.remove(id);
    settling.act();
  }

  #settleAll(): void {
    for (const id of [...this.#unsettled.keys()]) this.#settle(id);
  }
}

function refuses({ anonymous, unknown }: ListenerConfig, byAddress: boolean): boolean {
  return (byAddress ? anonymous : unknown) === 'refuse';
}

/** Whether a link that this listener accepted can be read as one of the device. */
function readsAlike({ settings, messages }: DeviceRunner, listener: ListenerConfig): boolean {
  if (settings.login !== true || messages === undefined || listener.messages === undefined) return true;
  if (messages.protocol === listener.messages) return true;
  const framingOf = ({ declaration }: DeclaredProtocol) => JSON.stringify(declaration.framing);
  return framingOf(messages.protocol) === framingOf(listener.messages);
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** The id of a device that no `match` names: its identity, or `hex-` and its bytes where that could be no name. */
function nameByIdentity(identity: string): string {
  if (NAME.test(identity)) return identity;
  const bytes = new TextEncoder().encode(identity);
  return `hex-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** The id of a device that never registers: `addr-` and its IP address, colons as hyphens, without the scope. */
export function nameByAddress(host: string): string {
  const [address = ''] = host.split('%');
  return `addr-${address.replaceAll(':', '-')}`;
}
