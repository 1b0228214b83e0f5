import type { SessionSettings } from '../device/settings.ts';
import type { LinkAddress, SerialSettings } from '../links/address.ts';
import { addressLabel } from '../links/format-address.ts';
import { parseLinkAddress, parseListenAddress } from '../links/parse-address.ts';
import { DEFAULT_SERIAL_SETTINGS, parseBaud } from '../links/parse-serial-address.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { completeSession } from './complete-session.ts';
import { durationMs } from './duration.ts';
import { checkIdentity } from './identity.ts';
import { checkSpeech, longestOf } from './message-files.ts';
import type { DeviceConfig, ListenerConfig, MatchConfig } from './model.ts';
import type { Finding, Path } from './problem.ts';
import type { DefaultsShape, DeviceShape, ListenerShape } from './shape.ts';
import { DIALLED_KEYS, LINE_KEYS, LONGEST_DECLARED_FRAME } from './shape.ts';

type Add = (finding: Finding) => void;

const STREAM_MAX_FRAME = 1024 * 1024;

/** Fills in what a device leaves out; undefined where it cannot be run, which has then been added. */
export function completeDevice(
  given: DeviceShape,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages?: DeclaredProtocol,
): DeviceConfig | undefined {
  const both = given.link !== undefined && given.match !== undefined;
  if (both || (given.link === undefined && given.match === undefined)) {
    add({
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
    if (both) return undefined;
  }
  return given.match === undefined
    ? completeDialled(given, defaults, path, add, messages)
    : completeMatched(given, given.match, defaults, path, add);
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
    maxFrame:
      given.max_frame ??
      defaults.max_frame ??
      (line === 'serial'
        ? Math.max(LONGEST_DECLARED_FRAME, messages === undefined ? 0 : longestOf(messages))
        : STREAM_MAX_FRAME),
    ...(messages === undefined ? {} : { messages }),
    session: { ...session, addresses: links.map(addressLabel) },
    ...recordOf(given, defaults),
  };
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
): DeviceConfig | undefined {
  if (given.messages !== undefined) {
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, 'messages'],
      atKey: true,
      message: 'A device that dials in speaks the messages that stand at the top of the file.',
      mend: 'Move `messages:` to the top, beside `devices:`.',
    });
  }
  for (const key of keysGiven(given, DIALLED_KEYS)) {
    if (key === 'session') continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on a device that dials in.`,
      mend: 'Remove it.',
    });
  }
  if (match.imei === undefined && match.appid === undefined && match.from === undefined) {
    add({
      code: 'config_missing_key',
      path: [...path, 'match'],
      message: 'Nothing says by what the device is known.',
      mend: 'Add `imei:`, `appid:` or `from:` below `match:`.',
    });
  }
  if (given.session === 'none') {
    add({
      code: 'config_unsupported',
      path: [...path, 'session'],
      message:
        'A device that dials in is known by its register; `session: none` is for devices that are dialled.',
      mend: 'Remove `session: none`, or dial the device: `link:` instead of `match:`.',
    });
    return undefined;
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
  const maxFrame = given.max_frame ?? defaults.max_frame ?? STREAM_MAX_FRAME;
  return { kind: 'matched', id: given.id, match: complete, maxFrame, session, ...recordOf(given, defaults) };
}

type Session = Pick<SessionSettings, 'device' | 'role' | 'transport'>;
const deviceOf = (given: DeviceShape) => ({ device: given.id });

/** Fills in what a listener leaves out; undefined where it cannot be run, which has then been added. */
export function completeListener(
  given: ListenerShape,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
): ListenerConfig | undefined {
  const link = parseListenAddress(given.link);
  const place: Session = { device: '', role: 'server', transport: 'tcp' };
  // Whoever dials in is known by its register.
  const session = completeSession(given, { ...defaults, session: 'standard' }, place, path, add);
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
    maxFrame: given.max_frame ?? defaults.max_frame ?? STREAM_MAX_FRAME,
    session,
    ...recordOf(given, defaults),
  };
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
