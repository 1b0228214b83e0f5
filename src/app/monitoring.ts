import type { Answer } from '../access/index.ts';
import type { BridgeConfig } from '../config/index.ts';
import { CLOSE_CODES, type JsonObject } from '../contract/wire/index.ts';
import type { DeviceReading, Fleet, UploadStore } from '../devices/index.ts';
import type { FeedLog, FeedStore, SubscriberRegistry } from '../feed/index.ts';
import {
  type BackplaneCounts,
  BridgeMetrics,
  observingRoutes,
  type ProcessUsage,
  Readiness,
} from '../server/index.ts';
import {
  BoundedLog,
  type Clock,
  collapsingLog,
  DEFAULT_LINES_PER_SECOND,
  type Live,
  type Log,
  LogCounts,
  LogTail,
} from '../system/index.ts';

export interface MonitoringOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: FeedStore;
  readonly uploads: UploadStore | undefined;
  readonly usage?: (() => ProcessUsage) | undefined;
  readonly live: Live<BridgeConfig>;
  /** Whether a device belongs to this instance; absent: all do. */
  readonly owns?: ((device: string) => boolean) | undefined;
  /** What it shares with other instances; absent: it is the only one. */
  readonly shared?: (() => SharedReadings | undefined) | undefined;
  /** As `bridge/status` shows it. */
  configStatus(): JsonObject;
  fleet(): Fleet;
  subscriberRegistry(): SubscriberRegistry;
  recorder(): { status(): JsonObject } | undefined;
  outputs(): readonly JsonObject[] | undefined;
}

/** Of an instance among others. */
export interface SharedReadings {
  readonly readiness: 'joining' | 'superseded' | undefined;
  counts(): BackplaneCounts;
}

/** Log, metrics and readiness of a bridge. */
export class Monitoring {
  /** Counted and collapsed. */
  readonly log: Log;
  /** Its last lines. */
  readonly tail: LogTail;
  /** What there is at a path, for the HTTP server. */
  readonly routes: (path: string) => (() => Answer) | undefined;
  readonly #bounded: BoundedLog;
  readonly #metrics: BridgeMetrics;
  readonly #readiness: Readiness;

  constructor(options: MonitoringOptions) {
    const { clock, store, live, fleet, uploads, shared } = options;
    const logCounts = new LogCounts();
    this.#bounded = new BoundedLog(options.log, clock, live.value.log?.maxLinesPerSecond);
    live.watch(({ log }) => this.#bounded.follow(log?.maxLinesPerSecond ?? DEFAULT_LINES_PER_SECOND));
    this.tail = new LogTail(logCounts.counting(collapsingLog(this.#bounded.log, clock)), clock);
    this.log = this.tail.log;
    this.#metrics = new BridgeMetrics({
      version: options.version,
      nodeVersion: process.versions.node,
      clock,
      logCounts,
      omittedLines: () => this.#bounded.omitted,
      store,
      perDevice: live.value.metrics?.perDevice ?? false,
      values: live.value.metrics?.values ?? [],
      all: () => fleet().directory.all(),
      isConfigured: (id) => fleet().directory.isConfigured(id),
      deviceListeners: () => fleet().deviceListeners(),
      buses: () => fleet().buses(),
      subscriberRegistry: options.subscriberRegistry,
      configStatus: options.configStatus,
      recorder: options.recorder,
      outputs: options.outputs,
      uploads: () => uploads,
      usage: options.usage,
      backplane: shared && (() => countsOf(shared())),
    });
    this.#readiness = new Readiness({
      // One that another instance has is its concern.
      required: () => (live.value.requiredDevices ?? []).filter((id) => options.owns?.(id) !== false),
      reading: (id) => fleet().directory.get(id)?.reading,
      listeners: () =>
        fleet()
          .deviceListeners()
          .map((deviceListener) => deviceListener.status()),
      backplane: () => shared?.()?.readiness,
    });
    this.routes = observingRoutes(this.#metrics, this.#readiness, () => live.value.access !== undefined);
  }

  start(): void {
    this.#metrics.start();
  }

  /** Everything is bound, and every device dialled. */
  started(): void {
    this.#readiness.started();
  }

  /** The bridge stops: it is not ready from now on. */
  draining(): void {
    this.#readiness.draining();
  }

  readonly retired = (reading: DeviceReading): void => {
    this.#metrics.retire(reading);
    this.#readiness.retire(reading);
  };

  stop(): void {
    this.#metrics.stop();
    this.#bounded.stop();
  }
}

/** It is joined before anything can be read of it. */
function countsOf(shared: SharedReadings | undefined): BackplaneCounts {
  if (shared === undefined) throw new Error('This bridge shares its feed with no other instance.');
  return shared.counts();
}

/** Writes what happened to one subscriber, with the code of why it was refused or closed. */
export function logSubscriber(log: Log, { event, address, client, detail }: FeedLog): void {
  const level = event === 'connected' || event === 'disconnected' ? 'info' : 'warn';
  const subscriber = client === undefined ? address : `${client} at ${address}`;
  const { code, text } = explained(detail);
  log[level](
    { event, client, address, ...(code === undefined ? {} : { code }) },
    `subscriber ${subscriber} ${event}${text === undefined ? '' : `: ${text}`}`,
  );
}

/** Writes that a request was refused, with the code of its answer where that has one. */
export function logRefusal(log: Log, address: string, detail: string): void {
  const { code, text } = explained(detail);
  log.warn(
    { event: 'refused', address, ...(code === undefined ? {} : { code }) },
    `request from ${address} refused: ${text ?? detail}`,
  );
}

/** A refusal may be the body of an HTTP answer: `{"code","message"}`. */
function explained(detail: string | undefined): { readonly code?: string; readonly text?: string } {
  if (detail === undefined) return {};
  const [, code = '', text = ''] = /^\{"code":"([a-z_]+)","message":"(.*)"\}\s*$/s.exec(detail) ?? [];
  if (code !== '') return { code, text: text.replaceAll('\\"', '"') };
  return Object.hasOwn(CLOSE_CODES, detail) ? { code: detail, text: detail } : { text: detail };
}
