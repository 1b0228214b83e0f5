import { HeartwireError } from '../errors.ts';
import { printableLines } from '../system/index.ts';
import type { ExitCode } from './command.ts';

/** What a failure looks like on a terminal: a sentence and its fix for our own errors, the stack for all others. */
export function errorText(error: unknown): string {
  if (error instanceof HeartwireError) return printableLines(`heartwire: ${sentencesOf(error)}\n`);
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return printableLines(`heartwire: an unexpected error; please report it with these lines.\n${detail}\n`);
}

/** The exit code of a command that failed. */
export const exitCodeOf = (error: unknown): ExitCode =>
  error instanceof HeartwireError && /^(?:config_|pack_unknown$)/.test(error.code) ? 2 : 1;

/** The message of an error and its fix. */
export function sentencesOf(error: HeartwireError): string {
  const message = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  // The text alone does not say which of several typed values it is.
  const seen = error.code === 'bad_field_value' && error.seen !== undefined ? ` Seen: ${error.seen}.` : '';
  return `${message}${seen}${error.fix === undefined ? '' : ` ${error.fix}`}`;
}
