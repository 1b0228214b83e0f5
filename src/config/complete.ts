import { DEFAULT_SERIAL_SETTINGS, parseBaud, type SerialSettings } from '../links/serial-address.ts';
import { addressLabel, type LinkAddress, parseLinkAddress } from '../links/transports.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { completeMatched } from './complete-matched.ts';
import { completeSession } from './complete-session.ts';
import { durationMs } from './duration.ts';
import { keysGiven } from './keys-given.ts';
import { maxFrameOf } from './max-frame.ts';
import { checkMessagesFit } from './message-files.ts';
import type { DeviceConfig } from './model.ts';
import type { Finding, Path } from './problem.ts';
import { recordOf } from './record-of.ts';
import { type DefaultsShape, type DeviceShape, LINE_KEYS } from './shape.ts';
import type { TraceRoles } from './trace-roles.ts';

type Add = (finding: Finding) => void;

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
      fix: 'Make two devices of it.',
    });
    break;
  }
  const line = given.line ?? defaults.line ?? (transport === 'serial' ? 'serial' : 'stream');
  if (first !== undefined && transport === 'tcp') warnOfLineKeys(given, line, path, add);
  const role = (first?.scheme === 'replay' ? roles.get(first.path) : undefined) ?? 'client';
  const session = completeSession(given, defaults, { device: given.id, role, transport }, path, add);
  if (session !== undefined) checkMessagesFit(session, messages, path, add);
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

function warnOfLineKeys(given: DeviceShape, line: 'stream' | 'serial', path: Path, add: Add): void {
  for (const key of keysGiven(given, LINE_KEYS)) {
    if (key === 'line' || (key === 'gap' && line === 'serial')) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on a TCP link.`,
      fix: key === 'gap' ? 'Remove it, or add `line: serial` for a serial server.' : 'Remove it.',
    });
  }
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
