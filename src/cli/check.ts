import { resolve } from 'node:path';
import { formatProblem } from '../config/problem.ts';
import { readConfig } from '../config/read.ts';
import type { LoadedConfig } from '../config/report.ts';
import type { Command } from './command.ts';

/** The configuration that commands read where none is named. */
export const DEFAULT_CONFIG_FILE = 'devices.yaml';

interface CheckArgs {
  readonly file: string;
  readonly json: boolean;
}

/** Prints every problem of a configuration; nothing is opened. */
export const check: Command<CheckArgs> = {
  usage: 'check [file]',
  describe: 'Print every problem of a configuration, with file, line and column; opens nothing',
  examples: [
    ['heartwire check', 'checks devices.yaml in this folder'],
    ['heartwire check bench.yaml --json', 'the same for a machine to read'],
  ],
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: DEFAULT_CONFIG_FILE, describe: 'The configuration' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  async run({ file, json }, io) {
    const loaded = await readConfig(resolve(io.cwd, file), file);
    const valid = loaded.problems.every((problem) => problem.severity === 'warning');
    if (json) {
      io.out(`${JSON.stringify({ file, valid, ...counts(loaded), problems: loaded.problems })}\n`);
    } else {
      for (const problem of loaded.problems) io.out(`${formatProblem(problem)}\n`);
      io.out(`${summary(file, loaded)}\n`);
    }
    return valid ? 0 : 2;
  },
};

function counts({ config, failed }: LoadedConfig) {
  if (config === undefined) return {};
  return { devices: config.devices.length + failed.length, listeners: config.listeners.length };
}

function summary(file: string, loaded: LoadedConfig): string {
  const { problems, config } = loaded;
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const warnings = problems.length - errors;
  const found =
    problems.length === 0
      ? 'no problems'
      : [errors && count(errors, 'error'), warnings && count(warnings, 'warning')].filter(Boolean).join(', ');
  if (config === undefined || errors > 0) return `${file}: ${found}`;
  return `${file}: ${count(config.devices.length, 'device')}, ${count(config.listeners.length, 'listener')}, ${found}`;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
