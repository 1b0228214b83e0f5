import type { Ending } from './link-protocol.ts';

const FRAME_PROGRESS_MS = 30_000;

/** Watches that a frame that was begun grows. Instants are monotonic ms. */
export class FrameProgress {
  #dueAt = Number.POSITIVE_INFINITY;

  /** A chunk came, and so many bytes of an unfinished frame are held since. */
  chunkReceived(pending: number, now: number): void {
    this.#dueAt = pending > 0 ? now + FRAME_PROGRESS_MS : Number.POSITIVE_INFINITY;
  }

  nextDeadline(): number {
    return this.#dueAt;
  }

  ending(now: number): Ending | undefined {
    if (this.#dueAt > now) return undefined;
    const detail = 'a frame was begun and did not grow for 30 s';
    return { reason: 'frame_stalled', detail, how: 'destroy' };
  }
}
