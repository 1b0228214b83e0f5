import type { Argv } from 'yargs';
import { printableLines, suggest } from '../system/index.ts';
import type { AnyCommand, CliIo, ExitCode } from './command.ts';
import { COMMANDS } from './commands.ts';
import { errorText, exitCodeOf } from './error-text.ts';
import { helpText } from './help-text.ts';
import { legible } from './legible.ts';
import { optionNames } from './option-names.ts';
import { packageVersion } from './version.ts';

type Run = (io: CliIo) => Promise<ExitCode>;

class UsageError extends Error {}

/**
 * Runs one command line (without the names of interpreter and program). Never throws: standard
 * error and the exit code say what went wrong.
 */
export async function main(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  try {
    const picked = await parse(argv, io);
    return typeof picked === 'number' ? picked : await picked(io);
  } catch (error) {
    io.err(errorText(error));
    return exitCodeOf(error);
  }
}

/** The command to run, or the exit code where the answer is printed already. */
async function parse(argv: readonly string[], io: CliIo): Promise<Run | ExitCode> {
  // Without the parser, which takes as long to load as Node to start.
  if (argv.length === 1 && argv[0] === '--version') {
    io.out(`${packageVersion()}\n`);
    return 0;
  }
  const [first = '--help'] = argv;
  if (argv.length <= 1 && (first === '--help' || first === '-h')) {
    const text = `${helpText(COMMANDS)}\n`;
    if (argv.length === 0) io.err(text);
    else io.out(text);
    return argv.length === 0 ? 2 : 0;
  }
  if (!first.startsWith('-') && !COMMANDS.some(({ usage }) => nameOf(usage) === first)) {
    const near = suggest(
      first,
      COMMANDS.map(({ usage }) => nameOf(usage)),
    );
    io.err(
      printableLines(
        `heartwire: There is no command "${first}".${near === undefined ? '' : ` Did you mean ${near}?`}\n`,
      ),
    );
    io.err('Try `heartwire --help`.\n');
    return 2;
  }
  const chosen: Run[] = [];
  const [{ default: yargs }, loaded] = await Promise.all([import('yargs'), loadNamed(argv)]);
  let printed = '';
  const parser = yargs()
    .scriptName('heartwire')
    .usage('$0 <command>\n\nBridges serial and TCP devices to the web.')
    .locale('en')
    .parserConfiguration({ 'populate--': false, 'duplicate-arguments-array': true })
    .strict()
    .demandCommand(1, 'Which command?')
    .check((args, options) => {
      // Which options take a list, though their types say otherwise.
      const lists: unknown = options.array;
      const isList = (name: string) => name === '_' || (Array.isArray(lists) && lists.includes(name));
      // yargs adds a camel-cased name for each.
      const twice = Object.keys(args).find(
        (name) => Array.isArray(args[name]) && !/[A-Z]/.test(name) && !isList(name),
      );
      if (twice !== undefined) throw new UsageError(`--${twice} is given twice.`);
      // yargs drops it, and the command would run without it.
      if (argv.includes('-') && loaded.get(argv[0] ?? '')?.takesHyphen !== true) {
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
  layOutHelpWhenAsked(parser);
  for (const { usage, describe } of COMMANDS) {
    const command = loaded.get(nameOf(usage));
    if (command === undefined) parser.command(usage, describe);
    else addTo(parser, usage, describe, command, (run) => chosen.push(run));
  }
  try {
    await parser.parseAsync([...argv], {}, (_error, _args, output) => {
      printed = output;
    });
  } catch (error) {
    if (!isUsageError(error)) {
      io.err(errorText(error));
      return 1;
    }
    const known = loaded.has(argv[0] ?? '') ? argv[0] : undefined;
    const command = known === undefined ? undefined : loaded.get(known);
    const said = unknownOptions(error, argv, command) ?? error.message.trim().replace(/\s*\n\s*/g, ' ');
    io.err(printableLines(`heartwire: ${said}\n`));
    io.err(`Try \`heartwire ${known === undefined ? '' : `${known} `}--help\`.\n`);
    return 2;
  }
  if (printed !== '') io.out(`${printed}\n`);
  return chosen[0] ?? 0;
}

/** What the parser says of options that a command does not have, with the ones that may be meant; undefined of anything else. */
function unknownOptions(
  error: Error,
  argv: readonly string[],
  command: AnyCommand | undefined,
): string | undefined {
  const listed = /^Unknown arguments?: (.*)$/s.exec(error.message)?.[1];
  if (listed === undefined || command === undefined) return undefined;
  // The parser names an option with a hyphen twice, and what is no option as well.
  const unknown = listed
    .split(', ')
    .filter((name) => argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`)));
  if (unknown.length === 0) return undefined;
  const names = [...optionNames(command).map(({ name }) => name), 'help'];
  return unknown
    .map((name) => {
      const near = suggest(name, names);
      return `There is no option --${name}.${near === undefined ? '' : ` Did you mean --${near}?`}`;
    })
    .join(' ');
}

const nameOf = (usage: string): string => usage.split(' ')[0] ?? usage;

/** The commands that a word of the command line names: yargs decides later which of the words is the command. */
async function loadNamed(argv: readonly string[]): Promise<ReadonlyMap<string, AnyCommand>> {
  const named = COMMANDS.filter(({ usage }) => argv.includes(nameOf(usage)));
  return new Map(
    await Promise.all(named.map(async ({ usage, load }) => [nameOf(usage), (await load()).command] as const)),
  );
}

function addTo(
  parser: Argv,
  usage: string,
  describe: string,
  { examples, options, run, raw }: AnyCommand,
  choose: (run: Run) => void,
): void {
  parser.command(
    usage,
    describe,
    (sub) => options(examples.reduce((each, [line, what]) => each.example(line, what), sub)) as Argv,
    // yargs parses what the command's own options describe, and adds camel-cased names; no compiler can see either.
    (args) => choose((io) => run(args as never, raw ? io : legible(io), COMMANDS)),
  );
}

/**
 * yargs lays out the help of a command before it runs it, for the case that it is asked for later; that takes longer than
 * to load yargs. It has no option against it, and where its inside has changed, help is laid out early again.
 */
function layOutHelpWhenAsked(parser: Argv): void {
  const inside = 'getInternalMethods' in parser ? parser.getInternalMethods : undefined;
  if (typeof inside !== 'function') return;
  const usage: unknown = Reflect.apply(inside, parser, [])?.getUsageInstance?.();
  if (typeof usage === 'object' && usage !== null && 'cacheHelpMessage' in usage)
    usage.cacheHelpMessage = () => undefined;
}

/** Wrong usage as we report it, or as yargs throws it past us. */
function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'YError');
}
