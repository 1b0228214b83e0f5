import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Bridge, type BridgeAddresses } from '../app/bridge.ts';
import type { BridgeConfig } from '../config/model.ts';
import { readConfig } from '../config/read.ts';
import { checkOrigin } from '../config/value-checks.ts';
import { HeartwireError } from '../errors.ts';
import { systemClock } from '../system/clock.ts';
import { cliLog } from './cli-log.ts';
import type { CliIo, Command } from './command.ts';
import { anywhere, DemoFleet, reportedAddress } from './demo-fleet.ts';
import { stopRequest } from './stop-request.ts';
import { packageVersion } from './version.ts';
import { portNumber, wholeNumber } from './whole-number.ts';

/** Where the demo serves JSON lines, if the port is free. */
const LINES_PORT = 8_081;

interface DemoArgs {
  readonly port: number | undefined;
  readonly devices: number;
  readonly origin: readonly string[];
}

/** The bridge on simulated devices, over real sockets: what `npm start` does. */
export const demo: Command<DemoArgs> = {
  usage: 'demo',
  raw: true,
  describe: 'Run the bridge on simulated devices, to see what it does',
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
        default: 4,
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
    const { config: example } = await readConfig(exampleFile(), 'devices.yaml');
    if (example === undefined)
      throw new HeartwireError('config_invalid', 'The example devices.yaml of this package is damaged.');
    await using fleet = new DemoFleet();
    const overTcp = await fleet.dialled({
      ...example,
      server: {
        ...example.server,
        port: args.port ?? example.server.port,
        origins: [...example.server.origins, ...args.origin],
        tcp: { host: '127.0.0.1', port: args.port === undefined ? LINES_PORT : 0, tls: false },
      },
    });
    const serial = await fleet.serial(example);
    const config = { ...overTcp, devices: [...overTcp.devices, ...(serial === undefined ? [] : [serial])] };
    const [bridge, addresses] = await started(config, io);
    await using _ = bridge;
    const [listener] = addresses.listeners;
    if (listener !== undefined) await fleet.dialIn(config, reportedAddress(listener), args.devices);
    io.out(welcome(fleet.count, serial !== undefined, addresses, io));
    await stop.requested;
    io.out('\nStopping.\n');
    return 0;
  },
};

/** @throws HeartwireError `bad_argument` */
function origins(given: readonly string[]): readonly string[] {
  for (const each of given) {
    const wrong = checkOrigin(each);
    if (wrong !== undefined)
      throw new HeartwireError('bad_argument', `--origin ${each}: ${wrong.message} ${wrong.fix}`);
  }
  return given;
}

/** A listening port of the example that is taken is no reason not to show anything: any other will do. */
async function started(config: BridgeConfig, io: CliIo): Promise<[Bridge, BridgeAddresses]> {
  const make = (of: BridgeConfig) =>
    new Bridge({ config: of, clock: systemClock, log: cliLog(io, 'warn'), version: packageVersion() });
  const bridge = make(config);
  try {
    return [bridge, await bridge.start()];
  } catch (error) {
    const taken = error instanceof HeartwireError && error.code === 'address_in_use';
    if (!taken) throw error;
    // The page's own port is the one that people were told; it is not replaced in silence.
    const { host, port, tcp } = config.server;
    if (error.seen === `${host}:${port}`) throw elsewhereError(error, port, io);
    const server = { ...config.server, ...(tcp === undefined ? {} : { tcp: { ...tcp, port: 0 } }) };
    const elsewhere = make({ ...config, server, listeners: anywhere(config.listeners) });
    return [elsewhere, await elsewhere.start()];
  }
}

/** What to type next, in the words of whoever called us. */
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
  count: number,
  serial: boolean,
  { url, lines, listeners }: BridgeAddresses,
  io: CliIo,
): string {
  const { program } = io;
  const [listener = ''] = listeners;
  const bold = (text: string) => (io.terminal ? `\u001b[1m${text}\u001b[22m` : text);
  const env = url.endsWith(':8080') ? '' : ` --url ${url}`;
  return `
Heartwire ${packageVersion()}: ${count} simulated devices over real sockets, dialled and dialling in.

  Open    ${bold(url)}
  Then, in another terminal:
          ${program} monitor${env}
          ${program} tail${env}
          ${program} simulate --connect ${listener} --fault stall=5s
          curl ${url}/api/devices
          curl -N '${url}/api/feed?topics=devices/+/state'${lines === undefined ? '' : `\n          nc ${lines.replace(/:(?=\d+$)/, ' ')}`}

  psu-1 and rack-7 are dialled (rack-7 at its second address), tracker-9 and the numbered ones dial in.
${serial ? '  bench-3 sits on a noisy serial line, made of ptys.' : '  There is no serial device among them: this system has no ptys.'}
  Some stand still now and then, one comes only for a moment: watch their lights.
  Your own devices: edit devices.yaml, then ${program} run. Stop with Ctrl-C.

`;
}

/** The `devices.yaml` that ships with the package, in the sources as in `dist`. */
function exampleFile(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const file = new URL('devices.yaml', folder);
    if (existsSync(file) || folder.pathname === '/') return fileURLToPath(file);
  }
}
