import type { Registry } from 'prom-client';
import type { DeclarationDocument } from '../../contract/feed/index.ts';
import { type DeviceReading, ROUND_TRIP_BOUNDS_MS, Tally } from '../../devices/index.ts';
import type { FeedStore, SubscriberRegistry } from '../../feed/index.ts';
import { type Clock, inSlices, Slices } from '../../system/index.ts';
import { KEPT_MS, LARGEST_FRESH } from '../http/device-list.ts';
import { addBridgeFamilies, type BridgeFamilySources, LoopDelayWatch } from './bridge-families.ts';
import {
  addDeviceFamilies,
  DeviceMeters,
  type DeviceMetersOptions,
  type DeviceSnapshot,
} from './device-families.ts';
import { histogramText } from './family.ts';
import { addFeedFamilies } from './feed-families.ts';
import { type ValueSources, valueSeries } from './value-series.ts';

export interface BridgeMetricsOptions extends DeviceMetersOptions, Omit<BridgeFamilySources, 'loopDelay'> {
  subscriberRegistry(): SubscriberRegistry;
  readonly store: FeedStore;
  /** Which values have series, as `metrics.values` says. */
  readonly values: readonly string[];
}

/**
 * The metrics of a bridge for Prometheus. Everything is counted where it happens and only put together here, when it is asked
 * for; there is nothing that two bridges of one process would share.
 */
export class BridgeMetrics {
  /** The text format of Prometheus. */
  readonly contentType: string = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #options: BridgeMetricsOptions;
  #registry: Promise<Registry> | undefined;
  readonly #meters: DeviceMeters;
  readonly #loop = new LoopDelayWatch();
  readonly #clock: Clock;
  #snapshot: DeviceSnapshot | undefined;
  /** Of many devices; that of few is rendered for each request. */
  #latest: { readonly text: Uint8Array; readonly begunAtMs: number } | undefined;
  #rendering: Promise<Uint8Array> | undefined;

  constructor(options: BridgeMetricsOptions) {
    this.#meters = new DeviceMeters(options);
    this.#clock = options.clock;
    this.#options = options;
  }

  /** The families; made when they are first asked for, for many bridges are never asked. */
  async #families(): Promise<Registry> {
    const library = await import('prom-client');
    const registry = new library.Registry();
    const metrics = { library, registry };
    const options = this.#options;
    const loopDelay = () => this.#loop.read(options.clock.now().monoMs);
    addBridgeFamilies(metrics, { ...options, loopDelay });
    addDeviceFamilies(metrics, () => this.#devices());
    addFeedFamilies(metrics, options.subscriberRegistry, options.store);
    return registry;
  }

  start(): void {
    this.#loop.start();
  }

  /** A device counts nothing any more; what it has counted stays. */
  readonly retire = (reading: DeviceReading): void => this.#meters.retire(reading);

  /** Everything, in the text format of Prometheus, as UTF-8; rendered once for all concurrent requests, in slices where it is long. */
  text(): Promise<Uint8Array> {
    if (this.#rendering !== undefined) return this.#rendering;
    const latest = this.#latest;
    if (latest !== undefined && this.#clock.now().monoMs - latest.begunAtMs < KEPT_MS)
      return Promise.resolve(latest.text);
    this.#rendering = this.#render().finally(() => {
      this.#rendering = this.#snapshot = undefined;
    });
    return this.#rendering;
  }

  async #render(): Promise<Uint8Array> {
    const begunAtMs = this.#clock.now().monoMs;
    const slices = new Slices();
    const snapshot = await inSlices(this.#meters.snapshotting());
    this.#snapshot = snapshot;
    const families: string[] = [];
    this.#registry ??= this.#families();
    const registry = await this.#registry;
    for (const { name } of registry.getMetricsAsArray()) {
      families.push(await registry.getSingleMetricAsString(name));
      await slices.pause();
    }
    const all = new Tally();
    for (const { tally } of snapshot.groups.values()) all.add(tally);
    families.push(
      histogramText({
        name: 'heartwire_round_trip_seconds',
        help: 'Round trips of heartbeats that were out alone, of all devices.',
        bounds: ROUND_TRIP_BOUNDS_MS.map((ms) => ms / 1_000),
        counts: all.roundTrips,
        sum: all.roundTripSumMs / 1_000,
      }),
    );
    const values = await inSlices(valueSeries(this.#valueSources()));
    if (values !== '') families.push(values);
    const text = Buffer.from(families.join('\n\n'));
    this.#latest = snapshot.readings.length > LARGEST_FRESH ? { text, begunAtMs } : undefined;
    return text;
  }

  stop(): void {
    this.#loop.stop();
  }

  #valueSources(): ValueSources {
    const { store, values: patterns, isConfigured } = this.#options;
    return {
      patterns,
      isConfigured,
      states: () => store.documents('devices/+/state').map(({ document }) => document),
      // The bridge writes it; its shape is part of the contract.
      declaration: (key) => store.document(`declarations/${key}`) as DeclarationDocument | undefined,
    };
  }

  #devices(): DeviceSnapshot {
    return this.#snapshot ?? this.#meters.snapshot();
  }
}
