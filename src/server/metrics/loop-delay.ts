import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often the loop is looked at, in ms; what is measured counts this time in. */
const RESOLUTION_MS = 40;
/** What is told covers so much of the past, and at most twice as much where it is asked for as often. */
const WINDOW_MS = 60_000;
const NS_PER_S = 1e9;

/** How late the event loop came to what was due, in seconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Watches how late the event loop is. Of two histograms that are emptied in turn the fuller one is read, so that
 * everybody who asks is told of the same past.
 */
export class LoopDelayWatch {
  #full: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #fresh: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #turnedAtMs: number | undefined;

  start(): void {
    this.#full.enable();
    this.#fresh.enable();
  }

  stop(): void {
    this.#full.disable();
    this.#fresh.disable();
  }

  read(monoMs: number): LoopDelay {
    this.#turnedAtMs ??= monoMs;
    if (monoMs - this.#turnedAtMs >= WINDOW_MS) {
      [this.#full, this.#fresh] = [this.#fresh, this.#full];
      this.#fresh.reset();
      this.#turnedAtMs = monoMs;
    }
    const histogram = this.#full;
    // Without a measurement yet, the maximum is none.
    if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    return {
      p50: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      max: late(histogram.max),
    };
  }
}

function late(ns: number): number {
  return Math.max(0, ns / NS_PER_S - RESOLUTION_MS / 1_000);
}
