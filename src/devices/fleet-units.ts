import type { BusConfig, BusDeviceConfig, DeviceConfig, DialledDeviceConfig } from '../config/index.ts';
import type { Ownership, RemoteClaim } from '../contract/index.ts';
import type { BusRunner } from './bus-runner.ts';
import type { DeviceDirectory } from './device-directory.ts';

const BUS = 'bus ';

/** The unit of a line, with all devices on it. */
export const busUnit = (id: string): string => `${BUS}${id}`;

/** What the units of a fleet are. */
export interface UnitsOptions {
  /** Absent: this instance has everything for itself. */
  readonly ownership: Ownership | undefined;
  readonly directory: DeviceDirectory;
  /** The fleet has started, and not stopped yet. */
  running(): boolean;
  devices(): readonly DeviceConfig[];
  bus(id: string): BusRunner | undefined;
  buses(): Iterable<BusRunner>;
  /** Resolves once the ports of a device or a line are free. */
  freed(of: DialledDeviceConfig | BusConfig): Promise<void>;
  /** Another runner, which is not started, takes the place of one that is stopped. */
  replaceDevice(device: DialledDeviceConfig | BusDeviceConfig): void;
  replaceBus(bus: BusConfig): void;
}

/** Claims of other instances have ids unlike those of listeners here. */
let nextClaimId = -1;

/** Begins and ends devices as they belong to this instance, where several share one feed. */
export class FleetUnits {
  readonly #options: UnitsOptions;

  constructor(options: UnitsOptions) {
    this.#options = options;
  }

  /** Everything that this instance may own; the devices of a line are units beside it. */
  *all(): Generator<string> {
    for (const { id } of this.#options.buses()) yield busUnit(id);
    for (const { id } of this.#options.directory.all()) yield id;
  }

  owns(unit: string): boolean {
    return this.#options.ownership?.owns(unit) !== false;
  }

  /** What dials in is always ready; what is dialled, or on a line, begins once it is owned. */
  mayStart(device: DeviceConfig): boolean {
    if (device.kind === 'matched') return true;
    return this.owns(device.kind === 'bus' ? busUnit(device.bus) : device.id);
  }

  /** The ids of devices that have to wait for their turn. */
  waiting(): ReadonlySet<string> {
    if (this.#options.ownership === undefined) return new Set();
    return new Set(
      this.#options
        .devices()
        .filter((device) => !this.mayStart(device))
        .map(({ id }) => id),
    );
  }

  /** The unit belongs to this instance from now on. */
  begin(unit: string): void {
    if (!this.#options.running()) return;
    const bus = this.#busOf(unit);
    if (bus !== undefined) return void this.#beginBus(bus);
    const device = this.#dialled(unit);
    if (device !== undefined) void this.#beginDevice(device);
  }

  /** It belongs to another instance: what is dialled is closed; what dials in stays ready. */
  end(unit: string): void {
    if (!this.#options.running()) return;
    const { directory, replaceBus, replaceDevice } = this.#options;
    const bus = this.#busOf(unit);
    if (bus !== undefined) {
      const members = this.#membersOf(bus.id);
      for (const { id } of members) directory.get(id)?.stop('moved');
      replaceBus(bus.config);
      for (const device of members) replaceDevice(device);
      return;
    }
    const device = this.#dialled(unit);
    if (device === undefined) return;
    directory.get(unit)?.stop('moved');
    replaceDevice(device);
  }

  /** The device arrived at another instance: why its link here stays, or undefined where it goes there. */
  challenge(unit: string, { host, address }: RemoteClaim): Promise<string | undefined> {
    const runner = this.#busOf(unit)?.port ?? this.#options.directory.get(unit);
    // What is dialled arrives nowhere.
    if (runner === undefined || this.#dialled(unit) !== undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      runner.claim({
        claimId: nextClaimId--,
        host,
        address,
        attached: () => {
          resolve(undefined);
          return [];
        },
        refused: resolve,
      });
    });
  }

  async #beginDevice(device: DialledDeviceConfig): Promise<void> {
    const { running, freed, directory } = this.#options;
    await freed(device);
    const runner = directory.get(device.id);
    if (running() && this.owns(device.id) && runner?.started === false) runner.start();
  }

  async #beginBus(bus: BusRunner): Promise<void> {
    const { running, freed, directory } = this.#options;
    await freed(bus.config);
    if (!running() || this.#options.bus(bus.id) !== bus || !this.owns(busUnit(bus.id))) return;
    for (const { id } of this.#membersOf(bus.id)) {
      const runner = directory.get(id);
      if (runner?.started === false) runner.start();
    }
    if (!bus.port.started) bus.start();
  }

  #busOf(unit: string): BusRunner | undefined {
    return unit.startsWith(BUS) ? this.#options.bus(unit.slice(BUS.length)) : undefined;
  }

  #dialled(unit: string): DialledDeviceConfig | undefined {
    const device = this.#options.devices().find(({ id }) => id === unit);
    return device?.kind === 'dialled' ? device : undefined;
  }

  #membersOf(bus: string): readonly BusDeviceConfig[] {
    return this.#options.devices().flatMap((each) => (each.kind === 'bus' && each.bus === bus ? [each] : []));
  }
}
