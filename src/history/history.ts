import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { CommandOutcome, FeedCommand } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import type { ObservedDevice, ObserverFactory } from '../devices/index.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import { type Clock, type Log, type Timer, withResolvers } from '../system/index.ts';
import { sizeOf } from './batch.ts';
import { Collector } from './collector.ts';
import { DeviceRecord } from './device-record.ts';
import type { Query } from './query.ts';
import type { Failure, FromThread, ToThread } from './thread.ts';
import type { Limits } from './upkeep.ts';

/**
 * What waits is written so often: a killed process loses so much, and what comes while the disk takes one batch. The
 * rest of a second is for the disk.
 */
const WRITE_EVERY_MS = 750;
/** Where nothing waits, that the bridge runs is written so often. */
const ALIVE_EVERY_MS = 10_000;
/** Rows that are on their way to the disk at once; beyond them values are dropped, and counted. */
const MOST_ROWS = 200_000;
/** Fields of all devices together. */
const MOST_SERIES = 100_000;
/** Queries that wait for the thread at once. */
const MOST_QUERIES = 64;
/** A history that could not be opened is tried again after so long. */
const AGAIN_AFTER_MS = 30_000;
/** A wall clock that moves by more, against the monotonic one, was set. */
const CLOCK_STEP_MS = 1_000;
const CLOSE_WITHIN_MS = 8_000;
/** Characters of the fields of a command or its result that are kept. */
const LONGEST_FIELDS = 4_096;

export interface HistoryOptions extends Limits {
  /** The database. */
  readonly file: string;
  readonly epoch: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether a topic is encrypted: what is in it is not kept. */
  conceals(topic: string): boolean;
  /** Whether this instance has the device, where several share one feed: the others keep what is theirs. */
  readonly owns?: ((device: string) => boolean) | undefined;
}

/** What a query gave: the JSON text of the answer; undefined where nothing is known of what was asked for. */
export type HistoryAnswer =
  | { readonly ok: true; readonly body: Uint8Array | undefined }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** What an event of the feed is, as far as it is kept. */
interface FeedEvent {
  readonly topic: string;
  readonly rev: number;
  readonly seq: number;
  readonly data: JsonObject;
}

/**
 * Keeps what was, in a thread of its own. Whatever the disk does, the bridge goes on: what cannot be written is dropped,
 * counted, and shown as a gap.
 */
export class History implements ObserverFactory {
  readonly #options: HistoryOptions;
  readonly #collector = new Collector(() => this.#send());
  #worker: Worker | undefined;
  #timer: Timer | undefined;
  #retry: Timer | undefined;
  #opened: boolean | undefined;
  /** Why nothing is written now. */
  #failure: { readonly code: ErrorCode; readonly detail: string } | undefined;
  #rowsOut = 0;
  #series = 0;
  #omittedSeries = 0;
  #dropped = 0;
  #bytes = 0;
  /** What was lost since the last batch that was written. */
  #loss: { readonly from: number; readonly code: ErrorCode; rows: number } | undefined;
  #lastGoodAt: number;
  #lastSentMono = Number.NEGATIVE_INFINITY;
  #offsetMs: number;
  #nextQuery = 0;
  /** Queries that came before the file was open. */
  #early = 0;
  readonly #queries = new Map<number, (answer: HistoryAnswer) => void>();
  readonly #ready = withResolvers<void>();
  readonly #ended = withResolvers<void>();
  #closing: Promise<void> | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    const { wallMs, monoMs } = options.clock.now();
    this.#lastGoodAt = wallMs;
    this.#offsetMs = wallMs - monoMs;
  }

  /** Resolves when the file is open, or could not be opened: then it is tried again, and the reason is in `status`. */
  async start(): Promise<void> {
    const { clock } = this.#options;
    const file = workerFile();
    if (file === undefined) {
      this.#fail('history_unavailable', 'the file of its thread is not there');
      this.#opened = false;
      return;
    }
    const worker = new Worker(file, { name: 'heartwire-history', execArgv: [], stderr: true });
    // Node 22 warns there that its SQLite is new; an error comes as an event.
    worker.stderr.resume();
    this.#worker = worker;
    worker.on('message', (message: FromThread) => this.#take(message));
    worker.on('error', (cause) => this.#over(cause instanceof Error ? cause.message : String(cause)));
    worker.on('exit', () => this.#over('it ended'));
    const version = JSON.stringify(this.#options.version);
    this.#event('bridge', '', { event: 'started', version: JSON.parse(version) as string });
    this.#open();
    this.#timer = clock.setTimer(clock.now().monoMs + WRITE_EVERY_MS, () => this.#tick());
    await this.#ready.promise;
  }

  wantsSamples(): boolean {
    return true;
  }

  /** Takes a device down; of a trace nothing, which says what was at another time. */
  observe({ id: device, fields, replay }: ObservedDevice): DeviceRecord | undefined {
    if (replay) return undefined;
    const { clock, conceals, owns } = this.#options;
    return new DeviceRecord({
      device,
      fields,
      collector: this.#collector,
      now: () => clock.now().wallMs,
      conceals,
      owns,
      admits: () => {
        const admitted = this.#series < MOST_SERIES;
        if (admitted) this.#series += 1;
        else this.#omittedSeries += 1;
        return admitted;
      },
      closed: (series) => {
        this.#series -= series;
      },
    });
  }

  /** An event of the feed that is kept with its place in the feed: an alarm. */
  feedEvent({ topic, rev, seq, data }: FeedEvent): void {
    const [, device = '', kind] = topic.split('/');
    const { epoch, owns } = this.#options;
    if (kind !== 'alarms' || owns?.(device) === false) return;
    const t = typeof data.at === 'number' ? data.at : this.#options.clock.now().wallMs;
    this.#collector.event({
      t,
      device,
      kind: 'alarm',
      feed: { epoch, rev, seq },
      data: JSON.stringify(data),
    });
  }

  /** A command with what became of it. Of a device whose messages are encrypted, neither what was sent nor what came. */
  command(
    { device, message, fields }: FeedCommand,
    client: { readonly id: string } | undefined,
    outcome: CommandOutcome,
  ): void {
    const secret = this.#options.conceals(`devices/${device}/messages`);
    const shown = (value: JsonObject): JsonObject | string => {
      const text = JSON.stringify(value);
      return text.length <= LONGEST_FIELDS ? value : `${text.slice(0, LONGEST_FIELDS)}…`;
    };
    this.#event('command', device, {
      message,
      ...(client === undefined ? {} : { client: client.id }),
      ...(secret ? {} : { fields: shown(fields) }),
      ok: outcome.ok,
      ...(outcome.ok
        ? secret
          ? {}
          : { result: shown(outcome.result) }
        : { code: outcome.code, detail: outcome.message }),
    });
  }

  query(query: Query): Promise<HistoryAnswer> {
    const waiting = this.#queries.size + this.#early;
    if (this.#opened === undefined && this.#worker !== undefined && waiting < MOST_QUERIES) {
      this.#early += 1;
      return this.#ready.promise.then(() => {
        this.#early -= 1;
        return this.query(query);
      });
    }
    if (this.#opened !== true)
      return Promise.resolve({
        ok: false,
        code: this.#failure?.code ?? 'history_unavailable',
        message: this.#failure?.detail ?? 'The history is not open yet.',
      });
    if (this.#queries.size >= MOST_QUERIES)
      return Promise.resolve({ ok: false, code: 'history_busy', message: 'Too many queries wait already.' });
    const id = ++this.#nextQuery;
    // Values of this very second are part of the answer.
    this.#send();
    return new Promise((resolve) => {
      this.#queries.set(id, resolve);
      this.#post({ type: 'query', id, query });
    });
  }

  /** For `bridge/status`. */
  status(): JsonObject {
    return {
      file: this.#options.file,
      state: this.#failure === undefined ? (this.#opened === true ? 'running' : 'starting') : 'stopped',
      ...(this.#failure === undefined ? {} : { reason: this.#failure.code, detail: this.#failure.detail }),
      bytes: this.#bytes,
      dropped: this.#dropped,
      ...(this.#omittedSeries === 0 ? {} : { omitted_fields: this.#omittedSeries }),
    };
  }

  /** Rows that are on their way to the disk. */
  get pendingRows(): number {
    return this.#rowsOut + this.#collector.size;
  }

  /** Other limits from now on. */
  limit({ keepMs, budgetBytes }: Limits): void {
    this.#post({ type: 'limits', limits: { keepMs, budgetBytes } });
  }

  /** Writes what waits, and ends the thread. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#retry?.cancel();
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#event('bridge', '', { event: 'stopped' });
    this.#send();
    this.#post({ type: 'close', now: clock.now().wallMs });
    const late = clock.setTimer(clock.now().monoMs + CLOSE_WITHIN_MS, () => this.#ended.resolve());
    await this.#ended.promise;
    late.cancel();
    this.#worker = undefined;
    this.#opened ??= false;
    this.#ready.resolve();
    this.#failQueries('history_unavailable', 'The bridge stops.');
    await worker.terminate();
  }

  #event(kind: 'command' | 'bridge', device: string, data: JsonObject): void {
    this.#collector.event({ t: this.#options.clock.now().wallMs, device, kind, data: JSON.stringify(data) });
  }

  #tick(): void {
    const { clock } = this.#options;
    const { monoMs, wallMs } = clock.now();
    this.#timer = clock.setTimer(monoMs + WRITE_EVERY_MS, () => this.#tick());
    const offset = wallMs - monoMs;
    const step = Math.round(offset - this.#offsetMs);
    this.#offsetMs = offset;
    if (Math.abs(step) > CLOCK_STEP_MS) this.#event('bridge', '', { event: 'clock_set', by_ms: step });
    if (!this.#collector.empty || monoMs - this.#lastSentMono >= ALIVE_EVERY_MS) this.#send();
  }

  #send(): void {
    const { monoMs, wallMs } = this.#options.clock.now();
    if (this.#worker === undefined) return void this.#collector.take(wallMs);
    this.#lastSentMono = monoMs;
    if (this.#loss !== undefined && this.#failure === undefined && this.#rowsOut < MOST_ROWS)
      this.#reportLoss();
    const { batch, transfer } = this.#collector.take(wallMs);
    const rows = sizeOf(batch);
    if (this.#rowsOut + rows > MOST_ROWS) {
      this.#lost(rows, 'history_overrun');
      // Names are sent all the same: later values refer to them.
      const { names, over } = batch;
      this.#post({ type: 'batch', batch: { ...this.#collector.take(wallMs).batch, names, over } });
      return;
    }
    this.#rowsOut += rows;
    this.#post({ type: 'batch', batch }, transfer);
  }

  #lost(rows: number, code: ErrorCode): void {
    this.#dropped += rows;
    this.#loss ??= { from: this.#lastGoodAt, code, rows: 0 };
    this.#loss.rows += rows;
  }

  /** Writes are possible again: that they were not is part of what was. */
  #reportLoss(): void {
    const loss = this.#loss;
    if (loss === undefined) return;
    this.#loss = undefined;
    const to = this.#options.clock.now().wallMs;
    this.#event('bridge', '', {
      event: 'history_gap',
      from: loss.from,
      to,
      reason: loss.code,
      lost: loss.rows,
    });
  }

  #take(message: FromThread): void {
    const { clock } = this.#options;
    switch (message.type) {
      case 'opened':
        this.#opened = true;
        this.#recovered();
        if (message.setAside !== undefined) this.#tellSetAside(message.setAside, 'it was damaged');
        return this.#ready.resolve();
      case 'not_opened':
        this.#opened = false;
        this.#fail(CODES[message.failure], message.detail);
        this.#ready.resolve();
        // What a later version has written stays as it is, until this one is replaced.
        if (message.failure === 'newer' || message.failure === 'unavailable') return;
        this.#retry ??= clock.setTimer(clock.now().monoMs + AGAIN_AFTER_MS, () => {
          this.#retry = undefined;
          this.#open();
        });
        return;
      case 'written':
        this.#rowsOut -= message.rows;
        this.#bytes = message.bytes;
        this.#lastGoodAt = clock.now().wallMs;
        return this.#recovered();
      case 'refused':
        this.#rowsOut -= message.rows;
        this.#lost(message.rows, CODES[message.failure]);
        return this.#fail(CODES[message.failure], message.detail);
      case 'replaced':
        return this.#tellSetAside(message.setAside, message.detail);
      case 'answer':
        return this.#settle(message.id, { ok: true, body: message.body });
      case 'no_answer':
        return this.#settle(message.id, { ok: false, code: CODES[message.failure], message: message.detail });
      case 'closed':
        return this.#ended.resolve();
    }
  }

  #settle(id: number, answer: HistoryAnswer): void {
    const settle = this.#queries.get(id);
    this.#queries.delete(id);
    settle?.(answer);
  }

  #failQueries(code: ErrorCode, message: string): void {
    for (const id of [...this.#queries.keys()]) this.#settle(id, { ok: false, code, message });
  }

  #open(): void {
    const { file, epoch, version, keepMs, budgetBytes, clock } = this.#options;
    this.#post({
      type: 'open',
      file: { file, epoch, version, keepMs, budgetBytes },
      now: clock.now().wallMs,
    });
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, [...transfer]);
  }

  #fail(code: ErrorCode, detail: string): void {
    const { log, file } = this.#options;
    const { fix } = new HeartwireError(code, detail);
    if (this.#failure?.code !== code)
      log.error(
        { code },
        `the history in ${file} is not written: ${detail}${fix === undefined ? '' : `. ${fix}`}`,
      );
    this.#failure = { code, detail };
  }

  #recovered(): void {
    if (this.#failure !== undefined)
      this.#options.log.info(
        { event: 'history_written' },
        `the history in ${this.#options.file} is written again`,
      );
    this.#failure = undefined;
  }

  #tellSetAside(setAside: string | undefined, why: string): void {
    const { log, file } = this.#options;
    const where =
      setAside === undefined ? 'it could not be set aside, and is gone' : `it was set aside as ${setAside}`;
    log.error({ code: 'history_damaged' }, `${file} was damaged (${why}); ${where}, and a new one begun`);
    this.#event('bridge', '', {
      event: 'history_replaced',
      ...(setAside === undefined ? {} : { set_aside: setAside }),
    });
  }

  /** The thread ended by itself, which is a defect. */
  #over(why: string): void {
    if (this.#worker === undefined || this.#closing !== undefined) return this.#ended.resolve();
    this.#worker = undefined;
    this.#opened = false;
    this.#timer?.cancel();
    this.#fail('history_unavailable', `its thread failed: ${why}`);
    this.#failQueries('history_unavailable', `its thread failed: ${why}`);
    this.#ready.resolve();
    this.#ended.resolve();
  }
}

const CODES: Readonly<Record<Failure, ErrorCode>> = {
  damaged: 'history_damaged',
  full: 'history_disk_full',
  locked: 'history_locked',
  unwritable: 'history_unwritable',
  newer: 'history_newer',
  unavailable: 'history_unavailable',
  other: 'history_failed',
};

/** The thread is a file of the package, also where the sources run as they are. */
function workerFile(): URL | undefined {
  const built = import.meta.url.endsWith('.js');
  const file = new URL(
    built ? './history-worker.js' : '../../dist/src/history/history-worker.js',
    import.meta.url,
  );
  return existsSync(fileURLToPath(file)) ? file : undefined;
}
