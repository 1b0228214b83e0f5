import { resolve } from 'node:path';
import { formatProblem } from '../config/problem.ts';
import { readConfig } from '../config/read.ts';
import { Bridge } from '../runtime/bridge.ts';
import { systemClock } from '../runtime/clock.ts';
import { cliLog } from './cli-log.ts';
import type { CliIo, Command, ExitCode } from './command.ts';
import { endWithin } from './end-within.ts';
import { stopRequest } from './stop-request.ts';
import { packageVersion } from './version.ts';
import { portNumber } from './whole-number.ts';

interface RunArgs {
  readonly file: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly record: string | undefined;
  readonly quiet: boolean;
}

/** The bridge: devices in, feed and page out, until it is told to stop. */
export const run: Command<RunArgs> = {
  usage: 'run [file]',
  describe: 'Run the bridge: devices in, feed and page out',
  examples: [
    ['heartwire run', 'reads ./devices.yaml'],
    ['heartwire run bench.yaml --port 9000', 'serves page, API and feed at another port'],
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
      .option('quiet', { type: 'boolean', default: false, describe: 'Log warnings and errors only' }),
  async run(args, io) {
    const { config, failed, problems } = await readConfig(resolve(io.cwd, args.file), args.file);
    for (const problem of problems) io.err(`${formatProblem(problem)}\n`);
    if (config === undefined) return 2;
    const { host = config.server.host, port = config.server.port } = args;
    const bridge = new Bridge({
      config: { ...config, server: { ...config.server, host, port } },
      failed,
      recordDir: args.record === undefined ? undefined : resolve(io.cwd, args.record),
      clock: systemClock,
      log: cliLog(io, args.quiet ? 'warn' : 'info'),
      version: packageVersion(),
    });
    return serve(bridge, io);
  },
};

async function serve(bridge: Bridge, io: CliIo): Promise<ExitCode> {
  using stop = stopRequest(io);
  const { url, lines, listeners } = await bridge.start();
  await using _ = endWithin(bridge, io, systemClock);
  io.out(`Heartwire is at ${url} (feed: ${url.replace('http', 'ws')}/ws)\n`);
  if (lines !== undefined) io.out(`The feed as JSON lines is at ${lines}\n`);
  for (const address of listeners) io.out(`Devices may dial in at ${address}\n`);
  await stop.requested;
  return 0;
}
