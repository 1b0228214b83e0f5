import type { Clock, Timer } from './clock.ts';
import type { Log } from './log.ts';
import { TokenBucket } from './rate-limits.ts';

type Level = keyof Log;

/** Lines that a whole log may have per second, on average; so many seconds' worth of them at once. */
export const DEFAULT_LINES_PER_SECOND = 10;
const BURST_SECONDS = 60;
/** What was left out is told once in so long. */
const TOLD_EVERY_MS = 10_000;
/** A flood of what is only told leaves room for what is wrong: each level has a share, and those of the levels below it. */
const SHARES: Readonly<Record<Level, number>> = { info: 0.6, warn: 0.2, error: 0.2 };
const MAY_TAKE: Readonly<Record<Level, readonly Level[]>> = {
  info: ['info'],
  warn: ['warn', 'info'],
  error: ['error', 'warn', 'info'],
};

/** A log with a bound for all of its lines: errors have more room than warnings, and those more than all else. */
export class BoundedLog {
  readonly #log: Log;
  readonly #clock: Clock;
  #buckets: ReadonlyMap<Level, TokenBucket>;
  #linesPerSecond: number;
  readonly #omitted: Record<Level, number> = { info: 0, warn: 0, error: 0 };
  #untold: Record<Level, number> = { info: 0, warn: 0, error: 0 };
  #timer: Timer | undefined;

  constructor(log: Log, clock: Clock, linesPerSecond = DEFAULT_LINES_PER_SECOND) {
    this.#log = log;
    this.#clock = clock;
    this.#linesPerSecond = linesPerSecond;
    this.#buckets = bucketsOf(linesPerSecond);
  }

  /** Lines that were left out because of the bound, by level. */
  get omitted(): Readonly<Record<Level, number>> {
    return this.#omitted;
  }

  /** Another bound holds from now on. */
  follow(linesPerSecond: number): void {
    if (linesPerSecond === this.#linesPerSecond) return;
    this.#linesPerSecond = linesPerSecond;
    this.#buckets = bucketsOf(linesPerSecond);
  }

  /** Tells what has been left out and was not told yet. */
  stop(): void {
    this.#timer?.cancel();
    this.#tell();
  }

  readonly log: Log = {
    info: (fields, text) => this.#write('info', fields, text),
    warn: (fields, text) => this.#write('warn', fields, text),
    error: (fields, text) => this.#write('error', fields, text),
  };

  #write(level: Level, fields: object, text: string): void {
    const now = this.#clock.now().monoMs;
    if (MAY_TAKE[level].some((each) => this.#buckets.get(each)?.take(now))) {
      this.#log[level](fields, text);
      return;
    }
    this.#omitted[level] += 1;
    this.#untold[level] += 1;
    this.#timer ??= this.#clock.setTimer(now + TOLD_EVERY_MS, () => this.#tell());
  }

  #tell(): void {
    this.#timer = undefined;
    const { info, warn, error } = this.#untold;
    if (info + warn + error === 0) return;
    this.#untold = { info: 0, warn: 0, error: 0 };
    this.#log.warn(
      { event: 'log_limited', omitted: { info, warn, error } },
      `the log was too long: ${error} errors, ${warn} warnings and ${info} other lines were left out; ` +
        'log.max_lines_per_second is the bound',
    );
  }
}

function bucketsOf(linesPerSecond: number): ReadonlyMap<Level, TokenBucket> {
  const levels: readonly Level[] = ['info', 'warn', 'error'];
  return new Map(
    levels.map((level) => {
      const rate = linesPerSecond * SHARES[level];
      return [level, new TokenBucket(rate, Math.max(1, rate * BURST_SECONDS))];
    }),
  );
}
