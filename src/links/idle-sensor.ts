import { InterByteTimeoutParser } from '@serialport/parser-inter-byte-timeout';

/** Chunks of one burst that the parser counts before it is told anew; bounds its buffer, not the burst. */
const MAX_MARKS = 1024;
/** A timer later than this was held up by a stalled loop, and says nothing about the line. */
const LATE_MS = 10;
/** A read that was under way in the thread pool when the silence was sensed has come back by then. */
const SETTLE_MS = 10;
/** A loop that is stalled for ever must not keep a half frame for ever. */
const MAX_ROUNDS = 5;
const MARK = new Uint8Array(1);

/**
 * Tells when a line has fallen silent: `idle` is called once after every burst, when nothing was read for `gapMs`.
 *
 * The inter-byte-timeout parser is the sensor, beside the data and not in its way: it is fed one mark a chunk, never
 * the bytes. The end of its burst is only a suspicion, because a loop that stood still fires the parser's timer before
 * it reads what came meanwhile. So the suspicion is confirmed on a loop that runs: after a short settling time, or,
 * where a timer came late, after one more whole gap.
 */
export class IdleSensor {
  readonly #gapMs: number;
  readonly #idle: () => void;
  readonly #parser: InterByteTimeoutParser;
  #lastReadAtMs = 0;
  #confirmation: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(gapMs: number, idle: () => void) {
    this.#gapMs = Math.max(1, gapMs);
    this.#idle = idle;
    this.#parser = new InterByteTimeoutParser({ interval: this.#gapMs, maxBufferSize: MAX_MARKS });
    this.#parser.on('data', (marks: Uint8Array) => this.#burstEnded(marks.length));
  }

  /** Bytes were read just now. */
  sawBytes(): void {
    if (this.#closed) return;
    this.#lastReadAtMs = performance.now();
    clearTimeout(this.#confirmation);
    this.#confirmation = undefined;
    this.#parser.write(MARK);
  }

  /** Nothing is reported afterwards, and no timer is left. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#confirmation);
    this.#confirmation = undefined;
    this.#parser.removeAllListeners('data');
    // Destroying it leaves its timer running; only emitting clears that.
    this.#parser.emitPacket();
    this.#parser.destroy();
  }

  #burstEnded(marks: number): void {
    if (this.#closed) return;
    if (marks >= MAX_MARKS) {
      // Its buffer was full; an empty one would never report the silence that follows.
      this.#parser.write(MARK);
      return;
    }
    const late = performance.now() - this.#lastReadAtMs - this.#gapMs > LATE_MS;
    this.#confirmAfter(late ? this.#gapMs : SETTLE_MS, 1);
  }

  #confirmAfter(waitMs: number, round: number): void {
    const dueAtMs = performance.now() + waitMs;
    clearTimeout(this.#confirmation);
    this.#confirmation = setTimeout(() => {
      this.#confirmation = undefined;
      const late = performance.now() - dueAtMs > LATE_MS;
      if (late && round < MAX_ROUNDS) this.#confirmAfter(this.#gapMs, round + 1);
      else this.#idle();
    }, waitMs);
  }
}
