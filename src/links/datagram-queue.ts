import type { SendOutcome } from './link.ts';
import { PendingFrames } from './pending-frames.ts';

/** Hands one datagram to the system; `done` is called once, later. */
export type SendDatagram = (bytes: Uint8Array, done: (error: Error | null) => void) => void;

/** Datagrams on their way to the operating system, with the bounds of a queue of frames. */
export class DatagramQueue {
  readonly #send: SendDatagram;
  readonly #failed: (error: Error, bytes: number) => void;
  readonly #pending = new PendingFrames();

  /** `failed` is called for each datagram that the system does not take. */
  constructor(send: SendDatagram, failed: (error: Error, bytes: number) => void) {
    this.#send = send;
    this.#failed = failed;
  }

  /** Those that the operating system has not taken. */
  get queued(): number {
    return this.#pending.count;
  }

  send(bytes: Uint8Array): SendOutcome {
    const { length } = bytes;
    if (!this.#pending.add(length)) return 'link_queue_full';
    this.#send(bytes, (error) => {
      if (error !== null && error !== undefined) this.#failed(error, length);
      this.#pending.taken(1, length);
    });
    return 'accepted';
  }

  /** Calls once when nothing waits any more, never at once. */
  whenEmpty(callback: () => void): void {
    this.#pending.whenEmpty(callback);
  }
}
