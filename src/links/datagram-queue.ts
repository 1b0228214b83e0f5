import type { SendOutcome } from './link.ts';
import { MAX_QUEUED_BYTES, MAX_QUEUED_FRAMES } from './write-queue.ts';

/** Hands one datagram to the system; `done` is called once, later. */
export type SendDatagram = (bytes: Uint8Array, done: (error: Error | null) => void) => void;

/** Datagrams on their way to the operating system, with the bounds of a queue of frames. */
export class DatagramQueue {
  readonly #send: SendDatagram;
  readonly #failed: (error: Error, bytes: number) => void;
  #queued = 0;
  #queuedBytes = 0;
  #emptied: (() => void) | undefined;

  /** `failed` is called for each datagram that the system does not take. */
  constructor(send: SendDatagram, failed: (error: Error, bytes: number) => void) {
    this.#send = send;
    this.#failed = failed;
  }

  /** Those that the operating system has not taken. */
  get queued(): number {
    return this.#queued;
  }

  send(bytes: Uint8Array): SendOutcome {
    const { length } = bytes;
    if (this.#queued >= MAX_QUEUED_FRAMES) return 'link_queue_full';
    if (this.#queued > 0 && this.#queuedBytes + length > MAX_QUEUED_BYTES) return 'link_queue_full';
    this.#queued += 1;
    this.#queuedBytes += length;
    this.#send(bytes, (error) => {
      this.#queued -= 1;
      this.#queuedBytes -= length;
      if (error !== null && error !== undefined) this.#failed(error, length);
      if (this.#queued > 0) return;
      const emptied = this.#emptied;
      this.#emptied = undefined;
      emptied?.();
    });
    return 'accepted';
  }

  /** Calls once when nothing waits any more, never at once. */
  whenEmpty(callback: () => void): void {
    if (this.#queued === 0) process.nextTick(callback);
    else this.#emptied = callback;
  }
}
