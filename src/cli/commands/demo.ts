import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge, type BridgeAddresses } from '../../app/index.ts';
import {
  type BridgeConfig,
  checkOrigin,
  DEFAULT_SERVER,
  formatProblem,
  readConfig,
} from '../../config/index.ts';
import { HeartwireError } from '../../errors.ts';
import { type LinkAddress, parseLinkAddress } from '../../links/index.ts';
import { inPackage, type Log, systemClock } from '../../system/index.ts';
import type { CliIo, Command } from '../command.ts';
import { demoConfig } from '../demo/demo-config.ts';
import { DemoFleet, type DemoMessages } from '../demo/demo-fleet.ts';
import { stopRequest } from '../lifecycle.ts';
import { cliLog } from '../log.ts';
import { declaredIn } from '../messages.ts';
import { portNumber, wholeNumber } from '../option-values.ts';
import { packageVersion } from '../version.ts';

/** Where the demo serves JSON lines, if the port is free. */
const LINES_PORT = 8_081;

interface DemoArgs {
  readonly port: number | undefined;
  readonly devices: number;
  readonly origin: readonly string[];
}

/** The bridge on simulated devices, over real sockets: what `npm start` does. */
export const command: Command<DemoArgs> = {
  usage: 'demo',
  describe: 'Run the bridge on simulated devices, to see what it does',
  place: 20,
  task: 'connect',
  raw: true,
  examples: [
    ['heartwire demo --port 8090', 'with the page at another port'],
    ['heartwire demo --origin http://localhost:5173', 'for a page of your own that another server serves'],
  ],
  options: (yargs) =>
    yargs
      .option('port', {
        coerce: portNumber,
        requiresArg: true,
        describe: 'Port of page and feed; 0 takes any',
      })
      .option('devices', {
        coerce: wholeNumber('devices', 0, 1_000),
        default: 2,
        describe: 'How many unannounced devices dial in',
      })
      .option('origin', {
        type: 'string',
        array: true,
        coerce: origins,
        requiresArg: true,
        default: [] as string[],
        defaultDescription: 'none',
        describe: 'Web pages that may connect besides our own, as in server.origins',
      }),
  async run(args, io) {
    using stop = stopRequest(io);
    const folder = await mkdtemp(join(tmpdir(), 'heartwire-demo-'));
    await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
    await using fleet = new DemoFleet(await demoMessages(io));
    const config = await configOf(args, await fleet.dialled(), folder);
    const [bridge, addresses] = await started(config, io);
    await using _ = bridge;
    const [own = '', trackers = ''] = addresses.listeners;
    await fleet.dialIn(reportedAddress(own), reportedAddress(trackers), args.devices);
    io.out(welcome(fleet, addresses, io));
    await stop.requested;
    io.out('\nStopping.\n');
    return 0;
  },
};

const MESSAGES = inPackage('examples', 'demo');

async function demoMessages(io: CliIo): Promise<DemoMessages> {
  return {
    supply: await declaredIn('pack:scpi-supply', io),
    meter: await declaredIn('pack:pzem-004t-v3', io),
    thermostat: await declaredIn(join(MESSAGES, 'thermostat.yaml'), io),
    board: await declaredIn('pack:csv-line', io),
    logger: await declaredIn(join(MESSAGES, 'logger.yaml'), io),
    tracker: await declaredIn('pack:gt06', io),
  };
}

/** Writes the configuration and reads it as `run` does. */
async function configOf(
  { port, origin }: DemoArgs,
  links: Readonly<Record<string, string>>,
  folder: string,
): Promise<BridgeConfig> {
  const listeners = [await freePort(port === undefined ? 9_089 : 0), await freePort(0)] as const;
  const linesPort = await freePort(port === undefined ? LINES_PORT : 0);
  const text = demoConfig({
    links,
    port: port ?? DEFAULT_SERVER.port,
    linesPort,
    origins: origin,
    messages: MESSAGES,
    folder,
    listeners,
  });
  const path = join(folder, 'devices.yaml');
  await writeFile(path, text);
  const { config, problems } = await readConfig(path, 'devices.yaml');
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (config === undefined || errors.length > 0)
    throw new HeartwireError(
      'config_invalid',
      `The demo is damaged: ${problems.map(formatProblem).join('; ')}`,
    );
  return config;
}

/** This port of this machine, or any where it is taken. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  const bound = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port: wanted }, () => resolve(true));
  });
  if (!bound) return freePort(0);
  // A TCP server's address is never a path.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @throws HeartwireError `bad_argument` */
function origins(given: readonly string[]): readonly string[] {
  for (const each of given) {
    const wrong = checkOrigin(each);
    if (wrong !== undefined)
      throw new HeartwireError('bad_argument', `--origin ${each}: ${wrong.message} ${wrong.fix}`);
  }
  return given;
}

async function started(config: BridgeConfig, io: CliIo): Promise<[Bridge, BridgeAddresses]> {
  const { blackBox, history } = config;
  // Devices of the demo go wrong all the time, as they shall; the page shows it.
  const log: Log = { ...cliLog(io, 'warn'), info: () => undefined, warn: () => undefined };
  const bridge = new Bridge({
    config,
    blackBox,
    historyFile: history?.file,
    clock: systemClock,
    log,
    version: packageVersion(),
  });
  try {
    return [bridge, await bridge.start()];
  } catch (error) {
    const { host, port } = config.server;
    // The page's own port is the one that was announced; it is not replaced in silence.
    const taken = error instanceof HeartwireError && error.code === 'address_in_use';
    if (taken && error.seen === `${host}:${port}`) throw elsewhereError(error, port, io);
    throw error;
  }
}

/** What to type next, as this program was called. */
function elsewhereError(error: HeartwireError, taken: number, io: CliIo): HeartwireError {
  // Not the next one: there the demo that has this port serves JSON lines.
  const other = taken + 10 > 65_535 ? 0 : taken + 10;
  const again = io.env.npm_lifecycle_event === 'start' ? 'npm start --' : `${io.program} demo`;
  return new HeartwireError(error.code, error.message, {
    fix: `Take another port: ${again} --port ${other} (0 takes any free one).`,
    cause: error,
  });
}

function welcome(
  { count, hasPtys }: DemoFleet,
  { url, lines, listeners }: BridgeAddresses,
  io: CliIo,
): string {
  const { program } = io;
  const [listener = ''] = listeners;
  const bold = (text: string) => (io.terminal ? `\u001b[1m${text}\u001b[22m` : text);
  const env = url.endsWith(`:${DEFAULT_SERVER.port}`) ? '' : ` --url ${url}`;
  return `
Heartwire ${packageVersion()}: ${count} simulated devices on real links, a bench and a field.

  Open    ${bold(url)}
  Then, in another terminal:
          ${program} monitor${env}
          ${program} send supply set_voltage volts=5${env}
          ${program} send thermostat set_target target=20${env}
          ${program} tail 'devices/+/alarms'${env}
          ${program} simulate --connect ${listener} --fault stall=5s
          curl ${url}/api/devices
          curl ${url}/api/incidents
          curl -N '${url}/api/feed?topics=devices/+/state'${lines === undefined ? '' : `\n          nc ${lines.replace(/:(?=\d+$)/, ' ')}`}

  In the first half minute the thermostat is too hot (an alarm), meter-3 on rs485-1 fails and comes back, truck-2 hangs
  up and returns, rack-7 stands still, and logger sends a file. What led to it is kept under /api/incidents.
${hasPtys ? '  board, rs485-1 and bench-3, which is noisy, sit on serial lines made of ptys.' : '  This system has no ptys: what would sit on a serial line is dialled over TCP.'}
  Your own devices: edit devices.yaml, then ${program} run. Stop with Ctrl-C.

`;
}

/** An address as one of our listeners (`host:port`) or a pty (a path) reported it. */
function reportedAddress(text: string): LinkAddress {
  const parsed = parseLinkAddress(text.startsWith('/') ? text : `tcp:${text}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}
