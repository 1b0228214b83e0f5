import { runBridge, type ServingArgs, servingOptions } from '../bridge-run.ts';
import type { Command } from '../command.ts';

/** The feed of all instances without devices of its own, until a signal to stop. */
export const command: Command<ServingArgs> = {
  usage: 'gateway [file]',
  describe: 'Serve the feed of other instances, without devices of its own',
  place: 12,
  task: 'connect',
  raw: true,
  examples: [
    ['heartwire gateway', 'reads ./devices.yaml, and leaves its devices to other instances'],
    ['heartwire gateway gateway.yaml --port 9000', 'serves page, API and feed at another port'],
  ],
  options: servingOptions,
  run: (args, io) => runBridge({ ...args, kind: 'gateway' }, io),
};
