import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { JsonObject } from '../../contract/wire/index.ts';
import type { BusRunner, DeviceListener, UploadStore } from '../../devices/index.ts';
import type { Clock, DiskUse, LogCounts } from '../../system/index.ts';
import { addCounter, addGauge, type Metrics, one, type Sample } from './family.ts';

/** What the process uses, as the operating system counts it. */
export interface ProcessUsage {
  readonly residentBytes: number;
  /** Since the start of the process. */
  readonly cpuSeconds: number;
}

export interface BridgeFamilySources {
  readonly version: string;
  readonly nodeVersion: string;
  readonly clock: Clock;
  readonly logCounts: LogCounts;
  /** Lines that the bound of the whole log left out, by level. */
  omittedLines(): Readonly<Record<string, number>>;
  deviceListeners(): readonly DeviceListener[];
  buses(): readonly BusRunner[];
  /** As `bridge/status` shows the configuration. */
  configStatus(): JsonObject;
  recorder(): { status(): JsonObject } | undefined;
  uploads(): UploadStore | undefined;
  loopDelay(): LoopDelay;
  readonly usage?: (() => ProcessUsage) | undefined;
}

/** The metrics of the bridge itself: its listeners, its log, its disk and its event loop. */
export function addBridgeFamilies(metrics: Metrics, sources: BridgeFamilySources): void {
  const { version, nodeVersion, clock } = sources;
  const startedAt = clock.now().wallMs / 1_000;
  addGauge(metrics, {
    name: 'heartwire_build_info',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node'],
    read: () => [[{ version, node: nodeVersion }, 1]],
  });
  addGauge(metrics, {
    name: 'heartwire_start_time_seconds',
    help: 'When the bridge was started, in seconds since the Unix epoch.',
    read: () => one(startedAt),
  });
  addCounter(metrics, {
    name: 'heartwire_log_lines_total',
    help: 'Lines of the log by level and code, those left out as repetitions included.',
    labels: ['level', 'code'],
    read: () =>
      sources.logCounts.lines.map(
        ({ level, code, count }): Sample => [code === '' ? { level } : { level, code }, count],
      ),
  });
  addCounter(metrics, {
    name: 'heartwire_log_lines_omitted_total',
    help: 'Lines that were left out because the log as a whole was too long, by level.',
    labels: ['level'],
    read: () => Object.entries(sources.omittedLines()).map(([level, count]): Sample => [{ level }, count]),
  });
  addConfiguration(metrics, sources);
  addListeners(metrics, sources);
  addBuses(metrics, sources);
  addDisk(metrics, sources);
  addProcess(metrics, sources);
}

function addConfiguration(metrics: Metrics, { configStatus }: BridgeFamilySources): void {
  const of = (key: string) => (): readonly Sample[] => {
    const value = configStatus()[key];
    return typeof value === 'number' ? one(value) : [];
  };
  addCounter(metrics, {
    name: 'heartwire_config_versions_total',
    help: 'Versions of the configuration that were applied, the first one included.',
    read: of('generation'),
  });
  addGauge(metrics, {
    name: 'heartwire_config_problems',
    help: 'Problems of the configuration as it was last read; what is wrong goes on as it was.',
    read: of('problem_count'),
  });
}

function addListeners(metrics: Metrics, { deviceListeners }: BridgeFamilySources): void {
  const labels = ['listener'];
  const each = (of: (deviceListener: DeviceListener) => number) => (): Sample[] =>
    deviceListeners().map((deviceListener) => [
      { listener: deviceListener.status().address },
      of(deviceListener),
    ]);
  addGauge(metrics, {
    name: 'heartwire_listener_up',
    help: 'Whether devices can dial in at this address (1) or not (0).',
    labels,
    read: each((deviceListener) => (deviceListener.status().status === 'listening' ? 1 : 0)),
  });
  addGauge(metrics, {
    name: 'heartwire_listener_connections',
    help: 'Connections of devices that dialled in.',
    labels,
    read: each((deviceListener) => deviceListener.status().connections),
  });
  addCounter(metrics, {
    name: 'heartwire_listener_refused_connections_total',
    help: 'Connections of devices that a cap refused, or that could not be accepted.',
    labels,
    read: each((deviceListener) => deviceListener.status().refused_connections),
  });
  addGauge(metrics, {
    name: 'heartwire_unregistered_links',
    help: 'Links that dialled in and have no name yet.',
    labels,
    read: each((deviceListener) => deviceListener.pendingLinks().length),
  });
}

function addBuses(metrics: Metrics, { buses }: BridgeFamilySources): void {
  const labels = ['bus'];
  const each = (of: (bus: BusRunner) => number) => (): Sample[] =>
    buses().map((bus) => [{ bus: bus.id }, of(bus)]);
  addGauge(metrics, {
    name: 'heartwire_bus_up',
    help: 'Whether the line of a bus is open (1) or not (0).',
    labels,
    read: each((bus) => Number(bus.port.reading.state.link.status === 'connected')),
  });
  addCounter(metrics, {
    name: 'heartwire_bus_discarded_bytes_total',
    help: 'Bytes on the line of a bus that belonged to no frame.',
    labels,
    read: each((bus) => bus.port.reading.counts.discarded_bytes),
  });
  addCounter(metrics, {
    name: 'heartwire_bus_wrong_device_total',
    help: 'Frames on a bus of a device that was not asked.',
    labels,
    read: each((bus) => bus.wrongDevice),
  });
}

function addDisk(metrics: Metrics, { recorder, uploads }: BridgeFamilySources): void {
  const ofRecorder = (of: (status: JsonObject) => unknown) => (): readonly Sample[] => {
    const value = of(recorder()?.status() ?? {});
    return typeof value === 'number' ? one(value) : [];
  };
  addGauge(metrics, {
    name: 'heartwire_recording_up',
    help: 'Whether all recordings are written (1) or one at least is interrupted (0); absent where nothing is recorded.',
    read: ofRecorder(({ status }) => (status === undefined ? undefined : Number(status === 'recording'))),
  });
  addGauge(metrics, {
    name: 'heartwire_recording_interrupted_devices',
    help: 'Devices whose recording is interrupted; each is tried again every minute.',
    read: ofRecorder(({ status, interrupted_count = 0 }) =>
      status === undefined ? undefined : interrupted_count,
    ),
  });
  addCounter(metrics, {
    name: 'heartwire_recording_missed_bytes_total',
    help: 'Bytes that stand in no recording because the disk did not take them.',
    read: ofRecorder(({ missed_bytes }) => missed_bytes),
  });
  addGauge(metrics, {
    name: 'heartwire_recording_bytes',
    help: 'What all recordings take of the disk, in whole blocks.',
    read: ofRecorder(({ bytes }) => bytes),
  });
  addGauge(metrics, {
    name: 'heartwire_recording_files',
    help: 'Recordings on the disk.',
    read: ofRecorder(({ files }) => files),
  });
  const ofSpool = (of: (use: DiskUse) => number) => (): readonly Sample[] => {
    const use = uploads()?.use;
    return use === undefined ? [] : one(of(use));
  };
  addGauge(metrics, {
    name: 'heartwire_spool_bytes',
    help: 'What all files of devices take of the disk, in whole blocks.',
    read: ofSpool(({ bytes }) => bytes),
  });
  addGauge(metrics, {
    name: 'heartwire_spool_files',
    help: 'Files of devices on the disk, with those that are not whole and their records.',
    read: ofSpool(({ files }) => files),
  });
}

function addProcess(metrics: Metrics, { loopDelay, usage }: BridgeFamilySources): void {
  const delay = (name: string, what: string, of: (delay: LoopDelay) => number): void =>
    addGauge(metrics, {
      name: `heartwire_event_loop_delay_${name}_seconds`,
      help: `How late the event loop was in the last minute or two, ${what}.`,
      read: () => one(of(loopDelay())),
    });
  delay('p50', 'in the middle', ({ p50 }) => p50);
  delay('p99', '99 % of the time at most', ({ p99 }) => p99);
  delay('max', 'at most', ({ max }) => max);
  addCounter(metrics, {
    name: 'heartwire_event_loop_active_seconds_total',
    help: 'Time in which the event loop had something to do.',
    read: () => one(performance.eventLoopUtilization().active / 1_000),
  });
  addGauge(metrics, {
    name: 'heartwire_heap_used_bytes',
    help: 'Bytes in use of the heap of JavaScript.',
    read: () => one(getHeapStatistics().used_heap_size),
  });
  if (usage === undefined) return;
  addGauge(metrics, {
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process.',
    read: () => one(usage().residentBytes),
  });
  addCounter(metrics, {
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the process.',
    read: () => one(usage().cpuSeconds),
  });
}

/** How often the loop is looked at, in ms; what is measured counts this time in. */
const RESOLUTION_MS = 40;
/** A reading covers so much of the past, and at most twice as much where it is read as often. */
const WINDOW_MS = 60_000;
const NS_PER_S = 1e9;

/** How late the event loop came to what was due, in seconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Watches how late the event loop is. Of two histograms that are emptied in turn the fuller one is read, so that
 * every reader sees the same past.
 */
export class LoopDelayWatch {
  #full: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #fresh: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #turnedAtMs: number | undefined;

  start(): void {
    this.#full.enable();
    this.#fresh.enable();
  }

  stop(): void {
    this.#full.disable();
    this.#fresh.disable();
  }

  read(monoMs: number): LoopDelay {
    this.#turnedAtMs ??= monoMs;
    if (monoMs - this.#turnedAtMs >= WINDOW_MS) {
      [this.#full, this.#fresh] = [this.#fresh, this.#full];
      this.#fresh.reset();
      this.#turnedAtMs = monoMs;
    }
    const histogram = this.#full;
    // Without a measurement yet, the maximum is none.
    if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    return {
      p50: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      max: late(histogram.max),
    };
  }
}

function late(ns: number): number {
  return Math.max(0, ns / NS_PER_S - RESOLUTION_MS / 1_000);
}
