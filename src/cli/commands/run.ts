import { runBridge } from '../bridge-run.ts';
import type { Command } from '../command.ts';
import { portNumber } from '../option-values.ts';

interface RunArgs {
  readonly file: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly record: string | undefined;
  readonly watch: boolean;
  readonly quiet: boolean;
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
    yargs
      .positional('file', { type: 'string', default: 'devices.yaml', describe: 'The configuration' })
      .option('host', { type: 'string', requiresArg: true, describe: 'Instead of server.host' })
      .option('port', {
        coerce: portNumber,
        requiresArg: true,
        describe: 'Instead of server.port; 0 takes any',
      })
      .option('record', {
        type: 'string',
        requiresArg: true,
        describe: 'Write a trace of every device into this folder',
      })
      .option('watch', {
        type: 'boolean',
        default: true,
        describe: 'Reload when a file of the configuration changes',
      })
      .option('quiet', { type: 'boolean', default: false, describe: 'Log warnings and errors only' }),
  run: (args, io) => runBridge({ ...args, kind: 'bridge' }, io),
};
