import type { Log } from './log.ts';

/** Codes that are told apart; a code that is none of ours could otherwise make series without end. */
const MOST_KINDS = 300;

interface Fields {
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
    const write = (level: keyof Log, fields: Fields, text: string): void => {
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
