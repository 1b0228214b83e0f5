import type { Writable } from 'node:stream';
import type { SendOutcome } from './link.ts';

/** Frames that may wait for one link. */
export const MAX_QUEUED_FRAMES = 1_024;

/** Hands frames to a stream: bounded, and all frames of one tick in one system call. */
export class WriteQueue {
  readonly #stream: Writable;
  #queued = 0;
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
    if (this.#queued >= MAX_QUEUED_FRAMES) return 'link_queue_full';
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
      process.nextTick(this.#uncork);
    }
    this.#queued += 1;
    this.#stream.write(bytes, this.#taken);
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

  readonly #taken = (): void => {
    this.#queued -= 1;
    if (this.#queued > 0) return;
    const emptied = this.#emptied;
    this.#emptied = undefined;
    emptied?.();
  };
}
