import { HeartwireError } from '../errors.ts';
import { tellDefect } from '../system/defect.ts';
import type { Log } from '../system/log.ts';
import { printableLines } from '../system/printable.ts';
import type { ExitCode } from './command.ts';

/** What a failure looks like on a terminal: a sentence and its fix for our own errors, the stack for all others. */
export function tellError(error: unknown): string {
  if (error instanceof HeartwireError) return printableLines(`heartwire: ${sentences(error)}\n`);
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return printableLines(`heartwire: an unexpected error; please report it with these lines.\n${detail}\n`);
}

/** The same as a line of a log that programs read. */
export function logFailure(log: Log, error: unknown): void {
  if (error instanceof HeartwireError) log.error({ code: error.code }, sentences(error));
  else tellDefect(log, {}, error);
}

/** What a command that failed ends with. */
export const exitCodeOf = (error: unknown): ExitCode =>
  error instanceof HeartwireError && error.code.startsWith('config_') ? 2 : 1;

function sentences(error: HeartwireError): string {
  const message = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  // Of a value that was typed among others, it helps to see which one it was.
  const seen = error.code === 'bad_field_value' && error.seen !== undefined ? ` Seen: ${error.seen}.` : '';
  return `${message}${seen}${error.fix === undefined ? '' : ` ${error.fix}`}`;
}
