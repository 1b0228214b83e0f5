import type { Argv } from 'yargs';
import type { ProcessUsage } from '../server/metrics/bridge-families.ts';
import type { Terminal } from './terminal.ts';

/** What a command may touch of the process that runs it; `bin/` makes it, tests make their own. */
export interface CliIo {
  /** Results, to standard output. */
  out(text: string): void;
  /** Logs and hints, to standard error. */
  err(text: string): void;
  /** Standard output is a terminal: colours and redrawing are welcome there, and only there. */
  readonly terminal: boolean;
  /** What people see and type at; absent where either end is no terminal. */
  readonly tty?: Terminal;
  /** Standard error is a terminal, and the log is read by people there; as `terminal` where it is left out. */
  readonly errTerminal?: boolean;
  /** What the process uses now; absent where nobody knows. */
  readonly usage?: () => ProcessUsage;
  /** How this program is called from here, for lines to be typed next: `npx heartwire`. */
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Calls on every such signal until the returned function is called. Unwatched signals end the process. */
  onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', callback: () => void): () => void;
  /** Calls on whatever nobody caught, until the returned function is called. Unwatched, it ends the process. */
  onUncaught(callback: (cause: unknown) => void): () => void;
  /** Standard input, read when it is called; absent where there is none. */
  readonly stdin?: () => AsyncIterable<Uint8Array>;
  /** Resolves once what was given to `out` has been taken; undefined where nothing waits, or where nobody can tell. */
  readonly drained?: () => Promise<void> | undefined;
  /** Aborted when nobody reads standard output any more (a closed pipe). */
  readonly outClosed: AbortSignal;
}

/** 0 done, 1 the work failed, 2 wrong usage or configuration. */
export type ExitCode = 0 | 1 | 2;

/** One command of the command line: one file in `cli/`, one line in `cli/main.ts`. */
export interface Command<Args> {
  /** As yargs writes it: `check [file]`. */
  readonly usage: string;
  readonly describe: string;
  /** Shell line and what it does; shown by `--help`. */
  readonly examples: ReadonlyArray<readonly [string, string]>;
  /** A lone hyphen is standard input to it; to others it means nothing. */
  readonly takesHyphen?: boolean;
  /** What it prints holds orders for a terminal, or is data for programs: it escapes itself what devices and files say. */
  readonly raw?: true;
  options(yargs: Argv): Argv<Args>;
  run(args: Args, io: CliIo): Promise<ExitCode>;
}
