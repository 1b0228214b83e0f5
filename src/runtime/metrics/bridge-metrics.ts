import { Registry } from 'prom-client';
import { ROUND_TRIP_BOUNDS_MS, Tally } from '../../device/tally.ts';
import type { FeedStore } from '../../feed/store.ts';
import type { DeviceReading } from '../device-runner.ts';
import type { Roster } from '../feed/roster.ts';
import { addBridgeFamilies, type BridgeFamilySources } from './bridge-families.ts';
import { addDeviceFamilies } from './device-families.ts';
import { DeviceMeters, type DeviceMetersOptions, type DeviceSnapshot } from './device-meters.ts';
import { addFeedFamilies } from './feed-families.ts';
import { histogramText } from './histogram-text.ts';
import { LoopDelayWatch } from './loop-delay.ts';

export interface BridgeMetricsOptions extends DeviceMetersOptions, Omit<BridgeFamilySources, 'loopDelay'> {
  roster(): Roster;
  readonly store: FeedStore;
}

/**
 * What a bridge tells Prometheus. Everything is counted where it happens and only put together here, when it is asked
 * for; there is nothing that two bridges of one process would share.
 */
export class BridgeMetrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #meters: DeviceMeters;
  readonly #loop = new LoopDelayWatch();
  #snapshot: DeviceSnapshot | undefined;

  constructor(options: BridgeMetricsOptions) {
    this.#meters = new DeviceMeters(options);
    this.contentType = this.#registry.contentType;
    const loopDelay = () => this.#loop.read(options.clock.now().monoMs);
    addBridgeFamilies(this.#registry, { ...options, loopDelay });
    addDeviceFamilies(this.#registry, () => this.#devices());
    addFeedFamilies(this.#registry, options.roster, options.store);
  }

  start(): void {
    this.#loop.start();
  }

  /** A device counts nothing any more; what it has counted stays. */
  readonly retire = (reading: DeviceReading): void => this.#meters.retire(reading);

  /** Everything, in the text format of Prometheus. */
  async text(): Promise<string> {
    this.#snapshot = this.#meters.snapshot();
    // Every family is read before the first wait, so all of them see one and the same moment.
    const families = this.#registry.metrics();
    const { groups } = this.#snapshot;
    this.#snapshot = undefined;
    const all = new Tally();
    for (const { tally } of groups.values()) all.add(tally);
    return `${await families}\n${histogramText({
      name: 'heartwire_round_trip_seconds',
      help: 'Round trips of heartbeats that were out alone, of all devices.',
      bounds: ROUND_TRIP_BOUNDS_MS.map((ms) => ms / 1_000),
      counts: all.roundTrips,
      sum: all.roundTripSumMs / 1_000,
    })}`;
  }

  stop(): void {
    this.#loop.stop();
  }

  #devices(): DeviceSnapshot {
    return this.#snapshot ?? this.#meters.snapshot();
  }
}
