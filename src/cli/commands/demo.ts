import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Bridge, type BridgeAddresses } from '../../app/index.ts';
import {
  type BridgeConfig,
  checkOrigin,
  type DeviceConfig,
  type DialledDeviceConfig,
  type ListenerConfig,
  readConfig,
} from '../../config/index.ts';
import { HeartwireError } from '../../errors.ts';
import { addressLabel, type LinkAddress, PtyPair, parseLinkAddress } from '../../links/index.ts';
import { SimulatedDevice, SimulatedFleet, seededRandom } from '../../simulator/index.ts';
import { systemClock } from '../../system/index.ts';
import type { CliIo, Command } from '../command.ts';
import { stopRequest } from '../lifecycle.ts';
import { cliLog } from '../log.ts';
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
    // The page's own port is the one that was announced; it is not replaced in silence.
    const { host, port, tcp } = config.server;
    if (error.seen === `${host}:${port}`) throw elsewhereError(error, port, io);
    const server = { ...config.server, ...(tcp === undefined ? {} : { tcp: { ...tcp, port: 0 } }) };
    const elsewhere = make({ ...config, server, listeners: anywhere(config.listeners) });
    return [elsewhere, await elsewhere.start()];
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

const ANYWHERE = { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 } as const;
/** An address at which nothing listens, as far as is known. */
const UNREACHABLE: LinkAddress = { scheme: 'tcp', host: '127.0.0.1', port: 1 };
const APPID = '996da38d-a7be-4947-aa4c-f8208b5f4ade';
const MADE_UP = { appid: APPID, imei: '490154203237518' };
/** So that the lights change while one watches: stands still for 8 s, works for 24 s. */
const UNSTEADY = { stallMs: 8_000 };
/** A bad cable: garbage between the frames, which the decoder sets aside. */
const NOISY = { garbage: 0.2 };
const SERIAL = 'bench-3';
/** A connection every 20 s, for a moment. */
const SHORT = { shortEveryMs: 20_000 };
const PRESENCE = { everyMs: 20_000 };

/** Simulated devices for a configuration: those that it dials, and those that dial in. */
class DemoFleet {
  readonly #running: AsyncDisposable[] = [];
  #count = 0;

  /** How many devices were started. */
  get count(): number {
    return this.#count;
  }

  /**
   * Starts a device for every one that the configuration dials, on free ports, and gives the configuration that leads
   * there. Of several addresses only the last one answers.
   */
  async dialled(config: BridgeConfig): Promise<BridgeConfig> {
    const devices: DeviceConfig[] = [];
    for (const device of config.devices) {
      devices.push(device.kind === 'dialled' ? await this.#dialled(device) : device);
    }
    const listeners = config.listeners.map((listener) => ({
      ...listener,
      session: { ...listener.session, presence: PRESENCE },
    }));
    return { ...config, devices, listeners };
  }

  /**
   * Starts a device at the other end of a pair of ptys, and gives its configuration; nothing where the system has no
   * ptys.
   */
  async serial(config: BridgeConfig): Promise<DialledDeviceConfig | undefined> {
    const model = config.devices.find((device) => device.kind === 'dialled');
    if (model?.kind !== 'dialled') return undefined;
    let pair: PtyPair;
    try {
      pair = new PtyPair();
    } catch (error) {
      if (error instanceof HeartwireError && error.code === 'pty_unavailable') return undefined;
      throw error;
    }
    this.#running.push(pair);
    const [ours, theirs] = pair.paths.map((path) => reportedAddress(path));
    if (ours === undefined || theirs === undefined) return undefined;
    const simulated = new SimulatedDevice(
      { name: SERIAL, address: theirs, identity: MADE_UP, timeZone: 'UTC', faults: NOISY },
      { clock: systemClock, random: seededRandom(9) },
    );
    this.#running.push(simulated);
    await simulated.start();
    this.#count += 1;
    const session = { ...model.session, device: SERIAL, transport: 'serial' as const };
    const addresses = [addressLabel(ours)];
    return {
      kind: 'dialled',
      id: SERIAL,
      links: [ours],
      line: 'serial',
      maxFrame: 52,
      session: { ...session, addresses },
    };
  }

  async #dialled(device: DialledDeviceConfig): Promise<DialledDeviceConfig> {
    const address = await this.#listening(device);
    const links = device.links.map((_, index) => (index === device.links.length - 1 ? address : UNREACHABLE));
    const [first = address, ...others] = links;
    const addresses = [first, ...others].map(addressLabel);
    return { ...device, links: [first, ...others], session: { ...device.session, addresses } };
  }

  async #listening(device: DialledDeviceConfig): Promise<LinkAddress> {
    const simulated = new SimulatedDevice(
      {
        name: device.id,
        address: ANYWHERE,
        identity: device.session.register ?? MADE_UP,
        clockOffsetMs: -320,
        timeZone: 'UTC',
        ...(device.links.length > 1 ? { faults: UNSTEADY } : {}),
      },
      { clock: systemClock, random: seededRandom(7) },
    );
    this.#running.push(simulated);
    await simulated.start();
    this.#count += 1;
    return reportedAddress(simulated.listeningAt ?? '');
  }

  /** Starts the devices that dial in at `address`: those that the configuration names, and `unknown` others. */
  async dialIn(config: BridgeConfig, address: LinkAddress, unknown: number): Promise<void> {
    const named = config.devices.flatMap((device) =>
      device.kind === 'matched' && device.match.imei !== undefined
        ? [{ appid: device.match.appid ?? APPID, imei: device.match.imei }]
        : [],
    );
    const common = { address, seed: 3, heartbeatEveryMs: 3_000 };
    const fleets = [
      new SimulatedFleet({ ...common, count: named.length, identities: named }, { clock: systemClock }),
      new SimulatedFleet({ ...common, seed: 4, count: Math.max(0, unknown - 2) }, { clock: systemClock }),
      new SimulatedFleet(
        { ...common, seed: 5, count: Math.min(1, unknown), faults: UNSTEADY },
        { clock: systemClock },
      ),
      new SimulatedFleet(
        { ...common, seed: 6, count: unknown > 1 ? 1 : 0, faults: SHORT },
        { clock: systemClock },
      ),
    ];
    for (const fleet of fleets) {
      this.#running.push(fleet);
      await fleet.start();
      this.#count += fleet.devices.length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A device goes before the line that it sits on.
    for (const each of this.#running.toReversed()) await each[Symbol.asyncDispose]();
  }
}

/** The same listeners at any free port, for when the configured one is taken. */
function anywhere(listeners: readonly ListenerConfig[]): ListenerConfig[] {
  return listeners.map((listener) => ({ ...listener, link: { ...listener.link, port: 0 } }));
}

/** An address as one of our listeners (`host:port`) or a pty (a path) reported it. */
function reportedAddress(text: string): LinkAddress {
  const parsed = parseLinkAddress(text.startsWith('/') ? text : `tcp:${text}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}
