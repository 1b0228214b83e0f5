import type { Log } from './log.ts';

/** With whom a defect showed, as the log names them. */
export interface Affected {
  readonly device?: string;
  readonly address?: string;
  readonly client?: string;
}

/** What stands beside the text of a line that tells of a defect. */
export interface LoggedDefect extends Affected {
  readonly code: 'internal_error';
  /** As pino wants an error, so that its stack is written out. */
  readonly err: Error;
}

/**
 * Tells the log of a defect of Heartwire itself: something threw that nothing should. Returns it as others are told of
 * it, without the places in the code.
 */
export function tellDefect(log: Log, affected: Affected, cause: unknown): string {
  const err = cause instanceof Error ? cause : new Error(String(cause));
  const told = `${err.name}: ${err.message}`;
  const [place = ''] = /\n\s+at .*/.exec(err.stack ?? '') ?? [];
  const text = `a defect of Heartwire, please report it: ${told}${place.replace(/\s+/g, ' ')}`;
  const fields: LoggedDefect = { ...affected, code: 'internal_error', err };
  log.error(fields, text);
  return told;
}

/** Further apart they are not in a row. */
const IN_A_ROW_MS = 10 * 60_000;

/** How many defects in a row showed with somebody. */
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
