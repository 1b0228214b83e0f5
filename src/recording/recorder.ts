import type { JsonObject } from '../contract/wire/index.ts';
import type { DialInTap, WireTap } from '../devices/index.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import type { Clock, DiskUse, Log, Timer } from '../system/index.ts';
import { DeviceRecording, RecordedConnection } from './device-recording.ts';
import { DialInRecording } from './dial-in-recording.ts';
import { type CreateFile, type RecorderSettings, RecordingStore } from './recording-store.ts';
import { metaOf, type TracedDevice } from './trace-meta.ts';

/** What is on disk is at most so old, in ms, so that a crash loses no more than the last second. */
const FLUSH_EVERY_MS = 900;
/** What the disk did not take is tried again so often. */
const RETRY_EVERY_MS = 60_000;
/** Text that may wait for the disk, of all devices together. */
const MOST_WAITING = 64 * 1024 * 1024;
/** What is written behind the lines of a trace: its last sum, and its end. */
const TRAILER_BYTES = 32;
/** Lines of the log about single devices between two flushes; a full disk concerns all of them. */
const MOST_LINES = 5;

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
 * bridge: where the disk refuses, is full or too slow, the recording of a device is interrupted, says why, and is tried
 * again every minute. What concerns one device leaves the recordings of the others as they are.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #store: RecordingStore;
  readonly #devices = new Map<string, DeviceRecording>();
  /** They end with the links that they were recording. */
  readonly #ending = new Set<DeviceRecording>();
  /** What is being done with the files of each, one after the other. */
  readonly #busy = new Map<DeviceRecording, Promise<void>>();
  /** Those that were busy when they were due. */
  readonly #due = new Set<DeviceRecording>();
  #timer: Timer | undefined;
  #retryAt = Number.POSITIVE_INFINITY;
  /** The folder cannot be used. */
  #noFolder: { readonly detail: string; readonly since: number } | undefined;
  #retrying: Promise<void> | undefined;
  #closed = false;
  #lines = 0;
  #omittedLines = 0;
  /** Bytes that stand in no trace, of holes that are over. */
  #missedBytes = 0;
  #nextConnection = 1;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#store = new RecordingStore(options.settings, options.createFile);
  }

  /** Makes the folder; a failure is one of the recording, and shown by `status`. */
  async start(): Promise<void> {
    await this.#openFolder();
    this.#later();
  }

  /** Observes a link that the bridge dials; undefined where the device is not recorded. */
  tap(device: string): WireTap | undefined {
    return this.#of(device)?.tap(this.#connection());
  }

  /** Observes a link that dialled in; its bytes are held until it has a name. */
  tapDialIn(): DialInTap | undefined {
    return new DialInRecording(this.#connection(), this.#options.clock, (device) => this.#of(device));
  }

  /** The device is gone, or spoken to in another way from now on: its trace ends with its present link. */
  retire(device: string): void {
    const recording = this.#devices.get(device);
    if (recording === undefined) return;
    this.#devices.delete(device);
    this.#ending.add(recording);
  }

  /** Writes a note into the trace of a device; false where it is not recorded now. */
  note(device: string, text: string): boolean {
    const recording = this.#of(device);
    recording?.note(text);
    return recording !== undefined && !recording.isInterrupted;
  }

  /** What `bridge/status` shows. */
  status(): JsonObject {
    return recordingStatus({
      dir: this.#options.settings.dir,
      devices: this.#devices.size,
      recordings: this.#all(),
      use: this.#store.use,
      noFolder: this.#noFolder,
      missedBytes: this.#missedBytes,
    });
  }

  /** Resolves once what was due has reached the files; not for what is interrupted, which may take for ever. */
  async flushed(): Promise<void> {
    for (;;) {
      if (!this.#closed) await this.#retrying;
      const busy = [...this.#busy].filter(([recording]) => !recording.isInterrupted || !this.#closed);
      if (busy.length === 0) return;
      await Promise.all(busy.map(([, done]) => done));
    }
  }

  /** Writes what is left and closes the files. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#due.clear();
    await this.flushed();
    for (const recording of this.#all()) {
      if (recording.isInterrupted) continue;
      this.#work(recording, async () => {
        if (recording.due > 0) await this.#hasRoom(recording);
        await recording.close();
      });
    }
    await this.flushed();
  }

  #all(): DeviceRecording[] {
    // Those that end first, so that their files are the older ones.
    return [...this.#ending, ...this.#devices.values()];
  }

  #connection(): RecordedConnection {
    return new RecordedConnection(() => `c${this.#nextConnection++}`);
  }

  #of(device: string): DeviceRecording | undefined {
    const known = this.#devices.get(device);
    if (known !== undefined) return known;
    const traced = this.#options.describe(device);
    if (traced === undefined) return undefined;
    const { clock, settings } = this.#options;
    const meta = metaOf(traced);
    const recording = new DeviceRecording({ device, meta, clock, settings, store: this.#store });
    // It has no file to be closed.
    if (this.#noFolder !== undefined) void recording.interrupt('recording_failed', this.#noFolder.detail);
    this.#devices.set(device, recording);
    return recording;
  }

  #later(): void {
    const { clock } = this.#options;
    if (this.#closed) return;
    this.#timer = clock.setTimer(clock.now().monoMs + FLUSH_EVERY_MS, () => {
      this.#logOmitted();
      this.#tooSlow();
      if (clock.now().monoMs >= this.#retryAt) this.#retry();
      // All at once: one wake-up for many writes costs less than one for each.
      for (const recording of this.#all()) this.#flushSoon(recording);
      this.#later();
    });
  }

  /** A write that takes long is waited for; what comes meanwhile waits too, within bounds, and goes right after it. */
  #flushSoon(recording: DeviceRecording): void {
    if (recording.isInterrupted) return this.#forgetIfOver(recording);
    if (this.#busy.has(recording)) this.#due.add(recording);
    else if (recording.due > 0 || this.#isOver(recording)) {
      this.#work(recording, async () => {
        do {
          this.#due.delete(recording);
          await this.#flush(recording);
        } while (this.#due.has(recording));
      });
    } else if (recording.isIdle) this.#work(recording, () => recording.rest());
  }

  async #flush(recording: DeviceRecording): Promise<void> {
    if (recording.due > 0 && !(await this.#hasRoom(recording))) return;
    await recording.flush();
    if (!this.#isOver(recording)) return;
    await recording.close();
    this.#ending.delete(recording);
  }

  /**
   * False where it has to wait until another device, which takes more, has ended its trace.
   *
   * @throws HeartwireError `recording_budget`
   */
  async #hasRoom(recording: DeviceRecording): Promise<boolean> {
    const { device } = recording;
    const due = recording.due + TRAILER_BYTES;
    for (;;) {
      const refused = await this.#store.makeRoom(device, due, recording.file);
      if (refused === undefined) return true;
      const larger = refused === 'all' ? this.#store.largerThan(device, due, recording.file) : [];
      const other = this.#all().find((each) => each.device === larger[0] && each.file !== undefined);
      if (other !== undefined && other !== recording) {
        if (!this.#busy.has(other)) this.#work(other, () => other.endTrace());
        return false;
      }
      if (recording.file === undefined) throw this.#noBudget();
      await recording.endTrace();
    }
  }

  #noBudget(): HeartwireError {
    const { dir, budgetBytes, maxFiles } = this.#options.settings;
    return new HeartwireError(
      'recording_budget',
      `the traces in ${dir} fill their budget of ${budgetBytes} bytes and ${maxFiles} files`,
    );
  }

  #isOver(recording: DeviceRecording): boolean {
    return this.#ending.has(recording) && !recording.connected;
  }

  /** One thing after the other for each device; what fails interrupts this device and no other. */
  #work(recording: DeviceRecording, work: () => Promise<void>): void {
    const before = this.#busy.get(recording) ?? Promise.resolve();
    const mine = before.then(work).catch((error: unknown) => this.#failed(recording, error));
    this.#busy.set(recording, mine);
    void mine.then(() => {
      if (this.#busy.get(recording) === mine) this.#busy.delete(recording);
    });
  }

  #failed(recording: DeviceRecording, error: unknown): Promise<void> {
    const code = error instanceof HeartwireError ? error.code : 'recording_failed';
    return this.#interrupt(recording, code, error instanceof Error ? error.message : String(error));
  }

  #interrupt(recording: DeviceRecording, code: ErrorCode, detail: string): Promise<void> {
    const { clock, log, settings } = this.#options;
    const known = recording.hole !== undefined;
    const closed = recording.interrupt(code, detail);
    this.#due.delete(recording);
    this.#retryAt = Math.min(this.#retryAt, clock.now().monoMs + RETRY_EVERY_MS);
    if (known) return closed;
    const { device } = recording;
    const text = `recording of ${device} to ${settings.dir} is interrupted, and tried again every minute: ${detail}`;
    this.#logLine(() => log.error({ device, code, dir: settings.dir }, text));
    return closed;
  }

  /** Tries all that is interrupted; a write that is still under way is waited for. */
  #retry(): void {
    this.#retryAt = Number.POSITIVE_INFINITY;
    this.#retrying ??= this.#openFolder().then((ready) => {
      this.#retrying = undefined;
      const interrupted = this.#all().filter(({ isInterrupted }) => isInterrupted);
      if (interrupted.length > 0 || !ready) this.#retryAt = this.#options.clock.now().monoMs + RETRY_EVERY_MS;
      if (!ready || this.#closed) return;
      for (const recording of interrupted) if (!this.#busy.has(recording)) this.#resume(recording);
    });
  }

  #resume(recording: DeviceRecording): void {
    this.#work(recording, async () => {
      const { device, hole } = recording;
      if (!(await this.#hasRoom(recording))) return;
      await recording.resume();
      const missed = hole?.missedBytes ?? 0;
      this.#missedBytes += missed;
      const fields = { device, event: 'recording_resumed', missed_bytes: missed };
      const text = `recording of ${device} goes on; ${missed} bytes are missing in it`;
      this.#logLine(() => this.#options.log.info(fields, text));
    });
  }

  /** A retired device without a link records no more, interrupted or not. */
  #forgetIfOver(recording: DeviceRecording): void {
    if (!this.#isOver(recording)) return;
    this.#ending.delete(recording);
    this.#missedBytes += recording.hole?.missedBytes ?? 0;
  }

  /** False where the folder cannot be used. */
  async #openFolder(): Promise<boolean> {
    const { clock, log, settings } = this.#options;
    try {
      await this.#store.open();
      this.#noFolder = undefined;
      return true;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (this.#noFolder === undefined) {
        const text = `nothing is recorded to ${settings.dir}, which is tried again every minute: ${detail}`;
        log.error({ code: 'recording_failed', dir: settings.dir }, text);
      }
      this.#noFolder = { detail, since: this.#noFolder?.since ?? clock.now().wallMs };
      this.#retryAt = clock.now().monoMs + RETRY_EVERY_MS;
      return false;
    }
  }

  /** The disk is too slow for all of them: those that wait with the most are interrupted. */
  #tooSlow(): void {
    const recordings = this.#all().sort((a, b) => b.waiting - a.waiting);
    let waiting = 0;
    for (const recording of recordings) waiting += recording.waiting;
    for (const recording of recordings) {
      if (waiting <= MOST_WAITING) return;
      const bytes = recording.waiting;
      void this.#interrupt(recording, 'recording_behind', `${waiting} bytes wait for the disk`);
      waiting -= bytes;
    }
  }

  #logLine(line: () => void): void {
    if (this.#lines++ < MOST_LINES) line();
    else this.#omittedLines += 1;
  }

  #logOmitted(): void {
    const { log, settings } = this.#options;
    if (this.#omittedLines > 0) {
      const interrupted = this.#all().filter(({ isInterrupted }) => isInterrupted).length;
      const text = `${this.#omittedLines} more recordings changed; ${interrupted} are interrupted now`;
      log.warn({ code: 'recording_failed', dir: settings.dir, interrupted }, text);
    }
    this.#lines = 0;
    this.#omittedLines = 0;
  }
}

/** Interrupted devices that are shown one by one. */
const SHOWN = 20;

interface RecordingFigures {
  readonly dir: string;
  readonly devices: number;
  readonly recordings: readonly DeviceRecording[];
  readonly use: DiskUse;
  readonly noFolder: { readonly detail: string; readonly since: number } | undefined;
  /** Of holes that are over. */
  readonly missedBytes: number;
}

/** What `bridge/status` shows of the recordings. */
function recordingStatus(figures: RecordingFigures): JsonObject {
  const { dir, devices, recordings, use, noFolder, missedBytes } = figures;
  const holes = recordings.flatMap(({ device, hole }) => (hole === undefined ? [] : [{ device, ...hole }]));
  const missed = holes.reduce((sum, hole) => sum + hole.missedBytes, missedBytes);
  const first = noFolder ? { reason: 'recording_failed', ...noFolder } : earliest(holes);
  // Traces that are open go on where the folder cannot be used any more.
  const none = holes.length >= recordings.length;
  return {
    status: first === undefined ? 'recording' : none ? 'stopped' : 'interrupted',
    dir,
    devices,
    files: use.files,
    bytes: use.bytes,
    missed_bytes: missed,
    ...(first === undefined ? {} : { reason: first.reason, detail: first.detail, since: first.since }),
    ...(holes.length === 0
      ? {}
      : {
          interrupted_count: holes.length,
          interrupted: holes.slice(0, SHOWN).map(({ device, reason, detail, since, missedBytes: bytes }) => ({
            device,
            reason,
            detail,
            since,
            missed_bytes: bytes,
          })),
        }),
  };
}

function earliest<T extends { readonly since: number }>(all: readonly T[]): T | undefined {
  return all.reduce<T | undefined>(
    (first, each) => (first && first.since <= each.since ? first : each),
    undefined,
  );
}
