import type { ErrorCode } from '../../errors.ts';
import type { RequestOutcome } from './session-events.ts';

/** What is sent, and in which pieces. */
export interface FileToSend {
  /** The number that ties the chunks together. */
  readonly transfer: number;
  /** In bytes. */
  readonly size: number;
  /** Bytes of every chunk but the last. */
  readonly chunkBytes: number;
  /** So long without an acknowledged chunk, and the transfer fails, in ms. */
  readonly stallLimitMs: number;
}

/** What is to be done next. */
export type SendStep =
  | {
      readonly do: 'send';
      readonly index: number;
      readonly total: number;
      /** Of the chunk's data in the file, in bytes. */
      readonly offset: number;
      readonly length: number;
    }
  /** Monotonic ms. */
  | { readonly do: 'wait'; readonly until: number }
  | { readonly do: 'done' }
  | { readonly do: 'failed'; readonly code: ErrorCode; readonly detail: string };

/** How far it is. */
export interface SendProgress {
  /** Bytes that the device has acknowledged. */
  readonly bytes: number;
  readonly size: number;
  /** Chunks that were sent more than once. */
  readonly repeated: number;
  /** Times that it went on after a break. */
  readonly resumed: number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
const MOST_RESTARTS = 3;

/*
 * One chunk is out at a time, because replies carry no number:
 *
 *   sending --acknowledged--> sending the next ... --> done
 *           --no link, no reply, busy--> pause --> sending the same again
 *           --refused right after a break--> sending the first again (the device forgot what it had)
 *           --refused--> failed
 *
 * A chunk that the device has already is known to it by its index, so sending it again does no harm; that is why
 * chunks, unlike other requests, are repeated over another link.
 */

/** Sends a file in chunks over links that come and go; holds no bytes of it. */
export class FileSender {
  readonly #file: FileToSend;
  readonly #total: number;
  #index = 0;
  #farthest = -1;
  #repeated = 0;
  #resumed = 0;
  #restarts = 0;
  #broken = false;
  #pauseMs = FIRST_PAUSE_MS;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #progressAt: number;
  #end: SendStep | undefined;

  /** `now` in monotonic ms. */
  constructor(file: FileToSend, now: number) {
    this.#file = file;
    // An empty file is one empty chunk.
    this.#total = Math.max(1, Math.ceil(file.size / file.chunkBytes));
    this.#progressAt = now;
  }

  get progress(): SendProgress {
    const { size, chunkBytes } = this.#file;
    const bytes = Math.min(size, this.#index * chunkBytes);
    return { bytes, size, repeated: this.#repeated, resumed: this.#resumed };
  }

  /** To be asked again after every `settled` and at the end of every wait. */
  next(now: number): SendStep {
    if (this.#end !== undefined) return this.#end;
    const { size, chunkBytes, stallLimitMs } = this.#file;
    const stalledAt = this.#progressAt + stallLimitMs;
    if (this.#broken && now >= stalledAt) {
      const detail = `no chunk was acknowledged for ${stallLimitMs} ms, after ${this.#index} of ${this.#total}`;
      return this.#finish({ do: 'failed', code: 'transfer_stalled', detail });
    }
    if (now < this.#pausedUntil) return { do: 'wait', until: Math.min(this.#pausedUntil, stalledAt) };
    const offset = this.#index * chunkBytes;
    const length = Math.min(chunkBytes, size - offset);
    return { do: 'send', index: this.#index, total: this.#total, offset, length };
  }

  /** How the chunk that was to be sent ended. */
  settled(outcome: RequestOutcome, now: number): void {
    if (this.#end !== undefined) return;
    if (outcome.ok || mayHaveArrived(outcome.code)) {
      if (this.#index <= this.#farthest) this.#repeated += 1;
      this.#farthest = Math.max(this.#farthest, this.#index);
    }
    if (!outcome.ok) return this.#failed(outcome.code, outcome.detail, now);
    if (outcome.error !== undefined && outcome.error !== 0) return this.#refused(outcome.error, now);
    if (this.#broken) this.#resumed += 1;
    this.#broken = false;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#progressAt = now;
    this.#index += 1;
    if (this.#index === this.#total) this.#finish({ do: 'done' });
  }

  #failed(code: ErrorCode, detail: string, now: number): void {
    if (!isPassing(code)) {
      this.#finish({ do: 'failed', code, detail });
      return;
    }
    this.#broken = true;
    this.#pausedUntil = now + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #refused(error: number, now: number): void {
    if (this.#broken && this.#index > 0 && this.#restarts < MOST_RESTARTS) {
      this.#restarts += 1;
      this.#index = 0;
      this.#progressAt = now;
      return;
    }
    const detail = `the device refused chunk ${this.#index} of ${this.#total} with error ${error}`;
    this.#finish({ do: 'failed', code: 'transfer_refused', detail });
  }

  #finish(step: SendStep): SendStep {
    this.#end = step;
    return step;
  }
}

/** Whether the chunk was sent, for all that is known. */
function mayHaveArrived(code: ErrorCode): boolean {
  return ['link_lost', 'link_replaced', 'request_timeout', 'invalid_reply', 'internal_error'].includes(code);
}

/** Whether the same chunk may get through later. */
function isPassing(code: ErrorCode): boolean {
  switch (code) {
    case 'device_not_online':
    case 'link_lost':
    case 'link_replaced':
    case 'link_not_open':
    case 'link_queue_full':
    case 'request_busy':
    case 'request_expired':
    case 'request_timeout':
    case 'invalid_reply':
    // The device is taken up afresh.
    case 'internal_error':
      return true;
    default:
      return false;
  }
}
