import type { Writable } from 'node:stream';
import type { SendOutcome } from './link.ts';

/** Frames that may wait for one link. */
const MAX_QUEUED_FRAMES = 1_024;
/** Bytes that they may have together; a frame for which nothing waits may have more. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** Hands frames to a stream: bounded, and all frames of one tick in one system call. */
export class WriteQueue {
  readonly #stream: Writable;
  #queued = 0;
  #queuedBytes = 0;
  #corked = false;
  #emptied: (() => void) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Frames that the operating system has not taken. */
  get queued(): number {
    return this.#queued;
  }

  send(bytes: Uint8Array): SendOutcome {
    const { length } = bytes;
    if (this.#queued >= MAX_QUEUED_FRAMES) return 'link_queue_full';
    if (this.#queued > 0 && this.#queuedBytes + length > MAX_QUEUED_BYTES) return 'link_queue_full';
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
      process.nextTick(this.#uncork);
    }
    this.#queued += 1;
    this.#queuedBytes += length;
    this.#stream.write(bytes, () => this.#taken(length));
    return 'accepted';
  }

  /** Calls once when nothing waits any more, never at once. */
  whenEmpty(callback: () => void): void {
    if (this.#queued === 0) process.nextTick(callback);
    else this.#emptied = callback;
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#stream.uncork();
  };

  #taken(length: number): void {
    this.#queued -= 1;
    this.#queuedBytes -= length;
    if (this.#queued > 0) return;
    const emptied = this.#emptied;
    this.#emptied = undefined;
    emptied?.();
  }
}
