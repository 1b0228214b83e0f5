import type { Argv } from 'yargs';
import type { ProcessUsage } from '../server/index.ts';

/** What a command may touch of the process that runs it; `bin/` makes it, tests make their own. */
export interface CliIo {
  /** Results, to standard output. */
  out(text: string): void;
  /** The same for what is no text; absent where standard output takes text only. */
  readonly outBytes?: (bytes: Uint8Array) => void;
  /** Logs and hints, to standard error. */
  err(text: string): void;
  /** Standard output is a terminal: colours and redrawing are welcome there, and only there. */
  readonly terminal: boolean;
  /** What people see and type at; absent where either end is no terminal. */
  readonly tty?: Terminal;
  /** Standard error is a terminal, and the log is read by people there; as `terminal` where it is left out. */
  readonly errTerminal?: boolean;
  /** What the process uses now; absent where that is not known. */
  readonly usage?: () => ProcessUsage;
  /** How this program is called from here, for lines to be typed next: `npx heartwire`. */
  readonly program: string;
  /** The words that start this program from any folder, for scripts that others start; absent where that is not known. */
  readonly self?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Calls on every such signal until the returned function is called. Unwatched signals end the process. */
  onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', callback: () => void): () => void;
  /** Calls on every uncaught error, until the returned function is called. Unwatched, it ends the process. */
  onUncaught(callback: (cause: unknown) => void): () => void;
  /** Standard input, read when it is called; absent where there is none. */
  readonly stdin?: () => AsyncIterable<Uint8Array>;
  /** Resolves once what was given to `out` has been taken; undefined where nothing waits, or where that is not known. */
  readonly drained?: () => Promise<void> | undefined;
  /** Aborted when standard output is closed (a pipe without a reader). */
  readonly outClosed: AbortSignal;
}

/** 0 done, 1 the work failed, 2 wrong usage or configuration. */
export type ExitCode = 0 | 1 | 2;

/** What people want to do when they look for a command, and how `--help` names it; in its order. */
export const TASKS = {
  connect: 'Connect devices',
  look: 'Look at what they say',
  act: 'Act on them',
  record: 'Record and play',
  describe: 'Describe messages',
  operate: 'Operate a bridge',
} as const;

export type Task = keyof typeof TASKS;

/**
 * One command of the command line: a file in `commands/`, which exports it as `command`. `npm run generate` writes the
 * list of them.
 */
export interface Command<Args> {
  /** As yargs writes it: `check [file]`. */
  readonly usage: string;
  readonly describe: string;
  /** Where `--help` lists it within its task: behind those with lower numbers. */
  readonly place: number;
  /** `operate` where it is left out. */
  readonly task?: Task;
  /** Shell line and what it does; shown by `--help`. */
  readonly examples: ReadonlyArray<readonly [string, string]>;
  /** A lone hyphen is standard input to it; to others it means nothing. */
  readonly takesHyphen?: boolean;
  /** Its output holds control sequences or is data for programs, so the command escapes text of devices and files itself. */
  readonly raw?: true;
  options(yargs: Argv): Argv<Args>;
  /** `commands` are all that there are, for those that say something of others. */
  run(args: Args, io: CliIo, commands?: readonly LoadableCommand[]): Promise<ExitCode>;
}

/** A command whose arguments only it knows the type of. */
export interface AnyCommand extends Omit<Command<never>, 'options'> {
  options(yargs: Argv): unknown;
}

/** An entry of `COMMANDS`: what `--help` says of a command without loading it, and its file. */
export interface LoadableCommand extends Pick<AnyCommand, 'usage' | 'describe' | 'task'> {
  /** A line to type, and what it does. */
  readonly example?: readonly [string, string];
  load(): Promise<{ readonly command: AnyCommand }>;
}

/** A terminal that a command may draw on and take keys from; `bin/` makes it. */
export interface Terminal {
  /** In characters; changes as people pull at the window. */
  size(): { readonly columns: number; readonly rows: number };
  /** Calls after every change of the size until the returned function is called. */
  onResize(callback: () => void): () => void;
  /**
   * Every key goes to `callback`, Ctrl-C too, and none is shown, until the returned function is called. Text may hold
   * several keys.
   */
  onKeys(callback: (text: string) => void): () => void;
  /** Puts the process to sleep as Ctrl-Z does, and calls once it goes on. */
  suspend(resumed: () => void): void;
}
