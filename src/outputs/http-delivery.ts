import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { HeartwireError } from '../errors.ts';
import { DeadlineTimer, LARGEST_SECRET, readRegular } from '../system/index.ts';
import { BatchQueue } from './core/batch-queue.ts';
import { finite, type Output, type OutputPorts, type OutputReport, OutputState, pauseMs } from './output.ts';

/** One request; its answer decides what becomes of the batch. */
export interface OutputRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Why an answer with a good status is a refusal all the same. */
  readonly refusedBy?: (answer: string) => string | undefined;
}

export interface HttpDeliveryOptions<T> {
  readonly output: Output;
  readonly ports: OutputPorts;
  readonly maxBytes: number;
  readonly batchEntries: number;
  readonly batchBytes: number;
  readonly lingerMs: number;
  request(batch: readonly T[]): OutputRequest;
}

const TIMEOUT_MS = 10_000;
/** On the way out, what waits is sent for so long. */
export const FAREWELL_MS = 2_000;
/** Of an answer that says why, so much is shown. */
const SHOWN = 200;
const LARGEST_ANSWER = 64 * 1024;

/** What became of a request. */
export type Verdict =
  | { readonly kind: 'taken' }
  | { readonly kind: 'later'; readonly code: ErrorCode; readonly detail: string; readonly leastMs: number }
  | { readonly kind: 'never'; readonly detail: string };

/** Delivers what waits over HTTP, one request at a time. */
export class HttpDelivery<T> {
  readonly #options: HttpDeliveryOptions<T>;
  readonly #queue: BatchQueue<T>;
  readonly #state: OutputState;
  readonly #timer: DeadlineTimer;
  #started = false;
  #closed = false;
  #underWay: Promise<void> | undefined;
  readonly #abort = new AbortController();

  constructor(options: HttpDeliveryOptions<T>) {
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

  /** It can't work until something is fixed. */
  failed(error: HeartwireError): void {
    if (this.#state.failed(error.code, error.message, this.#options.ports.clock.now()))
      this.#options.ports.changed(this.#options.output);
  }

  push(entry: T, bytes: number): void {
    if (this.#closed) return;
    this.#queue.push(entry, bytes, this.#options.ports.clock.now().monoMs);
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
    const verdict = await send(this.#options.request(batch), ports.lookup, this.#abort.signal);
    const now = ports.clock.now();
    let changed: boolean;
    switch (verdict.kind) {
      case 'taken':
        this.#queue.delivered();
        changed = this.#state.ready(now);
        break;
      case 'later': {
        const retryAt = this.#queue.failed(now.monoMs, verdict.leastMs);
        changed = this.#state.backOff(verdict.code, verdict.detail, retryAt, now);
        break;
      }
      case 'never':
        this.#queue.refused();
        changed = this.#state.failed('output_refused', verdict.detail, now);
    }
    if (changed) ports.changed(output);
  }
}

/** Sends one request, and says what becomes of what was in it. */
export async function send(
  request: OutputRequest,
  lookup: LookupFunction,
  aborted: AbortSignal,
): Promise<Verdict> {
  const { refusedBy } = request;
  const signal = AbortSignal.any([aborted, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const answer = await post(request, lookup, signal);
    const refusal = answer.ok ? refusedBy?.(answer.text) : undefined;
    return refusal === undefined ? verdictOf(answer) : { kind: 'never', detail: refusal };
  } catch (error) {
    // The network, or the time-out.
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: 'later', code: 'output_unreachable', detail, leastMs: 0 };
  }
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  /** What it begins with. */
  readonly text: string;
  readonly retryAfter: string | undefined;
}

/** One request. Names are resolved by `lookup`, so that one without an answer holds up nothing else. */
async function post(
  { url, headers, body }: OutputRequest,
  lookup: LookupFunction,
  signal: AbortSignal,
): Promise<Answer> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const outgoing = request(url, { method: 'POST', headers, lookup, signal });
  const answered = once(outgoing, 'response');
  outgoing.end(body);
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new Error('There was no answer.');
  const chunks: Buffer[] = [];
  let length = 0;
  // A hostile other side may send without end; leaving the loop ends the connection.
  for await (const chunk of response) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LARGEST_ANSWER) break;
  }
  const { statusCode: status = 0, headers: answer } = response;
  const text = Buffer.concat(chunks).toString('utf8').trim();
  return { ok: status >= 200 && status < 300, status, text, retryAfter: answer['retry-after'] };
}

function verdictOf({ ok, status, text, retryAfter }: Answer): Verdict {
  if (ok) return { kind: 'taken' };
  const detail = `HTTP status ${status}${text === '' ? '' : `: ${text.slice(0, SHOWN)}`}`;
  // 400 and the like are about what was sent; of the rest, something can be fixed while it waits.
  const isFixable = status >= 500 || [401, 402, 403, 404, 407, 408, 425, 429].includes(status);
  if (!isFixable) return { kind: 'never', detail };
  const seconds = Number(retryAfter ?? 0);
  const leastMs = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 3_600) * 1_000 : 0;
  return { kind: 'later', code: status < 500 ? 'output_refused' : 'output_unreachable', detail, leastMs };
}

/** The secret in a file, without the line end. @throws HeartwireError `output_secret_unreadable` */
export async function readSecret(path: string): Promise<string> {
  try {
    return (await readRegular(path, LARGEST_SECRET)).toString('utf8').trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HeartwireError('output_secret_unreadable', `${path} could not be read: ${why}`, { cause });
  }
}
