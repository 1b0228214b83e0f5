import type { Clock, Timer } from './clock.ts';
import type { Log } from './log.ts';
import { TokenBucket } from './token-bucket.ts';

type Level = keyof Log;

/** Lines that a whole log may have per second, on average; so many seconds' worth of them at once. */
export const DEFAULT_LINES_PER_SECOND = 10;
const BURST_SECONDS = 60;
/** What was left out is logged once in so long. */
const REPORT_EVERY_MS = 10_000;
/** A flood of information leaves room for errors: each level has its share, and may use those of the levels below it. */
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
  #unreported: Record<Level, number> = { info: 0, warn: 0, error: 0 };
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

  /** Logs what has been left out and was not reported yet. */
  stop(): void {
    this.#timer?.cancel();
    this.#report();
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
    this.#unreported[level] += 1;
    this.#timer ??= this.#clock.setTimer(now + REPORT_EVERY_MS, () => this.#report());
  }

  #report(): void {
    this.#timer = undefined;
    const { info, warn, error } = this.#unreported;
    if (info + warn + error === 0) return;
    this.#unreported = { info: 0, warn: 0, error: 0 };
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

const WINDOW_MS = 10_000;
const LINES_PER_WINDOW = 5;
/** Devices and peers times codes that are counted at once; beyond that, counting starts again. */
const MAX_KINDS = 10_000;

interface Kind {
  readonly since: number;
  lines: number;
  dropped: number;
}

/** The members of a line that tell one kind from another. */
interface Fields {
  readonly device?: string;
  readonly address?: string;
  readonly code?: string;
  readonly event?: string;
}

/**
 * A log in which one peer can't drown the others: of each device (or the host of a peer without a name) and code at
 * most five lines in 10 s are written; the first line after that says how many were not.
 */
export function collapsingLog(log: Log, clock: Clock): Log {
  const kinds = new Map<string, Kind>();
  const write = (level: keyof Log, fields: object, text: string): void => {
    const { device, address, code, event }: Fields = fields;
    const source = device ?? address?.replace(/:\d+$/, '') ?? '';
    const key = `${level} ${source} ${code ?? event ?? ''}`;
    const now = clock.now().monoMs;
    let kind = kinds.get(key);
    let left = 0;
    if (kind === undefined || now - kind.since >= WINDOW_MS) {
      left = kind?.dropped ?? 0;
      if (kinds.size >= MAX_KINDS) kinds.clear();
      kind = { since: now, lines: 0, dropped: 0 };
      kinds.set(key, kind);
    }
    if (kind.lines >= LINES_PER_WINDOW) {
      kind.dropped += 1;
      return;
    }
    kind.lines += 1;
    if (left > 0) log[level]({ ...fields, omitted: left }, `${text} (and ${left} more like this before)`);
    else log[level](fields, text);
  };
  return {
    info: (fields, text) => write('info', fields, text),
    warn: (fields, text) => write('warn', fields, text),
    error: (fields, text) => write('error', fields, text),
  };
}

/** Codes that are counted apart; a foreign code could otherwise make series without end. */
const MOST_KINDS = 300;

interface Coded {
  readonly code?: unknown;
  readonly event?: unknown;
}

/** Counts the lines of a log by level and code, also those that are not written because they repeat. */
export class LogCounts {
  readonly #counts = new Map<string, { readonly level: keyof Log; readonly code: string; count: number }>();

  get lines(): readonly { readonly level: keyof Log; readonly code: string; readonly count: number }[] {
    return [...this.#counts.values()];
  }

  /** The same log, counted; a line that has no code of its own has the name of its event as one. */
  counting(log: Log): Log {
    const write = (level: keyof Log, fields: Coded, text: string): void => {
      const { code = fields.event } = fields;
      this.#count(level, typeof code === 'string' ? code : '');
      log[level](code === undefined ? fields : { ...fields, code }, text);
    };
    return {
      info: (fields, text) => write('info', fields, text),
      warn: (fields, text) => write('warn', fields, text),
      error: (fields, text) => write('error', fields, text),
    };
  }

  #count(level: keyof Log, code: string): void {
    const known = this.#counts.get(`${level} ${code}`);
    if (known !== undefined) known.count += 1;
    else if (this.#counts.size < MOST_KINDS || code === 'other')
      this.#counts.set(`${level} ${code}`, { level, code, count: 1 });
    else this.#count(level, 'other');
  }
}
