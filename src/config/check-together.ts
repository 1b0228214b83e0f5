import type { Transport } from '../contract/index.ts';
import { addressLabel, type ListenAddress } from '../links/index.ts';
import { MatchRivals, type MatchRule, matchRule, ruleCovers } from './match-rivals.ts';
import type { BusConfig, DeviceConfig, ListenerConfig, ServerConfig } from './model.ts';
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
  type Taken = Pick<ListenAddress, 'host'> & { readonly by: string };
  /** By kind and port, so that many places cost as much each as few. */
  const taken = new Map<string, Taken[]>();
  const claim = ({ scheme, host, port }: ListenAddress, by: string, path: Path): void => {
    // Any free port is another one each time.
    if (port === 0) return;
    const same = taken.get(`${scheme} ${port}`) ?? [];
    const other = same.find((each) => collide(each.host, host));
    if (other !== undefined) {
      add({
        code: 'config_conflict',
        path,
        message: `${other.by} listens on port ${port} too.`,
        fix: 'Give one of the two another port.',
      });
    }
    same.push({ host, by });
    taken.set(`${scheme} ${port}`, same);
  };
  claim({ scheme: 'tcp-listen', host: server.host, port: server.port }, '`server`', ['server', 'port']);
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
  const candidates = matched.map((placed) => ({
    placed,
    rule: matchRule(placed.value.match, placed.value.session),
  }));
  const rivals = new MatchRivals(candidates.map(({ rule }) => rule));
  for (const each of candidates) {
    const rival = candidates[rivals.next(each.rule) ?? -1];
    if (rival !== undefined) reportOverlap(rival, each, add);
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
