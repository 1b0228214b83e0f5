import type { HeartwireError } from '../errors.ts';
import { DeadlineTimer } from '../system/index.ts';
import { BatchQueue } from './core/batch-queue.ts';
import type { PointRecord } from './core/segment.ts';
import { FAREWELL_MS, noRoom, type Verdict } from './delivery.ts';
import { type BatchLimits, DiskBuffer, largestRecord } from './disk-buffer.ts';
import {
  finite,
  type Loss,
  type Output,
  type OutputPorts,
  type OutputReport,
  OutputState,
  pauseMs,
} from './output.ts';

export interface DiskDeliveryOptions {
  readonly output: Output;
  readonly ports: OutputPorts;
  readonly dir: string;
  readonly diskBytes: number;
  /** What waits in memory at most, while the disk is slow or full. */
  readonly maxBytes: number;
  readonly batch: BatchLimits;
  readonly lingerMs: number;
  /** Hands lines to the other side; it never rejects. */
  send(lines: string, aborted: AbortSignal): Promise<Verdict>;
}

/** What is under way from memory. */
interface Direct {
  readonly record: PointRecord;
  /** It is being written to the disk, where it is the first record. */
  storing: Promise<void> | undefined;
  /** The disk counts it. */
  counted: boolean;
  stored: boolean;
}

/**
 * Delivers lines over HTTP, one request at a time, and keeps them on a disk while the other side is away:
 *
 *     gathering ──due, nothing waits──▶ under way ──taken──▶ sent
 *         │                                │ next batch due, or failed
 *         └──due, something waits──▶ disk ◀┘    disk ──first──▶ under way
 *
 * So nothing but the batch that gathers and a request that just began is only in memory.
 */
export class DiskDelivery {
  readonly #options: DiskDeliveryOptions;
  readonly #batch: BatchLimits;
  readonly #queue: BatchQueue<string>;
  readonly #disk: DiskBuffer;
  readonly #state: OutputState;
  readonly #gathering: DeadlineTimer;
  readonly #retrying: DeadlineTimer;
  readonly #abort = new AbortController();
  #started = false;
  #closed = false;
  #storing: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  #direct: Direct | undefined;
  #failures = 0;
  #retryAtMs = 0;
  #sent = 0;
  #refused = 0;
  #lostBefore = 0;
  #diskProblem: string | undefined;

  constructor(options: DiskDeliveryOptions) {
    const { ports, maxBytes, lingerMs, dir, diskBytes, batch } = options;
    this.#options = options;
    this.#batch = { points: batch.points, bytes: Math.min(batch.bytes, largestRecord(diskBytes)) };
    this.#disk = new DiskBuffer({ dir, maxBytes: diskBytes });
    const backOffMs = (attempt: number): number => pauseMs(attempt, ports.random());
    const { points: batchEntries, bytes: batchBytes } = this.#batch;
    this.#queue = new BatchQueue({ maxBytes, batchEntries, batchBytes, lingerMs, backOffMs });
    this.#state = new OutputState(ports.clock.now());
    this.#gathering = new DeadlineTimer(ports.clock, () => this.#gather());
    this.#retrying = new DeadlineTimer(ports.clock, () => this.#pump());
  }

  report(): OutputReport {
    const direct = this.#direct === undefined || this.#direct.counted ? 0 : this.#direct.record.points;
    return {
      ...this.#state.report,
      sent: this.#sent,
      lost: this.#lost,
      waiting: this.#queue.waiting + direct + this.#disk.points,
      onDisk: this.#disk.points,
      damaged: this.#disk.setAside,
    };
  }

  get #lost(): number {
    return this.#queue.lost + this.#disk.lost + this.#refused;
  }

  /** Names what was lost since it was called last. */
  #noteLosses(code: Loss['code'], detail: string): void {
    const count = this.#lost - this.#lostBefore;
    if (count === 0) return;
    this.#lostBefore += count;
    this.#state.lost(detail);
    this.#options.ports.lost(this.#options.output, { count, code, detail });
  }

  /** Sends from now on. What an earlier run left is found beside it, and goes first. */
  start(): void {
    const opened = this.#disk
      .open()
      .catch((error: unknown) => this.#diskFailed(error))
      .then(() => {
        this.#storing = undefined;
        this.#started = true;
        this.#pump();
        this.#gather();
      });
    this.#storing = opened;
  }

  /** It can't work until something is fixed. */
  failed(error: HeartwireError): void {
    this.#changed(this.#state.failed(error.code, error.message, this.#options.ports.clock.now()));
  }

  push(line: string, bytes: number): void {
    if (this.#closed) return;
    this.#queue.push(line, bytes, this.#options.ports.clock.now().monoMs);
    this.#noteLosses('output_buffer_full', noRoom(this.#options.maxBytes));
    this.#gather();
  }

  /** Sends what waits, for a moment at most; the rest goes to the disk. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#gathering.cancel();
    this.#retrying.cancel();
    const { clock } = this.#options.ports;
    const late = clock.setTimer(clock.now().monoMs + FAREWELL_MS, () => this.#abort.abort());
    await this.#storing;
    await this.#sending;
    if (this.#started && this.#state.report.status === 'ready' && this.#disk.points === 0) {
      const record = this.#gathered(Number.MAX_SAFE_INTEGER);
      if (record !== undefined) {
        this.#queue.moved();
        this.#direct = { record, storing: undefined, counted: false, stored: false };
        await this.#deliver(record);
      }
    }
    late.cancel();
    this.#abort.abort();
    try {
      await this.#storeDirect();
      for (let record = this.#gathered(Number.MAX_SAFE_INTEGER); record !== undefined; ) {
        await this.#disk.append(record, () => this.#queue.moved());
        record = this.#gathered(Number.MAX_SAFE_INTEGER);
      }
    } catch (error) {
      this.#diskFailed(error);
    }
    await this.#disk.close().catch((error: unknown) => this.#diskFailed(error));
  }

  /** Hands on what has gathered: to the other side where nothing else waits, else to the disk. */
  #gather(): void {
    if (!this.#started || this.#closed || this.#storing !== undefined) return;
    const now = this.#options.ports.clock.now().monoMs;
    const record = this.#gathered(now);
    if (record === undefined) return this.#gathering.follow(finite(this.#queue.nextDeadline()));
    const isFree = this.#sending === undefined && this.#direct === undefined && this.#disk.points === 0;
    if (isFree && now >= this.#retryAtMs) {
      this.#queue.moved();
      this.#direct = { record, storing: undefined, counted: false, stored: false };
      this.#pump();
      this.#gather();
      return;
    }
    this.#storing = this.#store(record).finally(() => {
      this.#storing = undefined;
      this.#gather();
      this.#pump();
    });
  }

  #gathered(now: number): PointRecord | undefined {
    const lines = this.#queue.take(now);
    return lines.length === 0 ? undefined : { points: lines.length, payload: `${lines.join('\n')}\n` };
  }

  async #store(record: PointRecord): Promise<void> {
    try {
      await this.#storeDirect();
      await this.#disk.append(record, () => this.#queue.moved());
      this.#noteLosses('output_buffer_full', noRoom(this.#options.diskBytes));
      this.#diskProblem = undefined;
    } catch (error) {
      this.#diskFailed(error);
      this.#queue.failed(this.#options.ports.clock.now().monoMs);
    }
  }

  /** What is under way stands before what follows it. */
  async #storeDirect(): Promise<void> {
    const direct = this.#direct;
    if (direct === undefined || direct.stored) return;
    const { record } = direct;
    direct.storing ??= this.#disk
      .append(record, () => {
        direct.counted = true;
      })
      // From now on it is what the disk has under way, which makes no room for anything.
      .then(() => this.#disk.first({ points: record.points, bytes: 0 }))
      .then(() => {
        direct.stored = true;
      })
      .finally(() => {
        direct.storing = undefined;
      });
    await direct.storing;
  }

  #pump(): void {
    if (!this.#started || this.#closed || this.#sending !== undefined) return;
    const { clock } = this.#options.ports;
    if (clock.now().monoMs < this.#retryAtMs) return this.#retrying.follow(this.#retryAtMs);
    if (this.#direct === undefined && this.#disk.points === 0) return;
    this.#sending = this.#sendNext().finally(() => {
      this.#sending = undefined;
      this.#pump();
    });
  }

  async #sendNext(): Promise<void> {
    // Once it is on the disk it is read from there, so that there is one truth of what comes next.
    if (this.#direct?.stored === true) this.#direct = undefined;
    try {
      const record = this.#direct?.record ?? (await this.#disk.first(this.#batch));
      this.#noteLosses('output_buffer_unusable', `${this.#options.dir}: the disk damaged what waited there.`);
      if (record !== undefined) await this.#deliver(record);
    } catch (error) {
      this.#diskFailed(error);
      this.#retryLater(0);
    }
  }

  async #deliver(record: PointRecord): Promise<void> {
    const { ports, send } = this.#options;
    const verdict = await send(record.payload, this.#abort.signal);
    const now = ports.clock.now();
    if (verdict.kind === 'later') {
      const at = this.#retryLater(verdict.leastMs);
      this.#changed(this.#state.backOff(verdict.code, this.#detail(verdict.detail), at, now));
      // Where nothing follows it, it would stay in memory.
      await this.#storeDirect().catch((error: unknown) => this.#diskFailed(error));
      return;
    }
    const refused = verdict.kind === 'never' ? record.points : (verdict.refused?.count ?? 0);
    await this.#done(() => {
      this.#sent += record.points - refused;
      this.#refused += refused;
    });
    this.#failures = this.#retryAtMs = 0;
    this.#diskProblem = undefined;
    if (verdict.kind === 'taken') {
      this.#noteLosses('output_refused', verdict.refused?.detail ?? '');
      this.#changed(this.#state.ready(now));
    } else {
      this.#noteLosses('output_refused', verdict.detail);
      this.#changed(this.#state.failed('output_refused', verdict.detail, now));
    }
  }

  /** What was under way waits no more; `count` counts it as what became of it, in the same moment. */
  async #done(count: () => void): Promise<void> {
    const direct = this.#direct;
    await direct?.storing?.catch(() => undefined);
    const end = (): void => {
      this.#direct = undefined;
      count();
    };
    if (direct?.stored === false) end();
    else await this.#disk.advance(end);
  }

  #retryLater(leastMs: number): number {
    const { clock, random } = this.#options.ports;
    this.#failures += 1;
    this.#retryAtMs = clock.now().monoMs + Math.max(leastMs, pauseMs(this.#failures, random()));
    return this.#retryAtMs;
  }

  #diskFailed(error: unknown): void {
    const now = this.#options.ports.clock.now();
    this.#diskProblem = `${this.#options.dir}: ${error instanceof Error ? error.message : String(error)}`;
    this.#changed(this.#state.backOff('output_buffer_unusable', this.#diskProblem, now.monoMs, now));
  }

  #detail(text: string): string {
    return this.#diskProblem === undefined ? text : `${text}; ${this.#diskProblem}`;
  }

  #changed(isChange: boolean): void {
    if (isChange) this.#options.ports.changed(this.#options.output);
  }
}
