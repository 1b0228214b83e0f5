import type { StatsDocument } from '../../contract/feed/index.ts';
import { DEVICE_STATUSES, LINK_STATUSES } from '../../contract/wire/index.ts';
import { type DeviceReading, Tally } from '../../devices/index.ts';
import { atOnce } from '../../system/index.ts';
import { addCounter, addGauge, type Metrics, type Sample } from './family.ts';

/** The metrics of devices; `now` gives them as they are when metrics are read. */
export function addDeviceFamilies(metrics: Metrics, now: () => DeviceSnapshot): void {
  addGauge(metrics, {
    name: 'heartwire_devices',
    help: 'Devices by status.',
    labels: ['status'],
    read: () => byStatus(DEVICE_STATUSES, now().readings, ({ state }) => state.status),
  });
  addGauge(metrics, {
    name: 'heartwire_links',
    help: 'Links of devices by status.',
    labels: ['status'],
    read: () => byStatus(LINK_STATUSES, now().readings, ({ state }) => state.link.status),
  });
  for (const [index, { name, help }] of DEVICE_COUNTERS.entries()) {
    addCounter(metrics, {
      name,
      help,
      labels: ['device'],
      read: () => [...now().groups].map(([device, sums]): Sample => [labelled(device), sums.at(index)]),
    });
  }
  addTallies(metrics, now);
  addNamed(metrics, now);
}

function addTallies(metrics: Metrics, now: () => DeviceSnapshot): void {
  const byReason = (of: (tally: Tally) => ReadonlyMap<string, number>) =>
    [...now().groups].flatMap(([device, { tally }]) =>
      [...of(tally)].map(([reason, count]): Sample => [{ ...labelled(device), reason }, count]),
    );
  addCounter(metrics, {
    name: 'heartwire_discarded_bytes_total',
    help: 'Bytes that belonged to no frame, by reason.',
    labels: ['device', 'reason'],
    read: () => byReason(({ discardedBytes }) => discardedBytes),
  });
  addCounter(metrics, {
    name: 'heartwire_link_losses_total',
    help: 'Links that were lost or could not be opened, by the code that says why.',
    labels: ['device', 'reason'],
    read: () => byReason(({ linkLosses }) => linkLosses),
  });
}

/** What makes sense of one device only. */
function addNamed(metrics: Metrics, now: () => DeviceSnapshot): void {
  const each = (name: string, help: string, of: (reading: DeviceReading) => number | undefined): void =>
    addGauge(metrics, {
      name,
      help,
      labels: ['device'],
      read: () =>
        now().named.flatMap((reading): Sample[] => {
          const value = of(reading);
          return value === undefined ? [] : [[{ device: reading.id }, value]];
        }),
    });
  addGauge(metrics, {
    name: 'heartwire_device_info',
    help: 'Always 1; the labels say what people call the device.',
    labels: ['device', 'label', 'group'],
    read: () =>
      now().named.flatMap(({ id, state: { label, group } }): Sample[] =>
        label === undefined && group === undefined
          ? []
          : [[{ device: id, label: label ?? '', group: group ?? '' }, 1]],
      ),
  });
  each('heartwire_device_online', 'Whether the device is online (1) or not (0).', ({ state }) =>
    state.status === 'online' ? 1 : 0,
  );
  each(
    'heartwire_device_last_frame_timestamp_seconds',
    'When the last valid frame came, in seconds since the Unix epoch.',
    ({ counts }) => seconds(counts.last_frame_at),
  );
  each(
    'heartwire_device_last_round_trip_seconds',
    'Round trip of the last heartbeat that was out alone.',
    ({ counts }) => seconds(counts.round_trip_ms),
  );
  each(
    'heartwire_device_clock_offset_seconds',
    "How far the device's clock is ahead of that of the bridge.",
    ({ state }) => seconds(state.clock?.offset_ms),
  );
}

function byStatus<Status extends string>(
  all: Readonly<Record<Status, unknown>>,
  readings: readonly DeviceReading[],
  of: (reading: DeviceReading) => Status,
): Sample[] {
  // Every status has a series from the start, so that a rule about it has something to look at.
  const counts = new Map<string, number>(Object.keys(all).map((status) => [status, 0]));
  for (const reading of readings) counts.set(of(reading), (counts.get(of(reading)) ?? 0) + 1);
  return [...counts].map(([status, count]) => [{ status }, count]);
}

function labelled(device: string): Record<string, string> {
  return device === '' ? {} : { device };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

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
  /** Counts of devices that are gone; sums are replaced, never changed, for a snapshot may be reading them. */
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
    const label = this.#labelOf(reading.id);
    const sums = new DeviceSums();
    sums.addSums(this.#sumsOf(this.#carried, label));
    sums.add(reading);
    this.#carried.set(label, sums);
  }

  snapshot(): DeviceSnapshot {
    return atOnce(this.snapshotting());
  }

  /** The same, interrupted wherever it yields: what is counted is settled before, so nothing counts twice or not at all. */
  *snapshotting(): Generator<undefined, DeviceSnapshot> {
    const readings = [...this.#options.all()].map(({ reading }) => reading);
    const labels = new Map(readings.map(({ id }) => [id, this.#labelOf(id)]));
    const present = readings.filter(({ tally }) => !this.#retired.has(tally));
    const carried = [...this.#carried];
    const groups = new Map<string, DeviceSums>();
    for (const [index, [label, sums]] of carried.entries()) {
      if (index % STRIDE === 0) yield;
      this.#sumsOf(groups, label).addSums(sums);
    }
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

/** One figure that is counted for every device. */
export interface DeviceCounter {
  readonly name: string;
  readonly help: string;
  readonly of: (reading: DeviceReading) => number;
}

const counted = (
  name: string,
  key: Exclude<keyof StatsDocument, `${string}_at` | 'round_trip_ms'>,
  help: string,
): DeviceCounter => ({ name, help, of: ({ counts }) => counts[key] });

export const DEVICE_COUNTERS: readonly DeviceCounter[] = [
  counted('heartwire_received_bytes_total', 'bytes_in', 'Bytes that came from devices.'),
  {
    name: 'heartwire_sent_bytes_total',
    help: 'Bytes that the links to devices took.',
    of: ({ bytesOut }) => bytesOut,
  },
  counted(
    'heartwire_received_frames_total',
    'frames_in',
    'Whole frames that came from devices, once their link had a name.',
  ),
  counted('heartwire_sent_frames_total', 'frames_out', 'Frames that were to be sent to devices.'),
  counted('heartwire_invalid_frames_total', 'invalid', 'Frames whose content was not as declared.'),
  counted('heartwire_unknown_frames_total', 'unknown', 'Frames with an id that is not declared.'),
  counted('heartwire_late_replies_total', 'late_replies', 'Replies that came after their time was up.'),
  counted('heartwire_unsolicited_replies_total', 'unsolicited_replies', 'Replies without a request.'),
  counted('heartwire_error_replies_total', 'error_replies', 'Replies with an error code of the device.'),
  counted('heartwire_request_timeouts_total', 'timeouts', 'Requests that were not answered in time.'),
  counted('heartwire_refused_sends_total', 'refused_sends', 'Frames that a link did not take.'),
  counted(
    'heartwire_connects_total',
    'connects',
    'Links that opened; every one after the first is a reconnect.',
  ),
  counted(
    'heartwire_takeovers_total',
    'takeovers',
    'Links that were replaced by a newer one of the same device.',
  ),
];

/** The sums of devices whose counters are shown together, and of former lives of a device. */
export class DeviceSums {
  readonly tally = new Tally();
  readonly #sums: number[] = DEVICE_COUNTERS.map(() => 0);

  add(reading: DeviceReading): void {
    for (const [index, { of }] of DEVICE_COUNTERS.entries()) {
      this.#sums[index] = this.at(index) + of(reading);
    }
    this.tally.add(reading.tally);
  }

  addSums(other: DeviceSums): void {
    for (const [index, sum] of other.#sums.entries()) this.#sums[index] = this.at(index) + sum;
    this.tally.add(other.tally);
  }

  /** The sum of the counter at this place of `DEVICE_COUNTERS`. */
  at(index: number): number {
    return this.#sums[index] ?? 0;
  }
}
