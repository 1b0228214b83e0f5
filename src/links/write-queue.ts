import type { Writable } from 'node:stream';
import type { SendOutcome } from './link.ts';
import { PendingFrames } from './pending-frames.ts';

/** Frames that are together no longer than this are put into one piece: that costs less than a list of pieces. */
const JOINED_BYTES = 16 * 1024;

/** Hands frames to a stream: bounded, and all frames of one tick in one system call, at the end of it. */
export class WriteQueue {
  readonly #stream: Writable;
  readonly #pending = new PendingFrames();
  /** Of this tick, not handed over yet. */
  #fresh: Uint8Array[] = [];
  #freshBytes = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Frames that the operating system has not taken. */
  get queued(): number {
    return this.#pending.count;
  }

  send(bytes: Uint8Array): SendOutcome {
    const { length } = bytes;
    if (!this.#pending.add(length)) return 'link_queue_full';
    if (this.#fresh.length === 0) process.nextTick(this.#flush);
    this.#fresh.push(bytes);
    this.#freshBytes += length;
    return 'accepted';
  }

  /** Hands over now what waits for the end of the tick; before the stream is ended. */
  flush(): void {
    const frames = this.#fresh;
    const bytes = this.#freshBytes;
    const [only] = frames;
    if (only === undefined) return;
    this.#fresh = [];
    this.#freshBytes = 0;
    const taken = (): void => this.#pending.taken(frames.length, bytes);
    if (frames.length === 1) this.#stream.write(only, taken);
    else if (bytes <= JOINED_BYTES) this.#stream.write(Buffer.concat(frames, bytes), taken);
    else this.#writeAll(frames, taken);
  }

  /** Calls once when nothing waits any more, never at once. */
  whenEmpty(callback: () => void): void {
    this.#pending.whenEmpty(callback);
  }

  readonly #flush = (): void => this.flush();

  #writeAll(frames: readonly Uint8Array[], taken: () => void): void {
    this.#stream.cork();
    // A stream takes what it is given in order, and reports the last one behind all others.
    for (const [index, frame] of frames.entries()) {
      if (index < frames.length - 1) this.#stream.write(frame);
      else this.#stream.write(frame, taken);
    }
    this.#stream.uncork();
  }
}
