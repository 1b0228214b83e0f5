import { InterByteTimeoutParser } from '@serialport/parser-inter-byte-timeout';

/** Marks of one burst that the parser keeps before it is started again; bounds its buffer, not the burst. */
const MAX_MARKS = 1_024;
/** Part of a gap after which the parser is fed again while bytes go on coming; the rest is waited for at the end. */
const FEED_EVERY = 0.5;
/** A timer later than this was held up by a stalled loop, and says nothing about the line. */
const LATE_MS = 10;
/** A read that was under way in the thread pool when the silence was sensed has come back by then. */
const SETTLE_MS = 10;
/** A loop that is stalled for ever must not keep a half frame for ever. */
const MAX_ROUNDS = 5;
const MARK = new Uint8Array(1);

/**
 * Detects that a line has fallen silent: `idle` is called once after every burst, when nothing was read for `gapMs`.
 *
 * The inter-byte-timeout parser is the sensor, beside the data and not in its way: it is fed marks, at
 * most two a gap, never the bytes. The end of its burst is only a suspicion, because a loop that stood still fires the parser's timer before
 * it reads what came meanwhile. So the suspicion is confirmed on a loop that runs: after a short settling time, or,
 * where a timer came late, after one more whole gap.
 */
export class IdleSensor {
  readonly #gapMs: number;
  readonly #idle: () => void;
  readonly #parser: InterByteTimeoutParser;
  #lastReadAtMs = 0;
  /** When the parser was fed last; undefined while it waits for nothing. */
  #fedAtMs: number | undefined;
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
    const nowMs = performance.now();
    this.#lastReadAtMs = nowMs;
    if (this.#confirmation !== undefined) {
      clearTimeout(this.#confirmation);
      this.#confirmation = undefined;
    }
    if (this.#fedAtMs === undefined || nowMs - this.#fedAtMs >= this.#gapMs * FEED_EVERY) this.#feed(nowMs);
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

  #feed(nowMs: number): void {
    this.#fedAtMs = nowMs;
    this.#parser.write(MARK);
  }

  #burstEnded(marks: number): void {
    const fedAtMs = this.#fedAtMs;
    if (this.#closed || fedAtMs === undefined) return;
    const nowMs = performance.now();
    if (marks >= MAX_MARKS) {
      // Its buffer was full; an empty one would never report the silence that follows.
      this.#feed(nowMs);
      return;
    }
    this.#fedAtMs = undefined;
    const late = nowMs - fedAtMs - this.#gapMs > LATE_MS;
    const restMs = Math.max(0, this.#lastReadAtMs + this.#gapMs - nowMs);
    this.#confirmAfter(late ? this.#gapMs : restMs + SETTLE_MS, 1);
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
