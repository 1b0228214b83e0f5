import type { Log } from './log.ts';

/** The device, address or client where a defect showed, as the log names it. */
export interface Affected {
  /** The kind of an output. */
  readonly output?: string;
  readonly device?: string;
  readonly address?: string;
  readonly client?: string;
}

/** The fields of a log line about a defect. */
export interface LoggedDefect extends Affected {
  readonly code: 'internal_error';
  /** As pino wants an error, so that its stack is written out. */
  readonly err: Error;
}

/**
 * Logs a defect of Heartwire itself: an error that nothing should throw. Returns its text for others, without the
 * places in the code.
 */
export function tellDefect(log: Log, affected: Affected, cause: unknown): string {
  const err = cause instanceof Error ? cause : new Error(String(cause));
  const summary = `${err.name}: ${err.message}`;
  const [place = ''] = /\n\s+at .*/.exec(err.stack ?? '') ?? [];
  const text = `a defect of Heartwire, please report it: ${summary}${place.replace(/\s+/g, ' ')}`;
  const fields: LoggedDefect = { ...affected, code: 'internal_error', err };
  log.error(fields, text);
  return summary;
}

/** Further apart they are not in a row. */
const IN_A_ROW_MS = 10 * 60_000;

/** Counts the defects in a row of one device or client. */
export class DefectStreak {
  #times = 0;
  #at = 0;

  /** One more showed; how many it makes. */
  showed(monoMs: number): number {
    this.#times = monoMs - this.#at > IN_A_ROW_MS ? 1 : this.#times + 1;
    this.#at = monoMs;
    return this.#times;
  }
}
