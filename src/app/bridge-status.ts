import type { Publisher } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import type { DeviceDirectory, DeviceListener, StatusCounts } from '../devices/index.ts';
import type { WritesStatus } from '../feed/index.ts';
import { type Clock, inSlices, type Timer } from '../system/index.ts';

const EVERY_MS = 1_000;
/** Nameless links shown; a flood of them is counted, not listed. */
const SHOWN_NAMELESS = 100;

export interface BridgeStatusOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly directory: DeviceDirectory;
  readonly publisher: Publisher;
  deviceListeners(): readonly DeviceListener[];
  recorder(): { status(): JsonObject } | undefined;
  outputs(): readonly JsonObject[] | undefined;
  readonly history: { status(): JsonObject } | undefined;
  config(): JsonObject;
  writes(): WritesStatus | undefined;
  /** This instance among others; absent where it is the only one. */
  readonly shared?: { readonly instance: string; status(): JsonObject } | undefined;
}

/** Publishes `bridge/status`, at most once a second, when it changed. */
export class BridgeStatus {
  readonly #options: BridgeStatusOptions;
  readonly #startedAt: number;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: BridgeStatusOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now().wallMs;
  }

  start(): void {
    const { clock, directory } = this.#options;
    // Very many devices are counted in slices.
    const counts = inSlices(directory.countingByStatus());
    if (counts instanceof Promise) void counts.then((all) => this.#publish(all));
    else this.#publish(counts);
    this.#timer = clock.setTimer(clock.now().monoMs + EVERY_MS, () => this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Publishes the present document at once. */
  publish(): void {
    this.#publish(this.#options.directory.countByStatus());
  }

  #publish(counts: StatusCounts): void {
    if (this.#stopped) return;
    // The store drops a document that equals the last one.
    const { publisher, shared } = this.#options;
    const document = this.#document(counts);
    publisher.publishState('bridge/status', document);
    // All instances see it under the name of this one.
    if (shared !== undefined) publisher.publishState(`bridge/${shared.instance}/status`, document);
  }

  #document(counts: StatusCounts): JsonObject {
    const { version, history, shared } = this.#options;
    const deviceListeners = this.#options.deviceListeners();
    const recorder = this.#options.recorder();
    const outputs = this.#options.outputs();
    const nameless = deviceListeners.flatMap((deviceListener) =>
      deviceListener.pendingLinks().map((runner) => ({ runner, listener: deviceListener.status().address })),
    );
    return {
      version,
      started_at: this.#startedAt,
      config: this.#options.config(),
      ...writesOf(this.#options.writes()),
      devices: { ...counts },
      listeners: deviceListeners.map((deviceListener) => ({ ...deviceListener.status() })),
      ...(recorder === undefined ? {} : { recording: recorder.status() }),
      ...(outputs === undefined ? {} : { outputs }),
      ...(history === undefined ? {} : { history: history.status() }),
      ...(shared === undefined ? {} : { backplane: shared.status() }),
      not_registered_count: nameless.length,
      not_registered: nameless.slice(0, SHOWN_NAMELESS).map(({ runner, listener }) => ({
        address: runner.address,
        listener,
        since: runner.link.since.wallMs,
        frames: runner.link.frames,
        ...(runner.link.lastFrameAt === undefined ? {} : { last_frame_at: runner.link.lastFrameAt }),
        ...(runner.link.lastProblem === undefined ? {} : { problem: runner.link.lastProblem }),
      })),
    };
  }
}

function writesOf(status: WritesStatus | undefined): JsonObject {
  if (status === undefined) return {};
  const { native, whyNot, workers } = status;
  return { writes: { native, ...(whyNot === undefined ? {} : { why_not_native: whyNot }), workers } };
}
