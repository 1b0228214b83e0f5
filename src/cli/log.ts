import { HeartwireError } from '../errors.ts';
import { createLog, type Log, tellDefect } from '../system/index.ts';
import type { CliIo } from './command.ts';
import { sentencesOf } from './error-text.ts';

/** The log of a command that runs for long: to standard error, in colour where that is a terminal. */
export function cliLog(io: CliIo, level: 'info' | 'warn'): Log {
  return createLog({ pretty: io.errTerminal ?? io.terminal, level, write: (line) => io.err(line) });
}

/** The same as `errorText`, as a line of a log that programs read. */
export function logFailure(log: Log, error: unknown): void {
  if (error instanceof HeartwireError) log.error({ code: error.code }, sentencesOf(error));
  else tellDefect(log, {}, error);
}

export interface CrashHandler {
  /** Resolves at the first uncaught error. */
  readonly crashed: Promise<'crashed'>;
  /** An uncaught error ends the process again. */
  [Symbol.dispose](): void;
}

/**
 * Logs every uncaught error. The state of the program is unknown after the first one: to end in order and to be
 * restarted is safer than to go on.
 */
export function crashHandler(io: CliIo, log: Log): CrashHandler {
  let unwatch = (): void => undefined;
  const crashed = new Promise<'crashed'>((resolve) => {
    unwatch = io.onUncaught((cause) => {
      tellDefect(log, {}, cause);
      resolve('crashed');
    });
  });
  return { crashed, [Symbol.dispose]: unwatch };
}
