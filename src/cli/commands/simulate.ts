import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDuration } from '../../config/index.ts';
import { HeartwireError } from '../../errors.ts';
import {
  type LinkAddress,
  type ListenAddress,
  type Parsed,
  parseLinkAddress,
  parseListenAddress,
} from '../../links/index.ts';
import {
  checkFaultsFit,
  defaultRole,
  FAULT_EXAMPLES,
  forkedRandom,
  parseFaults,
  randomIdentity,
  SimulatedFleet,
  type SimulatedFleetOptions,
} from '../../simulator/index.ts';
import { systemClock } from '../../system/index.ts';
import type { Command } from '../command.ts';
import { stopRequest } from '../lifecycle.ts';
import { speech } from '../simulated-speech.ts';
import { SUMMARY_EVERY_MS, simulateReport } from '../ui/simulation-report.ts';

/** Runs fake devices until a signal to stop. */
export const command: Command<SimulateArgs> = {
  usage: 'simulate',
  describe: 'Run fake devices that dial in, are dialled, or sit on a serial line, with faults on request',
  place: 200,
  task: 'connect',
  examples: [
    ['heartwire simulate --connect 127.0.0.1:9089 --count 20', '20 devices dial a listening bridge'],
    [
      'heartwire simulate --listen 9100 --clock-offset -90s',
      'one device waits to be dialled; its clock is late',
    ],
    ['heartwire simulate --connect 127.0.0.1:9089 --fault drop=0.01,stall=5s', 'a device in trouble'],
    ['heartwire simulate --pty /dev/ttyUSB1', 'a device at the other end of a serial line'],
    ['heartwire simulate --pack eastron-sdm --pty ./line --address 1..8', 'eight meters on one line'],
    ['heartwire simulate --messages my.yaml --listen 9100', 'a device of declared messages'],
    [
      'heartwire simulate --pack gt06 --connect 127.0.0.1:5023 --count 20',
      '20 trackers log in, and send what was published of theirs',
    ],
    ['heartwire simulate --like psu-1.trace --listen 9100', 'a device that says what a recorded one said'],
  ],
  options: (yargs) =>
    yargs
      .option('connect', { type: 'string', requiresArg: true, describe: 'HOST:PORT to dial' })
      .option('listen', {
        type: 'string',
        requiresArg: true,
        describe: '[HOST:]PORT to wait at; further devices take the ports behind it; 0 takes any',
      })
      .option('pty', { type: 'string', requiresArg: true, describe: 'Serial port to sit at, ?baud= and all' })
      .option('messages', {
        type: 'string',
        requiresArg: true,
        describe: 'The messages.yaml or register map that it speaks, or pack:NAME',
      })
      .option('pack', { type: 'string', requiresArg: true, describe: 'The same of a pack, by its name' })
      .option('address', {
        type: 'string',
        requiresArg: true,
        describe: 'Addresses on its line, where messages carry one: 1, 1,5 or 1..8 (1)',
      })
      .option('like', {
        type: 'string',
        requiresArg: true,
        describe: 'A trace: it says what that device said',
      })
      .option('count', { type: 'number', default: 1, describe: 'How many devices' })
      .option('every', {
        type: 'string',
        describe: 'Heartbeat interval, 3s by default where it dials; of messages that do not say how often',
      })
      .option('ask-time', { type: 'string', describe: 'Ask the time so often, e.g. 10s' })
      .option('early', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Asked before it registers: heartbeat, datetime or both',
      })
      .option('register-once', {
        type: 'boolean',
        default: false,
        describe: 'Never register again after a cut',
      })
      .option('appid', { type: 'string', describe: 'UUID of the first device' })
      .option('imei', { type: 'string', describe: 'IMEI of the first device' })
      .option('identity', {
        type: 'string',
        requiresArg: true,
        describe: 'What the first device logs in as, where messages declare a login',
      })
      .option('clock-offset', {
        nargs: 1,
        type: 'string',
        describe: "How far its clock is ahead: 2s, or -1h for one that's late",
      })
      .option('time-zone', { type: 'string', describe: 'Where its clock hangs, e.g. Asia/Shanghai' })
      .option('fault', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: `Any of ${FAULT_EXAMPLES.join(', ')}`,
      })
      .option('seed', {
        type: 'number',
        default: 1,
        describe: 'The same seed makes the same devices and damage; give a second fleet another one',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print what happens as JSON lines' }),
  async run(args, io) {
    let options: SimulatedFleetOptions;
    try {
      const said = await speech(args, io);
      options = { ...fleetOptions(args, said.declared), ...said };
      await checkFolder(options.address, io.cwd);
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      io.err(`heartwire: ${error.message}\n`);
      return 2;
    }
    // Asked for from the start: a signal that comes while it starts must not be lost.
    using stop = stopRequest(io, { withOutput: true });
    const report = simulateReport(
      io,
      args,
      () => fleet.counts(),
      () => systemClock.now().wallMs,
    );
    const fleet = new SimulatedFleet(options, { clock: systemClock, report: (event) => report.event(event) });
    await using running = fleet;
    await running.start();
    const ticking = setInterval(() => report.tick(), SUMMARY_EVERY_MS);
    await stop.requested;
    clearInterval(ticking);
    await running.stop();
    report.ended();
    return 0;
  },
};

/** The options of `simulate` as they were typed. */
export interface SimulateArgs {
  readonly messages: string | undefined;
  readonly pack: string | undefined;
  readonly address: string | undefined;
  readonly like: string | undefined;
  readonly connect: string | undefined;
  readonly listen: string | undefined;
  readonly pty: string | undefined;
  readonly count: number;
  readonly every: string | undefined;
  readonly 'ask-time': string | undefined;
  readonly early: readonly string[];
  readonly 'register-once': boolean;
  readonly appid: string | undefined;
  readonly imei: string | undefined;
  readonly identity: string | undefined;
  readonly 'clock-offset': string | undefined;
  readonly 'time-zone': string | undefined;
  readonly fault: readonly string[];
  readonly seed: number;
  readonly json: boolean;
}

const MAX_COUNT = 10_000;

/** Turns what was typed into a fleet. @throws HeartwireError `bad_argument`, `bad_address` or `bad_fault`. */
function fleetOptions(
  args: SimulateArgs,
  declared: SimulatedFleetOptions['declared'],
): SimulatedFleetOptions {
  const address = addressOf(args);
  const faults = parseFaults(args.fault.join(','));
  checkFaultsFit(faults, address, defaultRole(address), declared);
  if (!Number.isInteger(args.count) || args.count < 1 || args.count > MAX_COUNT) {
    throw bad(`--count is a whole number from 1 to ${MAX_COUNT}`, String(args.count));
  }
  if (address.scheme === 'tcp-listen' && address.port + args.count - 1 > 65_535) {
    throw bad('--listen PORT and --count stay within port 65535', `${address.port} and ${args.count}`);
  }
  if (args.pty !== undefined && args.count > 1) throw bad('--pty is one device', `--count ${args.count}`);
  if (!Number.isInteger(args.seed)) throw bad('--seed is a whole number', String(args.seed));
  return {
    address,
    count: args.count,
    seed: args.seed,
    faults,
    early: args.early.flatMap((each) => each.split(',')).map(earlyRequest),
    registersAgain: !args['register-once'],
    identities: identities(args),
    ...optional('heartbeatEveryMs', duration('--every', args.every)),
    ...optional('datetimeEveryMs', duration('--ask-time', args['ask-time'])),
    ...optional('clockOffsetMs', signedDuration('--clock-offset', args['clock-offset'])),
    ...optional('timeZone', timeZone(args['time-zone'])),
  };
}

function addressOf({ connect, listen, pty }: SimulateArgs): LinkAddress | ListenAddress {
  const given = [connect, listen, pty].filter((each) => each !== undefined);
  if (given.length !== 1) {
    throw bad('Choose one of --connect HOST:PORT, --listen PORT and --pty PATH', `${given.length} of them`);
  }
  if (connect !== undefined) return read('--connect', connect, parseLinkAddress(`tcp:${connect}`));
  if (pty !== undefined) return read('--pty', pty, parseLinkAddress(`serial:${pty}`));
  const where = listen ?? '';
  const full = /^\d+$/.test(where) ? `127.0.0.1:${where}` : where;
  return read('--listen', where, parseListenAddress(`tcp-listen:${full}`));
}

/**
 * A port may come later, but the folder of its file does not come by itself; that of a device is made by the system.
 * @throws HeartwireError `port_missing`
 */
async function checkFolder(address: LinkAddress | ListenAddress, cwd: string): Promise<void> {
  if (address.scheme !== 'serial' || address.port.by !== 'path') return;
  const folder = dirname(resolve(cwd, address.port.path));
  if (folder === '/dev' || folder.startsWith('/dev/')) return;
  const there = await stat(folder).catch(() => undefined);
  if (there?.isDirectory() === true) return;
  const fix = 'Create it, or name another path.';
  const seen = there === undefined ? 'There is no folder' : 'This is no folder:';
  throw new HeartwireError('port_missing', `Cannot sit at ${address.port.path}. ${seen} ${folder}. ${fix}`, {
    seen: address.port.path,
    fix,
  });
}

function read<Address>(option: string, seen: string, parsed: Parsed<Address>): Address {
  if (parsed.ok) return parsed.value;
  // The option says what kind of address it is; the scheme in front of it is for devices.yaml.
  const fix = parsed.fix.replaceAll(/\btcp(?:-listen)?:(?!\/\/)/g, '');
  const message = `Cannot read ${option} "${seen}": ${parsed.problem} ${fix}`;
  throw new HeartwireError('bad_address', message, { seen, fix });
}

function earlyRequest(text: string): 'heartbeat' | 'datetime' {
  if (text === 'heartbeat' || text === 'datetime') return text;
  throw bad('--early takes heartbeat, datetime or both', text);
}

/** An identity that is given counts for the first device; what is not given of it is made up. */
function identities({ appid, imei, seed }: SimulateArgs): SimulatedFleetOptions['identities'] & object {
  if (appid === undefined && imei === undefined) return [];
  if (appid !== undefined && !/^[\x20-\x7e]{36}$/.test(appid)) throw bad('--appid has 36 characters', appid);
  if (imei !== undefined && !/^[\x20-\x7e]{15}$/.test(imei)) throw bad('--imei has 15 characters', imei);
  const made = randomIdentity(forkedRandom(seed, 0));
  return [{ appid: appid ?? made.appid, imei: imei ?? made.imei }];
}

function duration(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1) throw bad(`${option} is a duration with a unit, such as 100ms or 3s`, text);
  return ms;
}

function signedDuration(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text.replace(/^[+-]/, ''));
  if (ms === undefined) throw bad(`${option} is a duration with a unit, such as 2s or -1h`, text);
  return text.startsWith('-') ? -ms : ms;
}

function timeZone(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch (cause) {
    throw bad('--time-zone is an IANA name such as Asia/Shanghai', text, cause);
  }
}

/** An optional property is left out, not undefined, where there is nothing to say. */
function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  // The one key is the one that the type names.
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}

function bad(expected: string, seen: string, cause?: unknown): HeartwireError {
  return new HeartwireError('bad_argument', `${expected}; seen: ${seen}.`, { seen, fix: expected, cause });
}
