import { parseDuration } from '../config/duration.ts';
import { HeartwireError } from '../errors.ts';
import type { LinkAddress, ListenAddress } from '../links/address.ts';
import { parseLinkAddress, parseListenAddress } from '../links/parse-address.ts';
import type { Parsed } from '../links/parsed.ts';
import { parseFaults } from '../simulator/faults.ts';
import { forkedRandom, randomIdentity } from '../simulator/random.ts';
import { checkFaultsFit, defaultRole } from '../simulator/settings.ts';
import type { SimulatedFleetOptions } from '../simulator/simulated-fleet.ts';

/** The options of `simulate` as they were typed. */
export interface SimulateArgs {
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
  readonly 'clock-offset': string | undefined;
  readonly 'time-zone': string | undefined;
  readonly fault: readonly string[];
  readonly seed: number;
  readonly json: boolean;
}

const MAX_COUNT = 10_000;

/** Turns what was typed into a fleet. @throws HeartwireError `bad_argument`, `bad_address` or `bad_fault`. */
export function fleetOptions(args: SimulateArgs): SimulatedFleetOptions {
  const address = addressOf(args);
  const faults = parseFaults(args.fault.join(','));
  checkFaultsFit(faults, address, defaultRole(address));
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
