import { lineOf, TRANSPORT_NAMES, type Transport } from '../contract/index.ts';
import {
  addressLabel,
  DEFAULT_SERIAL_SETTINGS,
  type LinkAddress,
  parseBaud,
  parseLinkAddress,
  type SerialSettings,
} from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { type Add, checkIdentity, completeSession, identityOf } from './complete-session.ts';
import { completeExpose } from './expose.ts';
import { configOf, deferred } from './keys.ts';
import { checkMessagesFit, goesBesideRegister, longestOf } from './message-files.ts';
import type { DeviceConfig, LineKind, ListenerConfig, MatchConfig } from './model.ts';
import type { Finding, Path } from './problem.ts';
import { BARE, DIALLED, LINE, PORT } from './session-keys.ts';
import { defaultMaxFrame, type SessionSettings } from './session-settings.ts';
import type { DefaultsShape, DeviceShape, ListenerShape } from './shape.ts';
import type { TraceRoles } from './trace-roles.ts';

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
  roles: TraceRoles = new Map(),
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
      fix: both
        ? 'Remove one of the two.'
        : 'Add `link:`, for example tcp:10.0.0.7:9089 or /dev/ttyUSB0, or `match:` with its imei.',
    });
    // What else it lacks depends on which of the two it will have; one that is there and wrong says that.
    if (both || added) return undefined;
  }
  return given.match === undefined
    ? completeDialled(given, defaults, path, add, messages, roles)
    : completeMatched(given, given.match, defaults, path, add, messages);
}

function completeDialled(
  given: DeviceShape,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages: DeclaredProtocol | undefined,
  roles: TraceRoles,
): DeviceConfig | undefined {
  const lineSettings = serialSettings({ ...defaults, ...given });
  const links = (given.link ?? []).flatMap((text): LinkAddress[] => {
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
      message: 'The links of one device are all of one kind: all serial, all TCP, and so on.',
      fix: 'Make two devices of it.',
    });
    break;
  }
  const line = given.line ?? defaults.line ?? lineOf(transport);
  if (first !== undefined) warnOfLineKeys(given, transport, line, path, add);
  const role = (first?.scheme === 'replay' ? roles.get(first.path) : undefined) ?? 'client';
  const place = { device: given.id, role, transport };
  const session = completeSession(given, defaults, place, path, add, messages);
  if (session !== undefined) checkMessagesFit(session, messages, path, add);
  const expose = completeExpose(given.expose, path, add);
  if (session !== undefined) checkDatagramSilence(session, transport, path, add);
  if (first === undefined || session === undefined) return undefined;
  const gap = given.gap ?? defaults.gap;
  return {
    kind: 'dialled',
    id: given.id,
    links: [first, ...others],
    line,
    ...(gap === undefined || line === 'stream' ? {} : { gapMs: gap }),
    maxFrame: maxFrameOf(given, defaults, line, messages),
    ...(messages === undefined ? {} : { messages }),
    session: { ...session, ...namesOf(given), addresses: links.map(addressLabel) },
    ...(expose.length === 0 ? {} : { expose }),
    ...recordOf(given, defaults),
  };
}

/** What people call it. */
export const namesOf = ({ label, group }: DeviceShape): Pick<SessionSettings, 'label' | 'group'> => ({
  ...(label === undefined ? {} : { label }),
  ...(group === undefined ? {} : { group }),
});

/** Links whose serial line is set by the bridge. */
const SETS_LINE: ReadonlySet<Transport> = new Set(['serial', 'rfc2217']);

function warnOfLineKeys(
  given: DeviceShape,
  transport: Transport,
  line: LineKind,
  path: Path,
  add: Add,
): void {
  if (transport === 'replay' || transport === 'serial') return;
  const hasGap = line === 'serial' && transport !== 'udp';
  for (const key of keysGiven(given, LINE)) {
    if (key === 'line' || (key === 'gap' ? hasGap : SETS_LINE.has(transport) && key !== 'hupcl')) continue;
    const about = transport === 'udp' ? ', where each datagram ends by itself' : '';
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on ${TRANSPORT_NAMES[transport]}${key === 'gap' ? about : ''}.`,
      fix:
        key === 'gap' && transport !== 'udp'
          ? 'Remove it, or add `line: serial` for a serial server.'
          : 'Remove it.',
    });
  }
}

/** Nothing but its own silence shows that the device behind a datagram socket is off. */
function checkDatagramSilence(session: SessionSettings, transport: Transport, path: Path, add: Add): void {
  if (transport !== 'udp' || session.bare === undefined || session.bare.silenceMs !== undefined) return;
  add({
    code: 'config_conflict',
    path: [...path, 'silence'],
    message:
      'A UDP link is open whether or not the device is there, so without `silence` it would be online for ever.',
    fix: 'Write the longest pause between two of its messages, for example `silence: 30s`.',
  });
}

const GIVEN_PORT = deferred(PORT);

export function serialSettings(given: DefaultsShape): SerialSettings {
  const baud = given.baud === undefined ? undefined : parseBaud(String(given.baud));
  return {
    ...DEFAULT_SERIAL_SETTINGS,
    ...(baud?.ok ? baud.value : {}),
    ...configOf(GIVEN_PORT, given),
  };
}

/** Fills in what a device leaves out that dials in; undefined where it cannot be run, which has then been added. */
function completeMatched(
  given: DeviceShape,
  match: NonNullable<DeviceShape['match']>,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages: DeclaredProtocol | undefined,
): DeviceConfig | undefined {
  warnOfDialledKeys(given, path, add, messages);
  const expose = completeExpose(given.expose, path, add);
  if (given.session === 'none') checkBareMatch(match, path, add);
  else if (Object.values(match).every((each) => each === undefined)) {
    add({
      code: 'config_missing_key',
      path: [...path, 'match'],
      message: 'Nothing says by what the device is known.',
      fix: 'Add `imei:`, `appid:`, `identity:` or `from:` below `match:`.',
    });
  }
  const place = { device: given.id, role: 'server', transport: 'tcp' } as const;
  const session = completeSession(given, { ...defaults, session: 'standard' }, place, path, add, messages);
  if (session !== undefined) checkMatchedBy(match, session, path, add);
  checkIdentity(match, identityOf(given, defaults), [...path, 'match'], add);
  const { imei, appid, identity, from } = match;
  const complete: MatchConfig = {
    ...(imei === undefined ? {} : { imei }),
    ...(appid === undefined ? {} : { appid }),
    ...(identity === undefined ? {} : { identity }),
    ...(from === undefined ? {} : { from }),
  };
  if (session === undefined) return undefined;
  const life = dialInLife(given, defaults, session, messages, path, add);
  const named = { ...session, ...namesOf(given) };
  return {
    kind: 'matched',
    id: given.id,
    match: complete,
    ...life,
    session: named,
    ...(expose.length === 0 ? {} : { expose }),
    ...recordOf(given, defaults),
  };
}

function warnOfDialledKeys(
  given: DeviceShape,
  path: Path,
  add: Add,
  messages: DeclaredProtocol | undefined,
): void {
  const bare = given.session === 'none' || messages?.logsIn === true;
  for (const key of keysGiven(given, DIALLED)) {
    if (key === 'session' || (bare && BARE_DIAL_IN.has(key))) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on a device that dials in.`,
      fix: 'Remove it.',
    });
  }
}

/** Keys of dialled devices that count for one that dials in without a register, too. */
const BARE_DIAL_IN: ReadonlySet<string> = new Set([...Object.keys(BARE), 'line', 'gap']);

/** A device is known by what it says: by its register, or by the login that its messages declare. */
function checkMatchedBy(
  { imei, appid }: NonNullable<DeviceShape['match']>,
  { login }: SessionSettings,
  path: Path,
  add: Add,
): void {
  const key = imei !== undefined ? 'imei' : appid !== undefined ? 'appid' : undefined;
  if (login !== true || key === undefined) return;
  add({
    code: 'config_conflict',
    path: [...path, 'match', key],
    message: `The messages of this device declare how it logs in, so it shows no ${key}.`,
    fix: 'Write `identity:` with what its login says.',
  });
}

/** A device that never registers is known by its address. */
function checkBareMatch(
  { imei, appid, identity, from }: NonNullable<DeviceShape['match']>,
  path: Path,
  add: Add,
): void {
  const registers = (['imei', 'appid', 'identity'] as const).find(
    (key) => ({ imei, appid, identity })[key] !== undefined,
  );
  if (registers === undefined && from !== undefined) return;
  add({
    code: registers === undefined ? 'config_missing_key' : 'config_conflict',
    path: registers === undefined ? [...path, 'match'] : [...path, 'match', registers],
    message: `With \`session: none\` the device never registers${registers === undefined ? '' : `, so it shows no ${registers}`}: it is known by its address.`,
    fix:
      registers === undefined
        ? 'Add `from:` with its address below `match:`.'
        : 'Write its address instead, `from: 10.0.0.7`, or remove `session: none`.',
  });
}

/** What is read from a peer that dials in, and how. */
export function dialInLife(
  given: DeviceShape | ListenerShape,
  defaults: DefaultsShape,
  session: SessionSettings,
  messages: DeclaredProtocol | undefined,
  path: Path,
  add: Add,
): Pick<ListenerConfig, 'line' | 'gapMs' | 'maxFrame' | 'messages'> {
  const bare = session.bare !== undefined;
  // The file at the top is for devices that can speak it; that others cannot is said once, at its place.
  const spoken =
    messages !== undefined && (bare || given.messages !== undefined || goesBesideRegister(messages))
      ? messages
      : undefined;
  checkMessagesFit(session, spoken, path, add);
  // Nothing would be found again behind damage where no message is known.
  const byDefault = bare && spoken === undefined ? 'stream' : lineOf(session.transport);
  const line = (bare ? given.line : undefined) ?? byDefault;
  return {
    ...(line === 'stream' ? {} : { line }),
    ...(given.gap === undefined || line === 'stream' ? {} : { gapMs: given.gap }),
    maxFrame: maxFrameOf(given, defaults, line, spoken),
    ...(spoken === undefined ? {} : { messages: spoken }),
  };
}

/** Upper bound of a payload in bytes: as given, else by the line and what is spoken on it. */
export function maxFrameOf(
  given: { readonly max_frame?: number | undefined },
  defaults: DefaultsShape,
  line: LineKind,
  messages: DeclaredProtocol | undefined,
): number {
  const own = given.max_frame ?? defaults.max_frame;
  if (own !== undefined || line === 'stream') return own ?? defaultMaxFrame(line);
  return Math.max(defaultMaxFrame(line), messages === undefined ? 0 : longestOf(messages));
}

/** Whether it is recorded, where the entry or `defaults` says it. */
export function recordOf(
  given: { readonly record?: boolean | undefined },
  defaults: DefaultsShape,
): { readonly record?: boolean } {
  const record = given.record ?? defaults.record;
  return record === undefined ? {} : { record };
}

/** Those of some keys that are written. */
function keysGiven<K extends string>(given: object, keys: Readonly<Record<K, unknown>>): K[] {
  // `Object.keys` does not carry that this object has no other keys than its type says.
  return (Object.keys(keys) as K[]).filter((key) => Object.hasOwn(given, key));
}
