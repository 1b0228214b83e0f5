import { resolve } from 'node:path';
import {
  formatProblem,
  type LoadedConfig,
  type LoadedMessages,
  loadMessages,
  looksLikeMessages,
  type Problem,
  packNamed,
  readConfig,
  readNamedMessages,
  readText,
} from '../../config/index.ts';
import type { CliIo, Command } from '../command.ts';

/** The configuration that commands read where none is named. */
export const DEFAULT_CONFIG_FILE = 'devices.yaml';

interface CheckArgs {
  readonly file: string;
  readonly json: boolean;
}

/** Prints every problem of a configuration, or of a file of messages; nothing is opened. */
export const command: Command<CheckArgs> = {
  usage: 'check [file]',
  describe: 'Print every problem of a configuration, with file, line and column; opens nothing',
  place: 40,
  task: 'connect',
  examples: [
    ['heartwire check', 'checks devices.yaml in this folder'],
    ['heartwire check messages.yaml', 'checks a file of declared messages'],
    ['heartwire check bench.yaml --json', 'the same for a machine to read'],
  ],
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: DEFAULT_CONFIG_FILE, describe: 'The configuration' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  async run({ file, json }, io) {
    const found = await check(file, io);
    const { problems, counts, words } = found;
    const valid = problems.every((problem) => problem.severity === 'warning');
    if (json) {
      io.out(`${JSON.stringify({ file, valid, ...counts, problems })}\n`);
    } else {
      for (const problem of problems) io.out(`${formatProblem(problem)}\n`);
      io.out(`${file}: ${[...(valid ? words : []), inWords(problems)].join(', ')}\n`);
    }
    return valid ? 0 : 2;
  },
};

async function check(file: string, io: CliIo): Promise<Found> {
  if (packNamed(file) !== undefined) return ofMessages(await readNamedMessages(file, io.cwd));
  const path = resolve(io.cwd, file);
  const text = await readText(path, file);
  return looksLikeMessages(text)
    ? ofMessages(loadMessages(text, file))
    : ofConfig(await readConfig(path, file));
}

/** What a check found, whatever it looked at. */
interface Found {
  readonly problems: readonly Problem[];
  readonly counts: Readonly<Record<string, number>>;
  /** What there is, where it is right. */
  readonly words: readonly string[];
}

function ofConfig({ problems, config, failed }: LoadedConfig): Found {
  if (config === undefined) return { problems, counts: {}, words: [] };
  const { devices, listeners } = config;
  return {
    problems,
    counts: { devices: devices.length + failed.length, listeners: listeners.length },
    words: [count(devices.length, 'device'), count(listeners.length, 'listener')],
  };
}

function ofMessages({ problems, protocol }: LoadedMessages): Found {
  if (protocol === undefined) return { problems, counts: {}, words: [] };
  const { length } = protocol.messages;
  return { problems, counts: { messages: length }, words: [count(length, 'message')] };
}

function inWords(problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const warnings = problems.length - errors;
  if (problems.length === 0) return 'no problems';
  return [errors && count(errors, 'error'), warnings && count(warnings, 'warning')]
    .filter(Boolean)
    .join(', ');
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
