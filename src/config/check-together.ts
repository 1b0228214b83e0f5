import { type AddressBlock, parseBlock, type Transport } from '../contract/index.ts';
import { addressLabel, type ListenAddress } from '../links/index.ts';
import type { BusConfig, DeviceConfig, ListenerConfig, MatchConfig, ServerConfig } from './model.ts';
import { type Finding, formatPath, type Path } from './problem.ts';

/** A part of the configuration and where it stands. */
export interface Placed<T> {
  readonly path: Path;
  readonly value: T;
}

export interface Whole {
  readonly server: ServerConfig;
  readonly devices: readonly Placed<DeviceConfig>[];
  readonly listeners: readonly Placed<ListenerConfig>[];
  readonly buses?: readonly Placed<BusConfig>[];
  /** Ids of devices that are wrong by themselves. */
  readonly wrongIds: readonly Placed<string>[];
  /** There are listeners, though perhaps none that is right. */
  readonly listens: boolean;
}

type Add = (finding: Finding) => void;

/** What is right by itself and wrong, or doubtful, beside the rest; of two that collide, the later one is reported. */
export function checkTogether(whole: Whole, add: Add): void {
  checkIds(whole, add);
  checkPorts(whole, add);
  checkLinks(whole, add);
  checkMatches(whole, add);
  checkIdentities(whole, add);
}

/** A device that is wrong takes no id from one that is right. */
function checkIds({ devices, wrongIds }: Whole, add: Add): void {
  const first = new Map<string, Path>();
  const ids = devices.map(({ path, value }) => ({ path, value: value.id }));
  for (const { path, value } of [...ids, ...wrongIds]) {
    const other = first.get(value);
    if (other === undefined) {
      first.set(value, path);
      continue;
    }
    add({
      code: 'config_duplicate_id',
      path: [...path, 'id'],
      message: `${formatPath(other)} has the same id.`,
      fix: 'Give each device an id of its own.',
    });
  }
}

function checkPorts({ server, listeners, devices, buses = [] }: Whole, add: Add): void {
  type Taken = Pick<ListenAddress, 'scheme' | 'host' | 'port'> & { readonly by: string };
  const taken: Taken[] = [{ scheme: 'tcp-listen', host: server.host, port: server.port, by: '`server`' }];
  const claim = ({ scheme, host, port }: ListenAddress, by: string, path: Path): void => {
    const other = taken.find(
      (each) => each.scheme === scheme && each.port === port && port !== 0 && collide(each.host, host),
    );
    if (other !== undefined) {
      add({
        code: 'config_conflict',
        path,
        message: `${other.by} listens on port ${port} too.`,
        fix: 'Give one of the two another port.',
      });
    }
    taken.push({ scheme, host, port, by });
  };
  if (server.tcp !== undefined)
    claim({ scheme: 'tcp-listen', host: server.tcp.host, port: server.tcp.port }, '`server.tcp`', [
      'server',
      'tcp',
      'port',
    ]);
  const ptys = new Map<string, string>();
  const claimPty = (name: string, by: string, path: Path): void => {
    const other = ptys.get(name);
    ptys.set(name, by);
    if (other === undefined || other === by) return;
    add({
      code: 'config_conflict',
      path,
      message: `${other} has the pty ${name} too.`,
      fix: 'Give one of the two another path.',
    });
  };
  for (const { path, value } of [...devices, ...buses]) {
    if (!('expose' in value)) continue;
    for (const [index, each] of (value.expose ?? []).entries()) {
      if (each.kind === 'pty') {
        claimPty(each.path, formatPath(path), [...path, 'expose', index, 'pty']);
        continue;
      }
      const { host, port } = each;
      claim({ scheme: 'tcp-listen', host, port }, formatPath(path), [...path, 'expose', index, each.kind]);
    }
  }
  for (const { path, value } of listeners) {
    claim(value.link, formatPath(path), [...path, 'link']);
  }
}

const collide = (a: string, b: string): boolean =>
  a === b || [a, b].some((host) => host === '0.0.0.0' || host === '::');

function checkLinks({ devices, buses = [] }: Whole, add: Add): void {
  const first = new Map<string, string>();
  for (const { path, value } of [...buses, ...devices]) {
    if (!('links' in value)) continue;
    for (const [index, link] of value.links.entries()) {
      const label = `${link.scheme} ${addressLabel(link)}`;
      const other = first.get(label);
      if (other === undefined || other === value.id) {
        first.set(label, value.id);
        continue;
      }
      add({
        ...(exclusive(link.scheme) ? {} : { severity: 'warning' as const }),
        code: 'config_conflict',
        path: [...path, 'link', ...(value.links.length > 1 ? [index] : [])],
        message: `${buses.some((bus) => bus.value.id === other) ? 'The bus' : 'The device'} "${other}" has this link too.`,
        fix: exclusive(link.scheme)
          ? 'A serial port has one owner: remove one of the two, or put both devices on a bus (`buses:`).'
          : 'Check that two devices answer there.',
      });
    }
  }
}

/** One link at a time; of a trace, too, two devices would each play every other connection. */
const exclusive = (scheme: Transport): boolean =>
  scheme === 'serial' || scheme === 'rfc2217' || scheme === 'replay';

type Matched = Placed<DeviceConfig & { readonly kind: 'matched' }>;

/** What names itself needs a listener that reads it, and the messages that say how. */
function checkIdentities({ devices, buses = [], listeners }: Whole, add: Add): void {
  const logins = listeners.filter(({ value }) => value.session.login === true);
  const named = new Map<string, string>();
  for (const { path, value } of [...devices, ...buses]) {
    const { identity } = 'match' in value ? (value.match ?? {}) : {};
    if (identity === undefined) continue;
    const here = { path: [...path, 'match', 'identity'], atKey: true } as const;
    const isBus = !('kind' in value);
    const other = named.get(identity);
    if (other !== undefined && (isBus || buses.some((bus) => bus.value.id === other))) {
      add({
        ...here,
        code: 'config_overlap',
        message: `"${other}" is known by this identity too.`,
        fix: 'Give each an identity of its own.',
      });
    }
    named.set(identity, value.id);
    if (!isBus && value.session.login !== true && logins.length > 0 && !isImei(identity, logins, listeners)) {
      add({
        ...here,
        severity: 'warning',
        code: 'config_no_effect',
        message:
          'Only the listener has the messages in which this identity stands: what logs in so is not this device.',
        fix: 'Add `messages:` with the file of the listener to the device.',
      });
    }
  }
}

/** Where devices register at some listener, fifteen digits may be an IMEI. */
const isImei = (identity: string, logins: readonly unknown[], listeners: readonly unknown[]): boolean =>
  logins.length < listeners.length && /^\d{15}$/.test(identity);

function checkMatches({ devices, listens }: Whole, add: Add): void {
  const matched = devices.filter((each): each is Matched => each.value.kind === 'matched');
  const [first] = matched;
  if (first !== undefined && !listens) {
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...first.path, 'match'],
      atKey: true,
      message: 'The device dials in, and there is no listener.',
      fix: 'Add `listeners:` with an entry such as `- link: tcp-listen:0.0.0.0:9089`.',
    });
  }
  // Two IMEIs never overlap, so only equal ones and those without need comparing.
  const byImei = new Map<string, Candidate[]>();
  const open: Candidate[] = [];
  const earlier: Candidate[] = [];
  for (const placed of matched) {
    const each = { placed, rule: matchRule(placed.value.match, placed.value.session) };
    const { imei } = each.rule;
    const same = imei === undefined ? earlier : (byImei.get(imei) ?? []);
    const overlaps = (other: Candidate) => rulesOverlap(other.rule, each.rule);
    const rival = same.find(overlaps) ?? (imei === undefined ? undefined : open.find(overlaps));
    if (rival !== undefined) reportOverlap(rival, each, add);
    earlier.push(each);
    if (imei === undefined) open.push(each);
    else if (same.length > 0) same.push(each);
    else byImei.set(imei, [each]);
  }
}

interface Candidate {
  readonly placed: Matched;
  readonly rule: MatchRule;
}

function reportOverlap(
  { placed: earlier, rule }: Candidate,
  { placed: later, rule: rival }: Candidate,
  add: Add,
): void {
  const never = ruleCovers(rule, rival);
  add({
    ...(never ? {} : { severity: 'warning' as const }),
    code: 'config_overlap',
    path: [...later.path, 'match'],
    atKey: true,
    message: never
      ? `The device "${earlier.value.id}", which comes first, matches every peer that this one would.`
      : `A peer can match this and the device "${earlier.value.id}"; the first in the file wins among those that fit what it has said so far.`,
    fix: never
      ? 'Put the narrower match first, or make the two different.'
      : 'Make the two different: give both an `imei:`, or networks that do not overlap.',
  });
}

/** A `match` made ready to be compared with many others. */
interface MatchRule {
  readonly imei: string | undefined;
  /** In lower case: UUIDs do not differ by it. */
  readonly appid: string | undefined;
  readonly from: readonly AddressBlock[] | undefined;
  /** It never registers: every peer that dials in from there is this device. */
  readonly bare: boolean;
}

function matchRule(
  { imei, identity, appid, from }: MatchConfig,
  { bare, login }: DeviceConfig['session'],
): MatchRule {
  return {
    bare: bare !== undefined && login !== true,
    imei: identity ?? imei,
    appid: appid?.toLowerCase(),
    from: from?.flatMap((text) => parseBlock(text) ?? []),
  };
}

/** Whether a peer can match both. */
function rulesOverlap(a: MatchRule, b: MatchRule): boolean {
  // No device registers from the address of one that never does, unless its own match names the address too.
  if (a.bare !== b.bare && (a.from === undefined || b.from === undefined)) return false;
  if (a.imei !== undefined && b.imei !== undefined && a.imei !== b.imei) return false;
  if (a.appid !== undefined && b.appid !== undefined && a.appid !== b.appid) return false;
  if (a.from === undefined || b.from === undefined) return true;
  return a.from.some((one) => b.from?.some((other) => inside(one, other) || inside(other, one)));
}

/** Whether every peer that matches `b` matches `a`. */
function ruleCovers(a: MatchRule, b: MatchRule): boolean {
  if (a.imei !== undefined && a.imei !== b.imei) return false;
  if (a.appid !== undefined && a.appid !== b.appid) return false;
  if (a.from === undefined) return true;
  return b.from?.every((one) => a.from?.some((other) => inside(one, other))) ?? false;
}

/** Whether the first block lies in the second. */
function inside(inner: AddressBlock, outer: AddressBlock): boolean {
  if (inner.bytes.length !== outer.bytes.length || inner.prefix < outer.prefix) return false;
  for (let bit = 0, index = 0; bit < outer.prefix; bit += 8, index++) {
    const mask = 0xff & (0xff << Math.max(0, bit + 8 - outer.prefix));
    if ((((inner.bytes[index] ?? 0) ^ (outer.bytes[index] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
