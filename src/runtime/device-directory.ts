import type { ListenerConfig, MatchConfig } from '../config/model.ts';
import { addressInBlock, parseBlock } from '../device/address-match.ts';
import { nameByImei } from '../device/device-name.ts';
import type { SessionSettings } from '../device/settings.ts';
import type { DeviceStatus } from '../device/state-document.ts';
import type { RegisterRequest } from '../protocol/message.ts';
import type { Clock, Timer } from './clock.ts';
import type { DeviceRunner } from './device-runner.ts';

const SWEEP_EVERY_MS = 60_000;

/** The device that a link belongs to, or why it belongs to none. */
export type Resolution = { readonly device: DeviceRunner } | { readonly refused: string };

interface Accepted {
  readonly runner: DeviceRunner;
  readonly forgetMs: number;
}

/** Every device of the bridge by its id: the configured ones, and those that dialled in unannounced. */
export class DeviceDirectory {
  readonly #clock: Clock;
  readonly #makeRunner: (settings: SessionSettings) => DeviceRunner;
  readonly #configured = new Map<string, DeviceRunner>();
  readonly #matches: Array<{ readonly match: MatchConfig; readonly runner: DeviceRunner }> = [];
  readonly #accepted = new Map<string, Accepted>();
  #sweep: Timer | undefined;

  constructor(clock: Clock, makeRunner: (settings: SessionSettings) => DeviceRunner) {
    this.#clock = clock;
    this.#makeRunner = makeRunner;
  }

  /** A device of the configuration; with `match` where it dials in. */
  add(runner: DeviceRunner, match?: MatchConfig): void {
    this.#configured.set(runner.id, runner);
    if (match !== undefined) this.#matches.push({ match, runner });
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
    const found = this.#matches.find(({ match }) => matches(match, identity, host));
    if (found !== undefined) return { device: found.runner };
    if (listener.unknown === 'refuse')
      return { refused: `no device of the configuration matches ${identity.imei}` };
    return this.accept(nameByImei(identity.imei), listener);
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
  accept(name: string, listener: ListenerConfig): Resolution {
    const known = this.#accepted.get(name);
    if (known !== undefined) return { device: known.runner };
    if (this.#configured.has(name))
      return { refused: `the configuration has a device ${name} of another kind` };
    if (this.#accepted.size >= listener.maxDevices) {
      return { refused: `max_devices: ${listener.maxDevices} unknown devices are known already` };
    }
    const runner = this.#makeRunner({ ...listener.session, device: name });
    this.#accepted.set(name, { runner, forgetMs: listener.forgetMs });
    runner.start();
    this.#sweepLater();
    return { device: runner };
  }

  /** Stops every device. */
  stop(): void {
    this.#sweep?.cancel();
    for (const runner of this.all()) runner.stop();
  }

  #sweepLater(): void {
    this.#sweep?.cancel();
    if (this.#accepted.size === 0) return;
    const waits = [...this.#accepted.values()].map(({ runner, forgetMs }) => forgetMs - runner.awayMs());
    const soonest = Math.min(Math.max(Math.min(...waits), 1), SWEEP_EVERY_MS);
    this.#sweep = this.#clock.setTimer(this.#clock.now().monoMs + soonest, () => this.#forget());
  }

  #forget(): void {
    for (const [name, { runner, forgetMs }] of this.#accepted) {
      if (runner.awayMs() < forgetMs) continue;
      this.#accepted.delete(name);
      runner.remove();
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
