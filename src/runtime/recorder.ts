import { mkdir } from 'node:fs/promises';
import type { ErrorCode } from '../errors.ts';
import type { JsonObject } from '../feed/publisher.ts';
import type { Clock, Timer } from './clock.ts';
import type { DialInTap } from './dial-in-tap.ts';
import type { Log } from './log.ts';
import { DeviceRecording } from './recorder-device.ts';
import { HeldRecording } from './recorder-held.ts';
import { type CreateFile, RecordingStore } from './recorder-store.ts';
import { metaOf, type TracedDevice } from './trace-meta.ts';
import type { WireTap } from './wire.ts';

/** What is on disk is at most so old, in ms, so that a crash loses no more than the last second. */
const FLUSH_EVERY_MS = 800;
/** Text that may wait for the disk, of all devices together. */
const MOST_WAITING = 64 * 1024 * 1024;

/** Where and how much is recorded; sizes in bytes, durations in ms. */
export interface RecorderSettings {
  readonly dir: string;
  readonly maxFileBytes: number;
  readonly maxFileMs: number;
  /** All recordings of the folder together; the oldest finished ones go first. */
  readonly budgetBytes: number;
  readonly gzip: boolean;
}

export const RECORDER_DEFAULTS = {
  maxFileBytes: 64 * 1024 * 1024,
  maxFileMs: 24 * 3_600_000,
  budgetBytes: 1024 * 1024 * 1024,
  gzip: false,
} as const;

export interface RecorderOptions {
  readonly settings: RecorderSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** How files are made; in the folder of `settings` where it is left out. */
  readonly createFile?: CreateFile | undefined;
  /** How the device was spoken to, for the head of its traces; undefined: it is not recorded. */
  describe(device: string): TracedDevice | undefined;
}

/**
 * Writes what goes over the wires of devices into traces, one after the other for each device. It never holds up the
 * bridge: when the disk refuses, is full or too slow, recording stops, and says why.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #store: RecordingStore;
  readonly #devices = new Map<string, DeviceRecording>();
  /** They end with the links that they were recording. */
  readonly #ending = new Set<DeviceRecording>();
  #timer: Timer | undefined;
  #flushing: Promise<void> | undefined;
  #flushDue = false;
  #stopped: { readonly reason: ErrorCode; readonly detail: string; readonly since: number } | undefined;
  #nextConnection = 1;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#store = new RecordingStore(options.settings, options.createFile);
  }

  /** Makes the folder; a failure is one of the recording, and told by `status`. */
  async start(): Promise<void> {
    try {
      await mkdir(this.#options.settings.dir, { recursive: true });
      await this.#store.start();
    } catch (error) {
      this.#fail('recording_failed', error);
    }
    this.#later();
  }

  /** Looks on at a link that we dial; undefined where the device is not recorded. */
  tap(device: string): WireTap | undefined {
    return this.#of(device)?.tap(this.#connection());
  }

  /** Looks on at a link that dialled in, whose bytes are held until it has a name. */
  tapDialIn(): DialInTap | undefined {
    if (this.#stopped !== undefined) return undefined;
    return new HeldRecording(this.#connection(), this.#options.clock, (device) => this.#of(device));
  }

  /** The device is gone, or spoken to in another way from now on: its trace ends with its present link. */
  retire(device: string): void {
    const recording = this.#devices.get(device);
    if (recording === undefined) return;
    this.#devices.delete(device);
    this.#ending.add(recording);
  }

  /** Writes a note into the trace of a device; false where it is not recorded. */
  note(device: string, text: string): boolean {
    const recording = this.#of(device);
    recording?.note(text);
    return recording !== undefined;
  }

  /** What `bridge/status` shows. */
  status(): JsonObject {
    const { dir } = this.#options.settings;
    if (this.#stopped !== undefined) return { status: 'stopped', dir, ...this.#stopped };
    const { bytes, files } = this.#store;
    return { status: 'recording', dir, devices: this.#devices.size, files, bytes };
  }

  /** Resolves once what was due has reached the files. */
  async flushed(): Promise<void> {
    await this.#flushing;
  }

  /** Writes what is left and closes the files. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.flushed();
    if (this.#stopped !== undefined) return;
    try {
      for (const recording of this.#all()) await recording.close();
    } catch (error) {
      this.#fail('recording_failed', error);
    }
  }

  #all(): DeviceRecording[] {
    // Those that end first, so that their files are the older ones.
    return [...this.#ending, ...this.#devices.values()];
  }

  #connection(): string {
    return `c${this.#nextConnection++}`;
  }

  #of(device: string): DeviceRecording | undefined {
    if (this.#stopped !== undefined) return undefined;
    const known = this.#devices.get(device);
    if (known !== undefined) return known;
    const traced = this.#options.describe(device);
    if (traced === undefined) return undefined;
    const { clock, settings } = this.#options;
    const recording = new DeviceRecording({
      device,
      meta: metaOf(traced),
      clock,
      settings,
      store: this.#store,
    });
    this.#devices.set(device, recording);
    return recording;
  }

  #later(): void {
    const { clock } = this.#options;
    if (this.#stopped !== undefined) return;
    this.#timer = clock.setTimer(clock.now().monoMs + FLUSH_EVERY_MS, () => {
      this.#tooSlow();
      this.#flushNow();
      this.#later();
    });
  }

  /** A write that takes long is waited for; what comes meanwhile waits too, within bounds, and goes right after it. */
  #flushNow(): void {
    this.#flushDue = true;
    this.#flushing ??= (async () => {
      while (this.#flushDue) {
        this.#flushDue = false;
        await this.#flush();
      }
      this.#flushing = undefined;
    })();
  }

  async #flush(): Promise<void> {
    try {
      // All at once: one wake-up for many writes costs less than one for each.
      await Promise.all(this.#all().map((recording) => recording.flush()));
      if (this.#stopped !== undefined) return;
      for (const recording of [...this.#ending].filter(({ connected }) => !connected)) {
        this.#ending.delete(recording);
        await recording.close();
      }
      if (!(await this.#store.keepBudget())) {
        const { dir, budgetBytes } = this.#options.settings;
        this.#stop('recording_budget', `the traces in ${dir} fill their budget of ${budgetBytes} bytes`);
      }
    } catch (error) {
      this.#fail('recording_failed', error);
    }
  }

  #tooSlow(): void {
    let waiting = 0;
    for (const recording of this.#all()) waiting += recording.waiting;
    if (waiting <= MOST_WAITING) return;
    this.#stop('recording_behind', `${waiting} bytes wait for the disk`);
  }

  #fail(reason: ErrorCode, error: unknown): void {
    this.#stop(reason, error instanceof Error ? error.message : String(error));
  }

  #stop(reason: ErrorCode, detail: string): void {
    if (this.#stopped !== undefined) return;
    const { clock, log, settings } = this.#options;
    this.#stopped = { reason, detail, since: clock.now().wallMs };
    this.#timer?.cancel();
    log.error({ code: reason, dir: settings.dir }, `recording to ${settings.dir} stopped: ${detail}`);
    for (const recording of this.#all()) recording.abandon();
    this.#devices.clear();
    this.#ending.clear();
  }
}
