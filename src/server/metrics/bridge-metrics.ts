import type { DeclarationDocument } from '../../contract/feed/index.ts';
import { type DeviceReading, ROUND_TRIP_BOUNDS_MS, Tally } from '../../devices/index.ts';
import type { FeedStore, SubscriberRegistry } from '../../feed/index.ts';
import { type Clock, inSlices } from '../../system/index.ts';
import { KEPT_MS, LARGEST_FRESH } from '../http/device-list.ts';
import { PiecesOfText } from '../http/pieces.ts';
import { addBackplaneFamilies, type BackplaneCounts } from './backplane-families.ts';
import { addBridgeFamilies, type BridgeFamilySources, LoopDelayWatch } from './bridge-families.ts';
import {
  addDeviceFamilies,
  DeviceMeters,
  type DeviceMetersOptions,
  type DeviceSnapshot,
} from './device-families.ts';
import { addFamily, histogramText, type Metrics } from './family.ts';
import { addFeedFamilies } from './feed-families.ts';
import { addOutputFamilies, type OutputStatuses } from './output-families.ts';
import { type ValueSources, valueSeries } from './value-series.ts';

export interface BridgeMetricsOptions extends DeviceMetersOptions, Omit<BridgeFamilySources, 'loopDelay'> {
  subscriberRegistry(): SubscriberRegistry;
  readonly store: FeedStore;
  /** Which values have series, as `metrics.values` says. */
  readonly values: readonly string[];
  readonly outputs: OutputStatuses;
  /** Absent: this is the only instance. */
  readonly backplane?: (() => BackplaneCounts) | undefined;
}

/**
 * The metrics of a bridge for Prometheus. Everything is counted where it happens and only put together here, when it is asked
 * for; there is nothing that two bridges of one process would share.
 */
export class BridgeMetrics {
  /** The text format of Prometheus. */
  readonly contentType: string = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #options: BridgeMetricsOptions;
  #families: Metrics['families'] | undefined;
  readonly #meters: DeviceMeters;
  readonly #loop = new LoopDelayWatch();
  readonly #clock: Clock;
  #snapshot: DeviceSnapshot | undefined;
  /** Of many devices; that of few is rendered for each request. */
  #latest: { readonly text: readonly Uint8Array[]; readonly begunAtMs: number } | undefined;
  #rendering: Promise<readonly Uint8Array[]> | undefined;

  constructor(options: BridgeMetricsOptions) {
    this.#meters = new DeviceMeters(options);
    this.#clock = options.clock;
    this.#options = options;
  }

  /** The families; made when they are first asked for, for many bridges are never asked. */
  #allFamilies(): Metrics['families'] {
    const metrics: Metrics = { families: new Map() };
    const options = this.#options;
    const loopDelay = () => this.#loop.read(options.clock.now().monoMs);
    addBridgeFamilies(metrics, { ...options, loopDelay });
    addDeviceFamilies(metrics, () => this.#devices());
    addFeedFamilies(metrics, options.subscriberRegistry, options.store);
    addOutputFamilies(metrics, options.outputs);
    if (options.backplane !== undefined) addBackplaneFamilies(metrics, options.backplane);
    return metrics.families;
  }

  start(): void {
    this.#loop.start();
  }

  /** A device counts nothing any more; what it has counted stays. */
  readonly retire = (reading: DeviceReading): void => this.#meters.retire(reading);

  /** Everything, in the text format of Prometheus, as UTF-8 in pieces; rendered once for all concurrent requests, in slices where it is long. */
  text(): Promise<readonly Uint8Array[]> {
    if (this.#rendering !== undefined) return this.#rendering;
    const latest = this.#latest;
    if (latest !== undefined && this.#clock.now().monoMs - latest.begunAtMs < KEPT_MS)
      return Promise.resolve(latest.text);
    this.#rendering = this.#render().finally(() => {
      this.#rendering = this.#snapshot = undefined;
    });
    return this.#rendering;
  }

  async #render(): Promise<readonly Uint8Array[]> {
    const begunAtMs = this.#clock.now().monoMs;
    const text = await inSlices(this.#rendered());
    const devices = this.#snapshot?.readings.length ?? 0;
    this.#latest = devices > LARGEST_FRESH ? { text, begunAtMs } : undefined;
    return text;
  }

  *#rendered(): Generator<undefined, readonly Uint8Array[]> {
    const snapshot = yield* this.#meters.snapshotting();
    this.#snapshot = snapshot;
    this.#families ??= this.#allFamilies();
    const text = new PiecesOfText();
    for (const family of this.#families.values()) {
      yield* addFamily(text, family);
    }
    const all = new Tally();
    for (const { tally } of snapshot.groups.values()) all.add(tally);
    const histogram = histogramText({
      name: 'heartwire_round_trip_seconds',
      help: 'Round trips of heartbeats that were out alone, of all devices.',
      bounds: ROUND_TRIP_BOUNDS_MS.map((ms) => ms / 1_000),
      counts: all.roundTrips,
      sum: all.roundTripSumMs / 1_000,
    });
    text.add(histogram);
    text.add(yield* valueSeries(this.#valueSources()));
    return text.finish();
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
