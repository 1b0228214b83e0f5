/** Frames that may wait for one link. */
export const MAX_PENDING_FRAMES = 1_024;
/** Bytes that they may have together; a frame for which nothing waits may have more. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Counts the frames that the operating system has not taken from a link, and bounds them. */
export class PendingFrames {
  #frames = 0;
  #bytes = 0;
  #emptied: (() => void) | undefined;

  get count(): number {
    return this.#frames;
  }

  /** Counts one more frame of `length` bytes; false where there is no room for it. */
  add(length: number): boolean {
    if (this.#frames >= MAX_PENDING_FRAMES) return false;
    if (this.#frames > 0 && this.#bytes + length > MAX_BYTES) return false;
    this.#frames += 1;
    this.#bytes += length;
    return true;
  }

  /** The system took so many of them. */
  taken(frames: number, bytes: number): void {
    this.#frames -= frames;
    this.#bytes -= bytes;
    if (this.#frames > 0) return;
    const emptied = this.#emptied;
    this.#emptied = undefined;
    emptied?.();
  }

  /** Calls once when nothing waits any more, never at once. */
  whenEmpty(callback: () => void): void {
    if (this.#frames === 0) process.nextTick(callback);
    else this.#emptied = callback;
  }
}
