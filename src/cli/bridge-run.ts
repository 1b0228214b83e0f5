import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import { Bridge, ConfigReader, ConfigReloader, ConfigWriter, logProblems } from '../app/index.ts';
import {
  type BridgeConfig,
  formatProblem,
  type LoadedConfig,
  type Problem,
  type ReadConfig,
  readConfig,
} from '../config/index.ts';
import { HeartwireError } from '../errors.ts';
import { type Log, printableLines, systemClock } from '../system/index.ts';
import type { CliIo, ExitCode } from './command.ts';
import { errorText, exitCodeOf } from './error-text.ts';
import { examineFolder } from './examine.ts';
import { endWithin, stopRequest } from './lifecycle.ts';
import { cliLog, crashHandler, logFailure } from './log.ts';
import { portNumber } from './option-values.ts';
import { packageVersion } from './version.ts';

export interface ServingArgs {
  readonly file: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly watch: boolean;
  readonly quiet: boolean;
}

/** How every command that serves a configuration is called. */
export const servingOptions = (yargs: Argv): Argv<ServingArgs> =>
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
    .option('quiet', { type: 'boolean', default: false, describe: 'Log warnings and errors only' });

export interface BridgeRunArgs extends ServingArgs {
  /** `gateway`: the devices of the file are left to other instances. */
  readonly kind: 'bridge' | 'gateway';
  readonly record?: string | undefined;
}

/** Runs a bridge, or a gateway to the devices of others, until a signal to stop. */
export async function runBridge(args: BridgeRunArgs, io: CliIo): Promise<ExitCode> {
  const log = cliLog(io, args.quiet ? 'warn' : 'info');
  if (io.errTerminal ?? io.terminal) return runWith(args, io, log, reportAtTerminal(io));
  // Programs read what is written here, so that every line is one of the log.
  try {
    return await runWith(args, io, log, (problems, unfit) => {
      logProblems(log, problems, args.file);
      if (unfit !== undefined) logFailure(log, unfit);
    });
  } catch (error) {
    logFailure(log, error);
    return exitCodeOf(error);
  }
}

/** Says what is wrong with the configuration, and with the command line beside it. */
type Report = (problems: readonly Problem[], unfit: HeartwireError | undefined) => void;

const reportAtTerminal =
  (io: CliIo): Report =>
  (problems, unfit) => {
    for (const problem of problems) io.err(printableLines(`${formatProblem(problem)}\n`));
    if (unfit !== undefined) io.err(errorText(unfit));
  };

async function runWith(args: BridgeRunArgs, io: CliIo, log: Log, report: Report): Promise<ExitCode> {
  const served = ({ config, ...found }: ReadConfig): ReadConfig => {
    return config === undefined ? found : { ...found, config: servedAs(config, args) };
  };
  const path = resolve(io.cwd, args.file);
  const loaded = served(await readConfig(path, args.file));
  const { config, failed, problems } = loaded;
  const unfit = gatewayProblem(config, args) ?? (await recordFolderProblem(args.record, io.cwd));
  report(problems, unfit);
  if (config === undefined || unfit !== undefined) return 2;
  const reader = new ConfigReader();
  const bridge = new Bridge({
    config,
    failed,
    problems,
    recordDir: args.record === undefined ? undefined : resolve(io.cwd, args.record),
    blackBox: config.blackBox && { ...config.blackBox, dir: resolve(io.cwd, config.blackBox.dir) },
    knownFile: config.knownDevices && resolve(io.cwd, config.knownDevices.file),
    historyFile: config.history && resolve(io.cwd, config.history.file),
    join: config.backplane && (await import('../backplane/index.ts')).joinSharedFeed,
    clock: systemClock,
    log,
    version: packageVersion(),
    usage: io.usage,
    writer: new ConfigWriter({
      path,
      name: args.file,
      reloads: args.watch,
      log,
      plan: (...asked) => reader.plan(...asked),
    }),
  });
  const apply = (next: LoadedConfig) => bridge.apply(next);
  // Only the first version is read here: nothing runs yet that could be held up.
  const read = async () => served(await reader.read(path, args.file));
  const reloader = new ConfigReloader({ file: args.file, clock: systemClock, log, read, apply });
  using crash = crashHandler(io, log);
  const watched = args.watch ? loaded.sources : undefined;
  return await serve(bridge, reloader, reader, watched, crash.crashed, io);
}

/** What is configured wrongly is reported by the log of a bridge that runs; what was just typed, at once. */
async function recordFolderProblem(
  dir: string | undefined,
  cwd: string,
): Promise<HeartwireError | undefined> {
  if (dir === undefined) return undefined;
  const { code, detail } = await examineFolder(
    'recording',
    resolve(cwd, dir),
    'recording_failed',
    '--record',
  );
  return code === undefined ? undefined : new HeartwireError(code, detail, { seen: dir });
}

/** A gateway without other instances would have nothing to serve. */
function gatewayProblem(config: BridgeConfig | undefined, { kind, file }: BridgeRunArgs) {
  if (kind === 'bridge' || config === undefined || config.backplane !== undefined) return undefined;
  return new HeartwireError('config_missing_key', 'A gateway needs the instances whose devices it serves.', {
    seen: file,
    fix: 'Add `backplane: { url: redis://127.0.0.1:6379, instance: gateway-1 }`.',
  });
}

/** What the command line says wins over the file, every time that it is read; a gateway has no devices of its own. */
function servedAs(config: BridgeConfig, args: BridgeRunArgs): BridgeConfig {
  const { host = config.server.host, port = config.server.port } = args;
  const served = { ...config, server: { ...config.server, host, port } };
  if (args.kind === 'bridge') return served;
  const { history: _, knownDevices: __, files: ___, outputs: ____, buses: _____, ...rest } = served;
  return { ...rest, devices: [], listeners: [], requiredDevices: [] };
}

async function serve(
  bridge: Bridge,
  reloader: ConfigReloader,
  reader: ConfigReader,
  watched: ReadConfig['sources'] | undefined,
  crashed: Promise<'crashed'>,
  io: CliIo,
): Promise<ExitCode> {
  // On Windows it says that the console is closed, and the process is ended soon, whatever it makes of that.
  const reloads = process.platform !== 'win32';
  using stop = stopRequest(io, { hangs: !reloads, withOutput: io.terminal });
  const starting = bridge.start();
  using _hangUp = reloads ? reloadOnHangUp(io, starting, reloader) : undefined;
  const { url, lines, listeners } = await starting;
  await using _bridge = endWithin(bridge, io, systemClock);
  await using _reloader = reloader;
  using _reader = reader;
  if (watched !== undefined) await reloader.watch(watched);
  io.out(`Heartwire is at ${url} (feed: ${url.replace('http', 'ws')}/ws)\n`);
  if (lines !== undefined) io.out(`The feed as JSON lines is at ${lines}\n`);
  for (const address of listeners) io.out(`Devices may dial in at ${address}\n`);
  const why = await Promise.race([stop.requested, crashed]);
  return why === 'crashed' ? 1 : 0;
}

function reloadOnHangUp(io: CliIo, starting: Promise<unknown>, reloader: ConfigReloader): Disposable {
  const unwatch = io.onSignal('SIGHUP', () => {
    // Where the terminal is gone, this cannot be written, and that is what ends the bridge.
    if (io.terminal) io.err('heartwire: SIGHUP: the configuration is read again\n');
    starting.then(
      () => reloader.reload(),
      () => undefined,
    );
  });
  return { [Symbol.dispose]: unwatch };
}
