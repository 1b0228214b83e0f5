import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { Ring } from './ring.ts';

/** A line of the log as it is shown to people who watch a page instead of a terminal. */
export interface LogLine {
  /** Counted from 1 since the start. */
  readonly n: number;
  /** Epoch ms. */
  readonly at: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  readonly device?: string | undefined;
  readonly code?: string | undefined;
}

const MOST_LINES = 500;
/** Characters of a line that are kept. */
const LONGEST = 1_000;

/** The last lines of the log. */
export class LogTail {
  readonly log: Log;
  readonly #lines = new Ring<LogLine>();
  readonly #clock: Clock;
  #count = 0;

  constructor(log: Log, clock: Clock) {
    this.#clock = clock;
    const keeping =
      (level: LogLine['level']) =>
      (fields: object, text: string): void => {
        log[level](fields, text);
        this.#keep(level, fields, text);
      };
    this.log = { info: keeping('info'), warn: keeping('warn'), error: keeping('error') };
  }

  /** The lines behind the n-th, the oldest first. */
  after(n: number): readonly LogLine[] {
    const found: LogLine[] = [];
    for (let index = 0; index < this.#lines.length; index++) {
      const line = this.#lines.at(index);
      if (line !== undefined && line.n > n) found.push(line);
    }
    return found;
  }

  #keep(level: LogLine['level'], fields: object, text: string): void {
    const { device, code } = fields as { readonly device?: unknown; readonly code?: unknown };
    this.#lines.push({
      n: ++this.#count,
      at: this.#clock.now().wallMs,
      level,
      text: text.slice(0, LONGEST),
      ...(typeof device === 'string' ? { device } : {}),
      ...(typeof code === 'string' ? { code } : {}),
    });
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
  }
}
