import yargs, { type Argv } from 'yargs';
import { printableLines } from '../system/printable.ts';
import { check } from './check.ts';
import type { CliIo, Command, ExitCode } from './command.ts';
import { decode } from './decode.ts';
import { demo } from './demo.ts';
import { dissector } from './dissector.ts';
import { doctor } from './doctor.ts';
import { encode } from './encode.ts';
import { exportTrace } from './export.ts';
import { importTrace } from './import.ts';
import { init } from './init.ts';
import { key } from './key.ts';
import { legible } from './legible.ts';
import { monitor } from './monitor.ts';
import { note } from './note.ts';
import { ports } from './ports.ts';
import { replay } from './replay.ts';
import { run } from './run.ts';
import { schema } from './schema.ts';
import { send } from './send.ts';
import { simulate } from './simulate.ts';
import { tail } from './tail.ts';
import { exitCodeOf, tellError } from './tell-error.ts';
import { token } from './token.ts';
import { types } from './types.ts';
import { packageVersion } from './version.ts';

/** The commands, in the order in which `--help` lists them. */
const COMMANDS: readonly AnyCommand[] = [
  command(run),
  command(demo),
  command(init),
  command(check),
  command(doctor),
  command(ports),
  command(key),
  command(schema),
  command(decode),
  command(encode),
  command(types),
  command(replay),
  command(exportTrace),
  command(importTrace),
  command(dissector),
  command(note),
  command(send),
  command(simulate),
  command(tail),
  command(token),
  command(monitor),
];

type Run = (io: CliIo) => Promise<ExitCode>;

interface AnyCommand {
  readonly name: string;
  readonly takesHyphen: boolean;
  addTo(parser: Argv, choose: (run: Run) => void): void;
}

/** Forgets the type of the arguments, which only the command itself needs to know. */
function command<Args>(of: Command<Args>): AnyCommand {
  const { usage, describe, examples, options, takesHyphen = false } = of;
  const [name = usage] = usage.split(' ');
  return {
    name,
    takesHyphen,
    addTo(parser, choose) {
      parser.command(
        usage,
        describe,
        (sub) => options(examples.reduce((each, [line, what]) => each.example(line, what), sub)),
        // The camel-cased names that yargs adds are no contradiction to Args, though no compiler can see it.
        (args) => choose((io) => of.run(args as unknown as Args, of.raw ? io : legible(io))),
      );
    },
  };
}

class UsageError extends Error {}

/**
 * Runs one command line (without the names of interpreter and program). Never throws: what goes wrong is told on
 * standard error and in the exit code.
 */
export async function main(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const picked = await parse(argv, io);
  if (typeof picked === 'number') return picked;
  try {
    return await picked(io);
  } catch (error) {
    io.err(tellError(error));
    return exitCodeOf(error);
  }
}

/** The command that was asked for, or the exit code where the answer has been given already. */
async function parse(argv: readonly string[], io: CliIo): Promise<Run | ExitCode> {
  const chosen: Run[] = [];
  let printed = '';
  const parser = yargs()
    .scriptName('heartwire')
    .usage('$0 <command>\n\nBridges serial and TCP devices to the web.')
    .locale('en')
    .parserConfiguration({ 'populate--': false, 'duplicate-arguments-array': true })
    .strict()
    .recommendCommands()
    .demandCommand(1, 'Which command?')
    .check((args, options) => {
      // Which options take a list, though their types say otherwise.
      const lists: unknown = options.array;
      const isList = (name: string) => name === '_' || (Array.isArray(lists) && lists.includes(name));
      // yargs hands each out under a camel-cased name, too.
      const twice = Object.keys(args).find(
        (name) => Array.isArray(args[name]) && !/[A-Z]/.test(name) && !isList(name),
      );
      if (twice !== undefined) throw new UsageError(`--${twice} is given twice.`);
      // yargs drops it, and the command would run without it.
      if (argv.includes('-') && !COMMANDS.some(({ name, takesHyphen }) => takesHyphen && name === argv[0])) {
        throw new UsageError('A lone hyphen means nothing here; standard input is /dev/stdin.');
      }
      return true;
    })
    .version(packageVersion())
    .alias({ help: 'h' })
    .epilogue('Exit codes: 0 done, 1 the work failed, 2 wrong usage or configuration.')
    .exitProcess(false)
    .wrap(100)
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
  for (const each of COMMANDS) each.addTo(parser, (run) => chosen.push(run));
  parser.completion('completion', 'Print a script that completes commands in bash or zsh');
  if (argv.length === 0) {
    io.err(`${await parser.getHelp()}\n`);
    return 2;
  }
  try {
    await parser.parseAsync([...argv], {}, (_error, _args, output) => {
      printed = output;
    });
  } catch (error) {
    if (!isUsageError(error)) {
      io.err(tellError(error));
      return 1;
    }
    if (argv[0] === 'completion') {
      io.err('heartwire: completion takes nothing: it prints what the shell in SHELL needs.\n');
      return 2;
    }
    const known = COMMANDS.find(({ name }) => name === argv[0]);
    const unknown = error.message.startsWith('Did you mean') ? `There is no command "${argv[0]}". ` : '';
    io.err(printableLines(`heartwire: ${unknown}${error.message.trim().replace(/\s*\n\s*/g, ' ')}\n`));
    io.err(`Try \`heartwire ${known === undefined ? '' : `${known.name} `}--help\`.\n`);
    return 2;
  }
  if (printed !== '') io.out(`${printed}\n`);
  return chosen[0] ?? 0;
}

/** Wrong usage as we report it, or as yargs throws it past us. */
function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'YError');
}
