import type { ErrorCode, HeartwireError } from '../errors.ts';
import { DeadlineTimer } from '../system/index.ts';
import { BatchQueue } from './core/batch-queue.ts';
import {
  finite,
  type Loss,
  type Output,
  type OutputPorts,
  type OutputReport,
  OutputState,
  pauseMs,
} from './output.ts';

/** On the way out, what waits is sent for so long. */
export const FAREWELL_MS = 2_000;

export interface DeliveryOptions<T> {
  readonly output: Output;
  readonly ports: OutputPorts;
  readonly maxBytes: number;
  readonly batchEntries: number;
  readonly batchBytes: number;
  readonly lingerMs: number;
  /** Hands a batch to the other side; it never rejects. */
  send(batch: readonly T[], aborted: AbortSignal): Promise<Verdict>;
}

/** What became of a request. */
export type Verdict =
  /** But for `refused`, which is lost. */
  | {
      readonly kind: 'taken';
      readonly refused?: { readonly count: number; readonly detail: string } | undefined;
    }
  | { readonly kind: 'later'; readonly code: ErrorCode; readonly detail: string; readonly leastMs: number }
  /** `answer`: all that the other side said, where it said something. */
  | { readonly kind: 'never'; readonly detail: string; readonly answer?: string | undefined };

/** Why the oldest entries are dropped. */
export const noRoom = (bytes: number): string =>
  `More waits than ${Math.round(bytes / 2 ** 20)} MiB hold; the oldest go.`;

/** Delivers what waits in memory, one batch at a time. */
export class Delivery<T> {
  readonly #options: DeliveryOptions<T>;
  readonly #queue: BatchQueue<T>;
  readonly #state: OutputState;
  readonly #timer: DeadlineTimer;
  #started = false;
  #closed = false;
  #underWay: Promise<void> | undefined;
  readonly #abort = new AbortController();

  constructor(options: DeliveryOptions<T>) {
    const { ports, maxBytes, batchEntries, batchBytes, lingerMs } = options;
    this.#options = options;
    const backOffMs = (attempt: number): number => pauseMs(attempt, ports.random());
    this.#queue = new BatchQueue({ maxBytes, batchEntries, batchBytes, lingerMs, backOffMs });
    this.#state = new OutputState(ports.clock.now());
    this.#timer = new DeadlineTimer(ports.clock, () => this.#go());
  }

  report(): OutputReport {
    const { sent, lost, waiting } = this.#queue;
    return { ...this.#state.report, sent, lost, waiting };
  }

  start(): void {
    this.#started = true;
    this.#go();
  }

  /** Counts and names what is lost. */
  #lost(loss: Loss): void {
    if (loss.count === 0) return;
    this.#state.lost(loss.detail);
    this.#options.ports.lost(this.#options.output, loss);
  }

  /** It can't work until something is fixed. */
  failed(error: HeartwireError): void {
    if (this.#state.failed(error.code, error.message, this.#options.ports.clock.now()))
      this.#options.ports.changed(this.#options.output);
  }

  push(entry: T, bytes: number): void {
    if (this.#closed) return;
    const before = this.#queue.lost;
    this.#queue.push(entry, bytes, this.#options.ports.clock.now().monoMs);
    const count = this.#queue.lost - before;
    this.#lost({ count, code: 'output_buffer_full', detail: noRoom(this.#options.maxBytes) });
    this.#go();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    const { clock } = this.#options.ports;
    const late = clock.setTimer(clock.now().monoMs + FAREWELL_MS, () => this.#abort.abort());
    await this.#underWay;
    // One last batch, where the other side is there.
    if (this.#started && this.#state.report.status === 'ready') {
      await this.#deliver(this.#queue.take(Number.MAX_SAFE_INTEGER));
    }
    late.cancel();
    this.#abort.abort();
  }

  #go(): void {
    if (!this.#started || this.#closed || this.#underWay !== undefined) return;
    const batch = this.#queue.take(this.#options.ports.clock.now().monoMs);
    if (batch.length === 0) return this.#timer.follow(finite(this.#queue.nextDeadline()));
    this.#underWay = this.#deliver(batch).finally(() => {
      this.#underWay = undefined;
      this.#go();
    });
  }

  async #deliver(batch: readonly T[]): Promise<void> {
    if (batch.length === 0) return;
    const { ports, output } = this.#options;
    const verdict = await this.#options.send(batch, this.#abort.signal);
    const now = ports.clock.now();
    let changed: boolean;
    switch (verdict.kind) {
      case 'taken':
        this.#queue.delivered(verdict.refused?.count);
        this.#lost({ count: 0, detail: '', ...verdict.refused, code: 'output_refused' });
        changed = this.#state.ready(now);
        break;
      case 'later': {
        const retryAt = this.#queue.failed(now.monoMs, verdict.leastMs);
        changed = this.#state.backOff(verdict.code, verdict.detail, retryAt, now);
        break;
      }
      case 'never':
        this.#queue.refused();
        this.#lost({ count: batch.length, code: 'output_refused', detail: verdict.detail });
        changed = this.#state.failed('output_refused', verdict.detail, now);
    }
    if (changed) ports.changed(output);
  }
}
