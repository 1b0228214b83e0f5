import type { LookupFunction } from 'node:net';
import type { OutputConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { CommandOutcome, FeedClient, FeedCommand, Values } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { Instant } from '../instant.ts';
import type { Clock } from '../system/index.ts';

/** What an output gets; synchronous, and it never waits for the other side. */
export interface OutputSink {
  /** The document of a device changed, or is there from the start; those of before share what did not change. */
  state(document: StateDocument, before: StateDocument | undefined): void;
  /** A device is gone from the bridge. */
  removed(device: string): void;
  alarm(device: string, alarm: JsonObject): void;
  incident(incident: JsonObject): void;
}

/** Takes every sample, also one that says what the one before said. */
export interface SampleSink {
  /** The values of one message, by the name of their group in the state. */
  sample(device: string, group: string, values: Values): void;
}

/** One place where states and values go besides the feed. */
export interface Output extends OutputSink {
  readonly config: OutputConfig;
  /** Present where it takes samples. */
  readonly samples?: SampleSink | undefined;
  /** Reads its secrets and opens what it needs. What fails is tried again, and stands in the report. */
  start(): Promise<void>;
  report(): OutputReport;
  /** Sends something that says of itself that it is a test. */
  test(): void;
  /** Sends what waits, for a moment at most, and ends. */
  close(): Promise<void>;
}

/** How an output is, for `bridge/status`. */
export interface OutputReport {
  /** `starting`: nothing was sent yet. `ready`: the other side took the last. `backoff`: it is tried again. `failed`: it can't work until something is fixed. */
  readonly status: 'starting' | 'ready' | 'backoff' | 'failed';
  readonly since: number;
  readonly reason?: ErrorCode | undefined;
  readonly detail?: string | undefined;
  /** In ms since the epoch. */
  readonly retryAt?: number | undefined;
  readonly sent: number;
  /** Dropped: no room while the other side was away, or refused by it. */
  readonly lost: number;
  /** Why something was lost last; absent where nothing was. */
  readonly lostDetail?: string | undefined;
  readonly waiting: number;
  /** Of what waits, what the disk holds; absent where the output keeps nothing there. */
  readonly onDisk?: number | undefined;
  /** Damaged files of what waited, whose points were lost. */
  readonly damaged?: number | undefined;
}

/** What outputs work with. */
export interface OutputPorts {
  readonly clock: Clock;
  readonly version: string;
  readonly random: () => number;
  /** There is no bridge behind it: a test is sent, and nothing is said of a bridge. */
  readonly trial?: boolean | undefined;
  /** Resolves names without holding up anything else. */
  readonly lookup: LookupFunction;
  /** The present document of a topic. */
  document(topic: string): JsonObject | undefined;
  command(command: FeedCommand, client: FeedClient): Promise<CommandOutcome>;
  /** A defect of Heartwire showed in the output. */
  defect(cause: unknown): void;
  /** Its state changed. */
  changed(output: Output): void;
  /** It lost so many more, for this reason. */
  lost(output: Output, loss: Loss): void;
}

/** What an output lost, and why. */
export interface Loss {
  readonly count: number;
  readonly code: 'output_refused' | 'output_buffer_full' | 'output_buffer_unusable';
  readonly detail: string;
}

type StateReport = Pick<OutputReport, 'status' | 'since' | 'reason' | 'detail' | 'retryAt' | 'lostDetail'>;

/** The status of an output and since when; says of each change whether it is one. */
export class OutputState {
  #status: Omit<StateReport, 'lostDetail'>;
  #lostDetail: string | undefined;

  constructor(now: Instant) {
    this.#status = { status: 'starting', since: now.wallMs };
  }

  get report(): StateReport {
    return { ...this.#status, lostDetail: this.#lostDetail };
  }

  lost(detail: string): void {
    this.#lostDetail = detail;
  }

  ready(now: Instant): boolean {
    return this.#set({ status: 'ready' }, now);
  }

  backOff(reason: ErrorCode, detail: string, retryAtMonoMs: number, now: Instant): boolean {
    const retryAt = Math.round(now.wallMs + retryAtMonoMs - now.monoMs);
    return this.#set({ status: 'backoff', reason, detail, retryAt }, now);
  }

  failed(reason: ErrorCode, detail: string, now: Instant): boolean {
    return this.#set({ status: 'failed', reason, detail }, now);
  }

  #set(next: Omit<StateReport, 'since' | 'lostDetail'>, now: Instant): boolean {
    const { status, reason, since } = this.#status;
    const isSame = next.status === status && next.reason === reason;
    this.#status = { ...next, since: isSame ? since : now.wallMs };
    return !isSame;
  }
}

/** Full jitter: any time up to a bound that doubles with each failure, up to a minute. */
export function pauseMs(attempt: number, random: number): number {
  return 100 + random * Math.min(60_000, 1_000 * 2 ** Math.min(attempt - 1, 30));
}

/** A deadline as a timer takes it. */
export const finite = (deadline: number): number | undefined =>
  deadline === Infinity ? undefined : deadline;

type Kind = OutputConfig['kind'];

/** One kind of output. Its file exports it as `output`, from which `npm run generate` writes `output-kinds.ts`. */
export interface OutputKind<K extends Kind> {
  make(config: Extract<OutputConfig, { readonly kind: K }>, ports: OutputPorts): Output;
  /** What a test of it brings about, as a sentence. */
  readonly taken: string;
}
