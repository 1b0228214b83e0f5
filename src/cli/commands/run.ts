import { runBridge, type ServingArgs, servingOptions } from '../bridge-run.ts';
import type { Command } from '../command.ts';

interface RunArgs extends ServingArgs {
  readonly record: string | undefined;
}

/** The bridge: devices in, feed and page out, until a signal to stop. */
export const command: Command<RunArgs> = {
  usage: 'run [file]',
  describe: 'Run the bridge: devices in, feed and page out',
  place: 10,
  task: 'connect',
  raw: true,
  examples: [
    ['heartwire run', 'reads ./devices.yaml'],
    ['heartwire run bench.yaml --port 9000', 'serves page, API and feed at another port'],
    ['heartwire run --no-watch', 'reloads on SIGHUP only, not when a file changes'],
  ],
  options: (yargs) =>
    servingOptions(yargs).option('record', {
      type: 'string',
      requiresArg: true,
      describe: 'Write a trace of every device into this folder',
    }),
  run: (args, io) => runBridge({ ...args, kind: 'bridge' }, io),
};
