import { runBridge } from '../bridge-run.ts';
import type { Command } from '../command.ts';
import { portNumber } from '../option-values.ts';

interface GatewayArgs {
  readonly file: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly watch: boolean;
  readonly quiet: boolean;
}

/** The feed of all instances without devices of its own, until a signal to stop. */
export const command: Command<GatewayArgs> = {
  usage: 'gateway [file]',
  describe: 'Serve the feed of other instances, without devices of its own',
  place: 12,
  task: 'connect',
  raw: true,
  examples: [
    ['heartwire gateway', 'reads ./devices.yaml, and leaves its devices to other instances'],
    ['heartwire gateway gateway.yaml --port 9000', 'serves page, API and feed at another port'],
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
      .option('watch', {
        type: 'boolean',
        default: true,
        describe: 'Reload when a file of the configuration changes',
      })
      .option('quiet', { type: 'boolean', default: false, describe: 'Log warnings and errors only' }),
  run: (args, io) => runBridge({ ...args, kind: 'gateway' }, io),
};
