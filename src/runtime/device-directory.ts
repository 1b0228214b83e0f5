import type { ListenerConfig, MatchConfig } from '../config/model.ts';
import { addressInBlock, parseBlock } from '../device/address-match.ts';
import { nameByImei } from '../device/device-name.ts';
import type { SessionSettings } from '../device/settings.ts';
import type { DeviceStatus } from '../device/state-document.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import type { RegisterRequest } from '../protocol/message.ts';
import type { Clock, Timer } from './clock.ts';
import type { DeviceRunner } from './device-runner.ts';

const SWEEP_EVERY_MS = 60_000;

/** The device that a link belongs to, or why it belongs to none. */
export type Resolution = { readonly device: DeviceRunner } | { readonly refused: string };

/** How an unannounced device made itself known: by its register, or by its address alone. */
export interface Arrival {
  readonly host: string;
  readonly identity?: RegisterRequest['fields'];
}

interface Accepted {
  readonly runner: DeviceRunner;
  readonly listener: ListenerConfig;
  readonly arrival: Arrival;
}

/** A device of the configuration; with `match` where it dials in. */
export interface Configured {
  readonly runner: DeviceRunner;
  readonly match?: MatchConfig | undefined;
}

/** Every device of the bridge by its id: the configured ones, and those that dialled in unannounced. */
export class DeviceDirectory {
  readonly #clock: Clock;
  readonly #makeRunner: (settings: SessionSettings, listener: ListenerConfig) => DeviceRunner;
  readonly #over: (id: string) => void;
  readonly #configured = new Map<string, DeviceRunner>();
  #matches: Array<{ readonly match: MatchConfig; readonly runner: DeviceRunner }> = [];
  readonly #accepted = new Map<string, Accepted>();
  #spoken: readonly DeclaredProtocol[] | undefined;
  #sweep: Timer | undefined;
  #sweepsAt = Number.POSITIVE_INFINITY;

  /** `over` hears of unannounced devices that are not known any more, or begin anew. */
  constructor(
    clock: Clock,
    makeRunner: (settings: SessionSettings, listener: ListenerConfig) => DeviceRunner,
    over: (id: string) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#makeRunner = makeRunner;
    this.#over = over;
  }

  /**
   * The devices of the configuration, in its order, instead of those that there were. Unannounced devices that are
   * among them now, by name or by match, are removed: they come back as what they are.
   */
  configure(devices: readonly Configured[]): void {
    this.#configured.clear();
    this.#matches = [];
    this.#spoken = undefined;
    for (const { runner, match } of devices) this.add(runner, match);
    for (const [name, { arrival }] of this.#accepted) {
      if (this.#configured.has(name) || this.#matched(arrival) !== undefined) this.#remove(name);
    }
  }

  /**
   * A listener has another configuration from now on, or (undefined) is gone. Devices that it accepted and would not
   * accept any more are removed; the others begin anew with their new settings where `anew` says so.
   */
  relisten(from: ListenerConfig, to: ListenerConfig | undefined, anew: boolean): void {
    for (const [name, entry] of [...this.#accepted]) {
      if (entry.listener !== from) continue;
      const byAddress = entry.arrival.identity === undefined;
      const refused = byAddress ? to?.anonymous === 'refuse' : to?.unknown === 'refuse';
      if (to === undefined || refused) this.#remove(name);
      else if (anew) {
        entry.runner.stop('reconfigured');
        this.#over(name);
        this.#enter(name, to, entry.arrival);
      } else this.#accepted.set(name, { ...entry, listener: to });
    }
    this.#sweepLater();
  }

  /** One more device of the configuration; with `match` where it dials in. */
  add(runner: DeviceRunner, match?: MatchConfig): void {
    this.#configured.set(runner.id, runner);
    if (match !== undefined) this.#matches.push({ match, runner });
    this.#spoken = undefined;
  }

  /** What devices of the configuration speak that dial in and register; the same array while they stay the same. */
  spoken(): readonly DeclaredProtocol[] {
    this.#spoken ??= [
      ...new Set(
        this.#matches.flatMap(({ runner: { settings, messages } }) =>
          settings.bare === undefined && messages !== undefined ? [messages.protocol] : [],
        ),
      ),
    ];
    return this.#spoken;
  }

  /** The device of this address that never registers. */
  resolveBare(host: string): DeviceRunner | undefined {
    const first = this.#matches.find(
      ({ match }) => match.imei === undefined && match.appid === undefined && cameFrom(match, host),
    );
    return first?.runner.settings.bare === undefined ? undefined : first.runner;
  }

  isConfigured(id: string): boolean {
    return this.#configured.has(id);
  }

  get(id: string): DeviceRunner | undefined {
    return this.#configured.get(id) ?? this.#accepted.get(id)?.runner;
  }

  *all(): Generator<DeviceRunner> {
    yield* this.#configured.values();
    for (const { runner } of this.#accepted.values()) yield runner;
  }

  countByStatus(): Partial<Record<DeviceStatus, number>> {
    const counts: Partial<Record<DeviceStatus, number>> = {};
    for (const { status } of this.all()) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** Whose link this is, by what it registered as. Configured devices come first. */
  resolve(identity: RegisterRequest['fields'], host: string, listener: ListenerConfig): Resolution {
    const device = this.#matched({ identity, host });
    if (device !== undefined) return { device };
    if (listener.unknown === 'refuse')
      return { refused: `no device of the configuration matches ${identity.imei}` };
    return this.accept(nameByImei(identity.imei), listener, { identity, host });
  }

  /**
   * The configured device that is known by this address alone. Until the peer has had its time to register
   * (`waited`), a device that stands before it in the configuration and may yet be named by its register has precedence.
   */
  resolveAddress(host: string, waited: boolean): DeviceRunner | undefined {
    for (const { match, runner } of this.#matches) {
      if (match.from !== undefined && !cameFrom(match, host)) continue;
      if (match.imei === undefined && match.appid === undefined) return runner;
      if (!waited) return undefined;
    }
    return undefined;
  }

  /** An unannounced device by its name; it is made where it is new. */
  accept(name: string, listener: ListenerConfig, arrival: Arrival): Resolution {
    const known = this.#accepted.get(name);
    if (known !== undefined) {
      this.#accepted.set(name, { ...known, arrival });
      return { device: known.runner };
    }
    if (this.#configured.has(name))
      return { refused: `the configuration has a device ${name} of another kind` };
    if (this.#accepted.size >= listener.maxDevices) {
      return { refused: `max_devices: ${listener.maxDevices} unknown devices are known already` };
    }
    const device = this.#enter(name, listener, arrival);
    // It is here now, so no earlier look is needed for it than in its whole time; many come at once.
    if (this.#clock.now().monoMs + listener.forgetMs < this.#sweepsAt) this.#sweepLater();
    return { device };
  }

  /** The configured device that registers so; nothing is made for a device that is new. */
  matching(identity: RegisterRequest['fields'], host: string): DeviceRunner | undefined {
    return this.#matched({ identity, host });
  }

  /** The listener that an unannounced device came by at first. */
  listenerOf(name: string): ListenerConfig | undefined {
    return this.#accepted.get(name)?.listener;
  }

  /** Stops every device. */
  stop(): void {
    this.#sweep?.cancel();
    for (const runner of this.all()) runner.stop();
  }

  /** The configured device that a peer is, as far as its register or its address tells. */
  #matched({ identity, host }: Arrival): DeviceRunner | undefined {
    if (identity === undefined) return this.resolveAddress(host, true);
    return this.#matches.find(({ match }) => matches(match, identity, host))?.runner;
  }

  #enter(name: string, listener: ListenerConfig, arrival: Arrival): DeviceRunner {
    const runner = this.#makeRunner({ ...listener.session, device: name }, listener);
    this.#accepted.set(name, { runner, listener, arrival });
    runner.start();
    return runner;
  }

  #remove(name: string): void {
    const runner = this.#accepted.get(name)?.runner;
    this.#accepted.delete(name);
    runner?.remove();
    this.#over(name);
  }

  #sweepLater(): void {
    this.#sweep?.cancel();
    this.#sweepsAt = Number.POSITIVE_INFINITY;
    if (this.#accepted.size === 0) return;
    const waits = [...this.#accepted.values()].map(
      ({ runner, listener }) => listener.forgetMs - runner.awayMs(),
    );
    const soonest = Math.min(Math.max(Math.min(...waits), 1), SWEEP_EVERY_MS);
    this.#sweepsAt = this.#clock.now().monoMs + soonest;
    this.#sweep = this.#clock.setTimer(this.#sweepsAt, () => this.#forget());
  }

  #forget(): void {
    for (const [name, { runner, listener }] of this.#accepted) {
      if (runner.awayMs() >= listener.forgetMs) this.#remove(name);
    }
    this.#sweepLater();
  }
}

function matches(match: MatchConfig, identity: RegisterRequest['fields'], host: string): boolean {
  if (match.imei !== undefined && match.imei !== identity.imei) return false;
  if (match.appid !== undefined && match.appid.toLowerCase() !== identity.appid.toLowerCase()) return false;
  return match.from === undefined || cameFrom(match, host);
}

function cameFrom(match: MatchConfig, host: string): boolean {
  return (match.from ?? []).some((text) => {
    const block = parseBlock(text);
    return block !== undefined && addressInBlock(host, block);
  });
}
