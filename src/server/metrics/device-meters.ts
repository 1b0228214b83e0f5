import type { Tally } from '../../devices/core/stats.ts';
import type { DeviceReading } from '../../devices/device-runner.ts';
import { atOnce } from '../../system/slices.ts';
import { DeviceSums } from './device-sums.ts';

/** Devices with series of their own at most; all others are counted together. */
export const MOST_NAMED_DEVICES = 1_000;
/** Devices between two places where a snapshot may be interrupted. */
const STRIDE = 64;

/** A device as it is now. */
export interface MeteredDevice {
  readonly reading: DeviceReading;
}

export interface DeviceMetersOptions {
  /** Configured devices have series of their own. */
  readonly perDevice: boolean;
  /** All devices of the bridge, in the order of the configuration. */
  all(): Iterable<MeteredDevice>;
  isConfigured(id: string): boolean;
}

/** All devices at one moment: `groups` is counted, by its label; `named` is shown, one by one. */
export interface DeviceSnapshot {
  readonly readings: readonly DeviceReading[];
  /** Sums by the label `device`; '' is all that have no series of their own. Their sum is that of all devices. */
  readonly groups: ReadonlyMap<string, DeviceSums>;
  readonly named: readonly DeviceReading[];
}

/**
 * The counters of all devices, which never go down: what a device had counted when it was forgotten, or when it was
 * replaced by another with its id, is carried on. A device keeps its series once it has one, also when it is gone, so
 * that no count ever moves from one series into another.
 */
export class DeviceMeters {
  readonly #options: DeviceMetersOptions;
  /** Counts of devices that are gone. */
  readonly #carried = new Map<string, DeviceSums>([['', new DeviceSums()]]);
  /** What is carried on already, by the very object that was counted with. */
  readonly #retired = new WeakSet<Tally>();

  constructor(options: DeviceMetersOptions) {
    this.#options = options;
  }

  /** The device counts nothing any more; whether it is taken out or still listed makes no difference. */
  retire(reading: DeviceReading): void {
    if (this.#retired.has(reading.tally)) return;
    this.#retired.add(reading.tally);
    this.#sumsOf(this.#carried, this.#labelOf(reading.id)).add(reading);
  }

  snapshot(): DeviceSnapshot {
    return atOnce(this.snapshotting());
  }

  /** The same, interrupted wherever it yields: what is counted is settled before, so nothing counts twice or not at all. */
  *snapshotting(): Generator<undefined, DeviceSnapshot> {
    const readings = [...this.#options.all()].map(({ reading }) => reading);
    const labels = new Map(readings.map(({ id }) => [id, this.#labelOf(id)]));
    const present = readings.filter(({ tally }) => !this.#retired.has(tally));
    const groups = new Map<string, DeviceSums>();
    for (const [label, sums] of this.#carried) this.#sumsOf(groups, label).addSums(sums);
    for (const [index, reading] of present.entries()) {
      if (index % STRIDE === 0) yield;
      this.#sumsOf(groups, labels.get(reading.id) ?? '').add(reading);
    }
    return { readings, groups, named: readings.filter(({ id }) => labels.get(id) !== '') };
  }

  /** Decided when a device is first seen, and then for good. */
  #labelOf(id: string): string {
    if (this.#carried.has(id)) return id;
    const { perDevice, isConfigured } = this.#options;
    if (!perDevice || this.#carried.size > MOST_NAMED_DEVICES || !isConfigured(id)) return '';
    this.#carried.set(id, new DeviceSums());
    return id;
  }

  #sumsOf(groups: Map<string, DeviceSums>, label: string): DeviceSums {
    const known = groups.get(label) ?? new DeviceSums();
    groups.set(label, known);
    return known;
  }
}
