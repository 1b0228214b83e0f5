import { createLog, type Log } from '../system/log.ts';
import type { CliIo } from './command.ts';

/** The log of a command that runs for long: to standard error, for people where they watch. */
export function cliLog(io: CliIo, level: 'info' | 'warn'): Log {
  return createLog({ pretty: io.errTerminal ?? io.terminal, level, write: (line) => io.err(line) });
}
