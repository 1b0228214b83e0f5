import type { InfluxConfig, OutputConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { Values } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import { PointTimes, statusLine, valuesLine } from './core/line-protocol.ts';
import { LineSplit } from './core/line-split.ts';
import { Delivery, type Verdict } from './delivery.ts';
import { DiskDelivery } from './disk-delivery.ts';
import { type OutputRequest, send } from './http-request.ts';
import type { Output, OutputKind, OutputPorts, OutputReport, SampleSink } from './output.ts';
import { readSecret } from './secret.ts';

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
  /** The batch that goes in parts. */
  #split: { readonly payload: string; readonly lines: LineSplit } | undefined;

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
    // A batch that is tried again stays; were it all that has room, the newest would go in the place of the oldest.
    const batchBytes = Math.min(BATCH_BYTES, Math.floor(maxBytes / 8));
    const common = { output: this, ports, maxBytes, lingerMs };
    this.#delivery =
      bufferDir === undefined
        ? new Delivery({
            ...common,
            batchEntries: BATCH_POINTS,
            batchBytes,
            send: (lines, aborted) => this.#send(`${lines.join('\n')}\n`, aborted),
          })
        : new DiskDelivery({
            ...common,
            dir: bufferDir,
            diskBytes,
            batch: { points: BATCH_POINTS, bytes: batchBytes },
            send: (lines, aborted) => this.#send(lines, aborted),
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
  async #send(payload: string, aborted: AbortSignal): Promise<Verdict> {
    // A batch that is tried again goes on where it was: an answer of a busy database comes between its parts too.
    if (this.#split?.payload !== payload) {
      this.#split = undefined;
      const verdict = await this.#post(payload, aborted);
      if (verdict.kind !== 'never') return verdict;
      const lines = new LineSplit(payload.trimEnd().split('\n'));
      lines.refuse(verdict.answer ?? '', verdict.detail);
      this.#split = { payload, lines };
    }
    const { lines } = this.#split;
    for (let part = lines.next; part !== undefined; part = lines.next) {
      const verdict = await this.#post(`${part.join('\n')}\n`, aborted);
      if (verdict.kind === 'later') return verdict;
      if (verdict.kind === 'taken') lines.taken();
      else lines.refuse(verdict.answer ?? '', verdict.detail);
    }
    this.#split = undefined;
    const { refused, takenCount } = lines;
    if (refused !== undefined && takenCount === 0) return { kind: 'never', detail: refused.detail };
    return { kind: 'taken', refused };
  }

  #post(body: string, aborted: AbortSignal): Promise<Verdict> {
    return send(this.#request(body), this.#ports.lookup, aborted);
  }

  #time(): string {
    return this.#times.time(this.#ports.clock.now().wallMs);
  }

  #request(body: string): OutputRequest {
    const headers: Record<string, string> = { 'Content-Type': 'text/plain; charset=utf-8' };
    if (this.#token !== '') headers.Authorization = `Token ${this.#token}`;
    return { url: this.#url, headers, body, secrets: [this.#token] };
  }
}

export const output: OutputKind<'influx'> = {
  make: (config, ports) => new InfluxOutput(config, ports),
  taken: 'The database took a point `heartwire_test`.',
};
