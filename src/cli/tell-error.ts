import { HeartwireError } from '../errors.ts';
import { printableLines } from '../printable.ts';

/** What a failure looks like on a terminal: a sentence and its mend for our own errors, the stack for all others. */
export function tellError(error: unknown): string {
  if (error instanceof HeartwireError) {
    const message = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
    // Of a value that was typed among others, it helps to see which one it was.
    const seen = error.code === 'bad_field_value' && error.seen !== undefined ? ` Seen: ${error.seen}.` : '';
    return printableLines(
      `heartwire: ${message}${seen}${error.mend === undefined ? '' : ` ${error.mend}`}\n`,
    );
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return printableLines(`heartwire: an unexpected error; please report it with these lines.\n${detail}\n`);
}
