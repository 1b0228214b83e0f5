import type { SessionSettings } from '../device/settings.ts';
import type { LinkAddress, SerialSettings } from '../links/address.ts';
import { addressLabel } from '../links/format-address.ts';
import { parseLinkAddress, parseListenAddress } from '../links/parse-address.ts';
import { DEFAULT_SERIAL_SETTINGS, parseBaud } from '../links/parse-serial-address.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { BARE_KEYS } from './bare-shape.ts';
import { completeSession } from './complete-session.ts';
import { durationMs } from './duration.ts';
import { checkIdentity } from './identity.ts';
import { checkSpeech, goesBesideRegister, longestOf } from './message-files.ts';
import type { DeviceConfig, ListenerConfig, MatchConfig } from './model.ts';
import type { Finding, Path } from './problem.ts';
import type { DefaultsShape, DeviceShape, ListenerShape } from './shape.ts';
import { DIALLED_KEYS, LINE_KEYS, LONGEST_DECLARED_FRAME } from './shape.ts';

type Add = (finding: Finding) => void;

const STREAM_MAX_FRAME = 1024 * 1024;

/**
 * Fills in what a device leaves out; undefined where it cannot be run, which has then been added. `add` says whether a
 * finding was new.
 */
export function completeDevice(
  given: DeviceShape,
  defaults: DefaultsShape,
  path: Path,
  add: (finding: Finding) => boolean,
  messages?: DeclaredProtocol,
): DeviceConfig | undefined {
  const both = given.link !== undefined && given.match !== undefined;
  if (both || (given.link === undefined && given.match === undefined)) {
    const added = add({
      code: both ? 'config_conflict' : 'config_missing_key',
      path: [...path, both ? 'match' : 'link'],
      unless: [
        [...path, 'link'],
        [...path, 'match'],
      ],
      atKey: true,
      message: both
        ? 'A device is either dialled (`link`) or dials in (`match`).'
        : 'Nothing says how to reach the device, nor by what to know it when it dials in.',
      mend: both
        ? 'Remove one of the two.'
        : 'Add `link:`, for example tcp:10.0.0.7:9089 or /dev/ttyUSB0, or `match:` with its imei.',
    });
    // What else it lacks depends on which of the two it will have; one that is there and wrong says that.
    if (both || added) return undefined;
  }
  return given.match === undefined
    ? completeDialled(given, defaults, path, add, messages)
    : completeMatched(given, given.match, defaults, path, add, messages);
}

function completeDialled(
  given: DeviceShape,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages: DeclaredProtocol | undefined,
): DeviceConfig | undefined {
  const lineSettings = serialSettings({ ...defaults, ...given });
  const texts = typeof given.link === 'string' ? [given.link] : (given.link ?? []);
  const links = texts.flatMap((text): LinkAddress[] => {
    const parsed = parseLinkAddress(text, lineSettings);
    return parsed.ok ? [parsed.value] : [];
  });
  const [first, ...others] = links;
  const transport = first?.scheme ?? 'tcp';
  for (const other of others) {
    if (other.scheme === transport) continue;
    add({
      code: 'config_conflict',
      path: [...path, 'link'],
      message: 'The links of one device are all serial, all TCP, or all traces.',
      mend: 'Make two devices of it.',
    });
    break;
  }
  const line = given.line ?? defaults.line ?? (transport === 'serial' ? 'serial' : 'stream');
  if (first !== undefined && transport === 'tcp') warnOfLineKeys(given, line, path, add);
  const session = completeSession(
    given,
    defaults,
    { ...deviceOf(given), role: 'client', transport },
    path,
    add,
  );
  if (session !== undefined) checkSpeech(session, messages, path, add);
  if (first === undefined || session === undefined) return undefined;
  const gap = given.gap ?? defaults.gap;
  return {
    kind: 'dialled',
    id: given.id,
    links: [first, ...others],
    line,
    ...(gap === undefined || line === 'stream' ? {} : { gapMs: durationMs(gap) }),
    maxFrame: maxFrameOf(given, defaults, line, messages),
    ...(messages === undefined ? {} : { messages }),
    session: { ...session, addresses: links.map(addressLabel) },
    ...recordOf(given, defaults),
  };
}

function maxFrameOf(
  given: { readonly max_frame?: number | undefined },
  defaults: DefaultsShape,
  line: 'stream' | 'serial',
  messages: DeclaredProtocol | undefined,
): number {
  const own = given.max_frame ?? defaults.max_frame;
  if (own !== undefined || line === 'stream') return own ?? STREAM_MAX_FRAME;
  return Math.max(LONGEST_DECLARED_FRAME, messages === undefined ? 0 : longestOf(messages));
}

function warnOfLineKeys(given: DeviceShape, line: 'stream' | 'serial', path: Path, add: Add): void {
  for (const key of keysGiven(given, LINE_KEYS)) {
    if (key === 'line' || (key === 'gap' && line === 'serial')) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on a TCP link.`,
      mend: key === 'gap' ? 'Remove it, or add `line: serial` for a serial server.' : 'Remove it.',
    });
  }
}

function completeMatched(
  given: DeviceShape,
  match: NonNullable<DeviceShape['match']>,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages: DeclaredProtocol | undefined,
): DeviceConfig | undefined {
  warnOfDialledKeys(given, path, add);
  if (given.session === 'none') checkBareMatch(match, path, add);
  else if (match.imei === undefined && match.appid === undefined && match.from === undefined) {
    add({
      code: 'config_missing_key',
      path: [...path, 'match'],
      message: 'Nothing says by what the device is known.',
      mend: 'Add `imei:`, `appid:` or `from:` below `match:`.',
    });
  }
  const place: Session = { ...deviceOf(given), role: 'server', transport: 'tcp' };
  const session = completeSession(given, { ...defaults, session: 'standard' }, place, path, add);
  checkIdentity(match, given.identity ?? defaults.identity ?? 'standard', [...path, 'match'], add);
  const { imei, appid, from } = match;
  const complete: MatchConfig = {
    ...(imei === undefined ? {} : { imei }),
    ...(appid === undefined ? {} : { appid }),
    ...(from === undefined ? {} : { from: typeof from === 'string' ? [from] : from }),
  };
  if (session === undefined) return undefined;
  const life = dialInLife(given, defaults, session, messages, path, add);
  return { kind: 'matched', id: given.id, match: complete, ...life, session, ...recordOf(given, defaults) };
}

function warnOfDialledKeys(given: DeviceShape, path: Path, add: Add): void {
  const bare = given.session === 'none';
  for (const key of keysGiven(given, DIALLED_KEYS)) {
    if (key === 'session' || (bare && BARE_DIAL_IN_KEYS.has(key))) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on a device that dials in.`,
      mend: 'Remove it.',
    });
  }
}

/** Keys of dialled devices that count for one that dials in without a register, too. */
const BARE_DIAL_IN_KEYS: ReadonlySet<string> = new Set([...Object.keys(BARE_KEYS), 'line', 'gap']);

/** Who never registers is known by where it comes from. */
function checkBareMatch(
  { imei, appid, from }: NonNullable<DeviceShape['match']>,
  path: Path,
  add: Add,
): void {
  const registers = imei !== undefined ? 'imei' : appid !== undefined ? 'appid' : undefined;
  if (registers === undefined && from !== undefined) return;
  add({
    code: registers === undefined ? 'config_missing_key' : 'config_conflict',
    path: registers === undefined ? [...path, 'match'] : [...path, 'match', registers],
    message: `With \`session: none\` the device never registers${registers === undefined ? '' : `, so it shows no ${registers}`}: it is known by its address.`,
    mend:
      registers === undefined
        ? 'Add `from:` with its address below `match:`.'
        : 'Write its address instead, `from: 10.0.0.7`, or remove `session: none`.',
  });
}

/** What is read from a peer that dials in, and how. */
function dialInLife(
  given: DeviceShape | ListenerShape,
  defaults: DefaultsShape,
  session: SessionSettings,
  messages: DeclaredProtocol | undefined,
  path: Path,
  add: Add,
): Pick<ListenerConfig, 'line' | 'gapMs' | 'maxFrame' | 'messages'> {
  const bare = session.bare !== undefined;
  const line = (bare ? given.line : undefined) ?? 'stream';
  // What stands at the top of the file is for those who can speak it; of the others that is said once, there.
  const spoken =
    messages !== undefined && (bare || given.messages !== undefined || goesBesideRegister(messages))
      ? messages
      : undefined;
  checkSpeech(session, spoken, path, add);
  return {
    ...(line === 'stream' ? {} : { line }),
    ...(given.gap === undefined || line === 'stream' ? {} : { gapMs: durationMs(given.gap) }),
    maxFrame: maxFrameOf(given, defaults, line, spoken),
    ...(spoken === undefined ? {} : { messages: spoken }),
  };
}

type Session = Pick<SessionSettings, 'device' | 'role' | 'transport'>;
const deviceOf = (given: DeviceShape) => ({ device: given.id });

/** Fills in what a listener leaves out; undefined where it cannot be run, which has then been added. */
export function completeListener(
  given: ListenerShape,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages?: DeclaredProtocol,
): ListenerConfig | undefined {
  const link = parseListenAddress(given.link);
  const place: Session = { device: '', role: 'server', transport: 'tcp' };
  // Whoever dials in is known by its register, unless the listener itself says otherwise.
  const session = completeSession(given, { ...defaults, session: 'standard' }, place, path, add);
  if (given.session === 'none') checkBareListener(given, path, add);
  else warnOfListenersLine(given, path, add);
  if (!link.ok || session === undefined) return undefined;
  return {
    link: link.value,
    unknown: given.unknown ?? 'accept',
    anonymous: given.anonymous ?? 'refuse',
    maxDevices: given.max_devices ?? 1_000,
    forgetMs: durationMs(given.forget ?? '24h'),
    maxNameless: given.max_nameless ?? 256,
    maxConnections: given.max_connections ?? 10_000,
    maxConnectionsPerAddress: given.max_connections_per_address ?? 1_000,
    ...dialInLife(given, defaults, session, messages, path, add),
    session,
    ...recordOf(given, defaults),
  };
}

function checkBareListener(given: ListenerShape, path: Path, add: Add): void {
  if (given.anonymous !== 'by-address') {
    add({
      code: given.anonymous === undefined ? 'config_missing_key' : 'config_conflict',
      path: [...path, 'anonymous'],
      message: 'With `session: none` nobody registers, so whoever dials in can only be named by its address.',
      mend: 'Write `anonymous: by-address`, or remove `session: none`.',
    });
  }
  if (given.unknown === undefined) return;
  add({
    severity: 'warning',
    code: 'config_no_effect',
    path: [...path, 'unknown'],
    atKey: true,
    message: '`unknown` has no effect with `session: none`, where nobody registers.',
    mend: 'Remove it.',
  });
}

function warnOfListenersLine(given: ListenerShape, path: Path, add: Add): void {
  for (const key of ['line', 'gap'] as const) {
    if (given[key] === undefined) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on devices that register.`,
      mend: 'Remove it, or add `session: none`.',
    });
  }
}

/** Whether it is recorded, where it or `defaults` says. */
function recordOf(
  given: { readonly record?: boolean | undefined },
  defaults: DefaultsShape,
): { readonly record?: boolean } {
  const record = given.record ?? defaults.record;
  return record === undefined ? {} : { record };
}

function keysGiven<K extends string>(given: object, keys: Readonly<Record<K, unknown>>): K[] {
  // Object.keys forgets that an object literal of ours has no other keys than its type says.
  return (Object.keys(keys) as K[]).filter((key) => Object.hasOwn(given, key));
}

function serialSettings(given: DefaultsShape): SerialSettings {
  const baud = given.baud === undefined ? undefined : parseBaud(String(given.baud));
  const { data_bits: dataBits, stop_bits: stopBits, parity, rtscts, xon, xoff, dtr, rts, hupcl } = given;
  return {
    ...DEFAULT_SERIAL_SETTINGS,
    ...(baud?.ok ? baud.value : {}),
    ...definedOnly({ dataBits, stopBits, parity, rtscts, xon, xoff, dtr, rts, hupcl }),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function definedOnly<T extends object>(values: T): Defined<T> {
  const kept: Defined<T> = { ...values };
  for (const key of Object.keys(values) as (keyof T)[]) if (values[key] === undefined) delete kept[key];
  return kept;
}
