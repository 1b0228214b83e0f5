import type { Registry } from 'prom-client';
import type { DeviceStatus, LinkStatus } from '../../contract/feed/topic-documents.ts';
import type { Tally } from '../../devices/core/stats.ts';
import type { DeviceReading } from '../../devices/device-runner.ts';
import type { DeviceSnapshot } from './device-meters.ts';
import { DEVICE_COUNTERS } from './device-sums.ts';
import { addCounter, addGauge, type Sample } from './family.ts';

/** Every status has a series from the start, so that a rule about it has something to look at. */
const DEVICE_STATUSES: Readonly<Record<DeviceStatus, true>> = {
  unknown: true,
  registering: true,
  online: true,
  stale: true,
  offline: true,
  away: true,
};
const LINK_STATUSES: Readonly<Record<LinkStatus, true>> = {
  disabled: true,
  listening: true,
  connecting: true,
  connected: true,
  backoff: true,
  failed: true,
};

/** What is told of devices; `now` gives them as they are when metrics are read. */
export function addDeviceFamilies(registry: Registry, now: () => DeviceSnapshot): void {
  addGauge(registry, {
    name: 'heartwire_devices',
    help: 'Devices by status.',
    labels: ['status'],
    read: () => byStatus(DEVICE_STATUSES, now().readings, ({ state }) => state.status),
  });
  addGauge(registry, {
    name: 'heartwire_links',
    help: 'Links of devices by status.',
    labels: ['status'],
    read: () => byStatus(LINK_STATUSES, now().readings, ({ state }) => state.link.status),
  });
  for (const [index, { name, help }] of DEVICE_COUNTERS.entries()) {
    addCounter(registry, {
      name,
      help,
      labels: ['device'],
      read: () => [...now().groups].map(([device, sums]): Sample => [labelled(device), sums.at(index)]),
    });
  }
  addTallies(registry, now);
  addNamed(registry, now);
}

function addTallies(registry: Registry, now: () => DeviceSnapshot): void {
  const byReason = (of: (tally: Tally) => ReadonlyMap<string, number>) =>
    [...now().groups].flatMap(([device, { tally }]) =>
      [...of(tally)].map(([reason, count]): Sample => [{ ...labelled(device), reason }, count]),
    );
  addCounter(registry, {
    name: 'heartwire_discarded_bytes_total',
    help: 'Bytes that belonged to no frame, by reason.',
    labels: ['device', 'reason'],
    read: () => byReason(({ discardedBytes }) => discardedBytes),
  });
  addCounter(registry, {
    name: 'heartwire_link_losses_total',
    help: 'Links that were lost or could not be opened, by the code that says why.',
    labels: ['device', 'reason'],
    read: () => byReason(({ linkLosses }) => linkLosses),
  });
}

/** What makes sense of one device only. */
function addNamed(registry: Registry, now: () => DeviceSnapshot): void {
  const each = (name: string, help: string, of: (reading: DeviceReading) => number | undefined): void =>
    addGauge(registry, {
      name,
      help,
      labels: ['device'],
      read: () =>
        now().named.flatMap((reading): Sample[] => {
          const value = of(reading);
          return value === undefined ? [] : [[{ device: reading.id }, value]];
        }),
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
  all: Readonly<Record<Status, true>>,
  readings: readonly DeviceReading[],
  of: (reading: DeviceReading) => Status,
): Sample[] {
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
