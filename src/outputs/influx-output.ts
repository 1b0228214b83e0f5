import { isDeepStrictEqual } from 'node:util';
import type { InfluxConfig, OutputConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { Values } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import { PointTimes, statusLine, valuesLine } from './core/line-protocol.ts';
import { LineSplit } from './core/line-split.ts';
import { Delivery, type Verdict } from './delivery.ts';
import { DiskDelivery } from './disk-delivery.ts';
import { type OutputRequest, readSecret, send } from './http-request.ts';
import type { Output, OutputPorts, OutputReport, SampleSink } from './output.ts';

/** InfluxDB's own advice for one request. */
const BATCH_POINTS = 5_000;
const BATCH_BYTES = 1024 * 1024;

/** Writes values and statuses into InfluxDB 2, or another database that takes its line protocol. */
export class InfluxOutput implements Output {
  readonly config: OutputConfig;
  readonly #settings: InfluxConfig;
  readonly #ports: OutputPorts;
  readonly #delivery: Delivery<string> | DiskDelivery;
  readonly samples: SampleSink = this;
  readonly #times = new PointTimes();
  readonly #url: string;
  #token = '';
  /** Of the batch that goes in parts, or is to be sent again. */
  #split: LineSplit | undefined;

  constructor(config: OutputConfig & { readonly kind: 'influx' }, ports: OutputPorts) {
    this.config = config;
    this.#settings = config;
    this.#ports = ports;
    const url = new URL(config.url);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v2/write`;
    url.searchParams.set('bucket', config.bucket);
    if (config.org !== undefined) url.searchParams.set('org', config.org);
    url.searchParams.set('precision', 'ns');
    this.#url = url.href;
    const { bufferBytes: maxBytes, batchMs: lingerMs, bufferDir, diskBytes } = config;
    const common = { output: this, ports, maxBytes, lingerMs };
    this.#delivery =
      bufferDir === undefined
        ? new Delivery({
            ...common,
            batchEntries: BATCH_POINTS,
            batchBytes: BATCH_BYTES,
            send: (lines, aborted) => this.#send(lines, aborted),
          })
        : new DiskDelivery({
            ...common,
            dir: bufferDir,
            diskBytes,
            batch: { points: BATCH_POINTS, bytes: BATCH_BYTES },
            send: (lines, aborted) => this.#send(lines.trimEnd().split('\n'), aborted),
          });
  }

  async start(): Promise<void> {
    try {
      if (this.#settings.tokenFile !== undefined) this.#token = await readSecret(this.#settings.tokenFile);
      this.#delivery.start();
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      this.#delivery.failed(error);
    }
  }

  state(document: StateDocument, before: StateDocument | undefined): void {
    const { status, reason, link } = document;
    const isSame =
      status === before?.status &&
      reason === before.reason &&
      link.status === before.link.status &&
      link.reason === before.link.reason;
    if (!isSame) this.#push(statusLine(document, this.#time()));
  }

  sample(device: string, group: string, values: Values): void {
    this.#push(valuesLine(device, group, values, this.#time()));
  }

  removed(): void {
    // What was measured stays.
  }

  alarm(): void {
    // The values say it.
  }

  incident(): void {
    // A database of values has no place for it.
  }

  test(): void {
    this.#push(valuesLine('heartwire', 'heartwire_test', { ok: true }, this.#time()));
  }

  report(): OutputReport {
    return this.#delivery.report();
  }

  close(): Promise<void> {
    return this.#delivery.close();
  }

  #push(line: string | undefined): void {
    if (line !== undefined) this.#delivery.push(line, line.length + 1);
  }

  /** Sends lines in one request; in parts where the database refuses some of them. */
  async #send(lines: readonly string[], aborted: AbortSignal): Promise<Verdict> {
    // A batch that is tried again goes on where it was: an answer of a busy database comes between its parts too.
    const before = this.#split;
    const split =
      before !== undefined && isDeepStrictEqual(before.lines, lines) ? before : new LineSplit(lines);
    this.#split = split;
    for (let part = split.next; part !== undefined; part = split.next) {
      const verdict = await send(this.#request(`${part.join('\n')}\n`), this.#ports.lookup, aborted);
      if (verdict.kind === 'later') return verdict;
      if (verdict.kind === 'taken') split.taken();
      else split.refuse(verdict.answer ?? '', verdict.detail);
    }
    this.#split = undefined;
    const { refused } = split;
    if (refused?.count === lines.length) return { kind: 'never', detail: refused.detail };
    return { kind: 'taken', refused };
  }

  #time(): string {
    return this.#times.time(this.#ports.clock.now().wallMs);
  }

  #request(body: string): OutputRequest {
    const headers: Record<string, string> = { 'Content-Type': 'text/plain; charset=utf-8' };
    if (this.#token !== '') headers.Authorization = `Token ${this.#token}`;
    return { url: this.#url, headers, body };
  }
}
