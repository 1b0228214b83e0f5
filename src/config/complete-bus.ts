import { addressLabel, type ExposeAddress, type LinkAddress, parseLinkAddress } from '../links/index.ts';
import { type DeclaredProtocol, parseAddress } from '../protocol/index.ts';
import { maxFrameOf, namesOf, recordOf, serialSettings } from './complete-device.ts';
import { type Add, completeSession } from './complete-session.ts';
import { completeExpose } from './expose.ts';
import { resolveKeys } from './keys.ts';
import { checkMessagesFit } from './message-files.ts';
import type { BusConfig, BusDeviceConfig, MatchConfig } from './model.ts';
import type { Path } from './problem.ts';
import { BUS_TIMES, type BusShape, type DefaultsShape, type DeviceShape } from './shape.ts';

/** Fills in what a bus leaves out; undefined where it cannot be run, which has then been added. */
export function completeBus(
  given: BusShape,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
): BusConfig | undefined {
  const { link, match } = given;
  if ((link === undefined) === (match === undefined)) {
    add({
      code: link === undefined ? 'config_missing_key' : 'config_conflict',
      path: [...path, link === undefined ? 'link' : 'match'],
      unless: [
        [...path, 'link'],
        [...path, 'match'],
      ],
      atKey: true,
      message:
        link === undefined
          ? 'Nothing says where the line of the bus is.'
          : 'A bus is either dialled (`link`) or dials in (`match`).',
      fix:
        link === undefined
          ? 'Add `link:`, for example /dev/ttyUSB0 or tcp:10.0.0.7:4001, or `match: { from: 10.0.0.7 }` or `match: { identity: "0007" }` for a DTU that dials in.'
          : 'Remove one of the two.',
    });
    return undefined;
  }
  const both = { ...defaults, ...given };
  const settings = serialSettings(both);
  const links = (link ?? []).flatMap((text): LinkAddress[] => {
    const parsed = parseLinkAddress(text, settings);
    return parsed.ok ? [parsed.value] : [];
  });
  if (link !== undefined && links.length !== link.length) return undefined;
  if (match !== undefined && !isKnownBy(match, path, add)) return undefined;
  const transport = links[0]?.scheme ?? 'tcp';
  const { turnaroundMs, timeoutMs } = resolveKeys(BUS_TIMES, given);
  const { reconnect, connect_timeout } = given;
  const session = completeSession(
    { session: 'none', silence: false, reconnect, connect_timeout, request_timeout: undefined },
    { ...defaults, register: undefined, poll: undefined, presence: undefined },
    { device: given.id, role: match === undefined ? 'client' : 'server', transport },
    path,
    add,
  );
  if (session === undefined) return undefined;
  const expose = completeExpose(given.expose, path, add);
  checkBusExpose(given, expose, path, add);
  const passive = given.passive === true ? { passive: true as const } : {};
  const gap = given.gap ?? defaults.gap;
  return {
    id: given.id,
    links,
    ...(match === undefined ? {} : { match: matchOf(match) }),
    // Behind a serial server, or a DTU, is a serial line all the same.
    line: given.line ?? 'serial',
    ...(gap === undefined ? {} : { gapMs: gap }),
    maxFrame: maxFrameOf(given, defaults, 'serial', undefined),
    timeoutMs,
    ...(expose.length === 0 ? {} : { expose }),
    session: {
      ...session,
      addresses: links.map(addressLabel),
      ...(match?.identity === undefined ? {} : { login: true as const }),
      port: { turnaroundMs, ...passive },
    },
    ...recordOf(given, defaults),
  };
}

const matchOf = ({ from, identity }: NonNullable<BusShape['match']>): MatchConfig => ({
  ...(from === undefined ? {} : { from }),
  ...(identity === undefined ? {} : { identity }),
});

/** Whether a DTU can be known so: by its address, or by the text with which it registers. */
function isKnownBy(
  { from, identity, ...others }: NonNullable<BusShape['match']>,
  path: Path,
  add: Add,
): boolean {
  const [wrong] = (['imei', 'appid'] as const).filter((key) => others[key] !== undefined);
  if (wrong === undefined && (from ?? identity) !== undefined) return true;
  add({
    code: 'config_conflict',
    path: [...path, 'match', ...(wrong === undefined ? [] : [wrong])],
    message: 'The DTU of a bus is known by its address, or by the text with which it registers.',
    fix: 'Write `match: { from: 10.0.0.7 }`, or `match: { identity: "0007" }` with what its registration says.',
  });
  return false;
}

function checkBusExpose({ passive }: BusShape, expose: readonly ExposeAddress[], path: Path, add: Add): void {
  const writes = expose.findIndex(({ readOnly }) => !readOnly);
  if (passive === true && writes >= 0) {
    add({
      code: 'config_conflict',
      path: [...path, 'expose', writes],
      message: 'Nothing is sent on a passive bus, and programs here could.',
      fix: 'Add `read_only: true`.',
    });
  }
}

/** Fills in what a device on a bus leaves out. `bus`: undefined where it is wrong by itself. */
export function completeBusDevice(
  given: DeviceShape & { readonly bus: string },
  bus: BusConfig | undefined,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages?: DeclaredProtocol,
): BusDeviceConfig | undefined {
  for (const key of [
    'link',
    'match',
    'baud',
    'line',
    'reconnect',
    'connect_timeout',
    'turnaround',
    'gap',
    'expose',
  ] as const) {
    if (given[key] === undefined) continue;
    const conflict = key === 'link' || key === 'match';
    add({
      ...(conflict ? {} : { severity: 'warning' as const }),
      code: conflict ? 'config_conflict' : 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: conflict
        ? `The device is on the bus ${given.bus}, which has the link.`
        : `\`${key}\` has no effect on a device on a bus: the bus has it.`,
      fix: conflict ? `Remove \`${key}:\`, or \`bus:\`.` : 'Write it with the bus.',
    });
    if (conflict) return undefined;
  }
  if (given.session === 'standard') {
    add({
      code: 'config_conflict',
      path: [...path, 'session'],
      message: 'A device on a bus answers only; it neither registers nor sends heartbeats.',
      fix: 'Remove `session:`.',
    });
    return undefined;
  }
  if (given.record !== undefined) {
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, 'record'],
      atKey: true,
      message: 'A bus has one trace, of all its devices.',
      fix: 'Write `record: true` with the bus.',
    });
  }
  const own = addressedMessages(given, path, add, messages);
  if (own === undefined || bus === undefined) return undefined;
  const passive = bus.session.port?.passive;
  const polled = (given.poll ?? []).length > 0;
  const session = completeSession(
    {
      ...given,
      session: 'none',
      // Both are in ms.
      request_timeout: given.request_timeout ?? (bus.timeoutMs as DeviceShape['request_timeout'] & number),
      // What is not asked cannot be missed.
      silence: given.silence ?? (polled || passive === true ? undefined : false),
    },
    { ...defaults, register: undefined, poll: undefined, silence: undefined, presence: undefined },
    { device: given.id, role: 'client', transport: bus.session.transport },
    path,
    add,
  );
  if (session === undefined) return undefined;
  checkMessagesFit(session, own.messages, path, add);
  const { transport, addresses } = bus.session;
  return {
    kind: 'bus',
    id: given.id,
    bus: bus.id,
    address: own.address,
    maxFrame: bus.maxFrame,
    messages: own.messages,
    session: {
      ...session,
      ...namesOf(given),
      transport,
      // It is opened, by the bus, wherever that is.
      addresses: [addresses[0] ?? bus.id],
      bus: { id: bus.id, ...(passive === true ? { passive } : {}) },
    },
  };
}

export function addIdleAddress(path: Path, add: Add): void {
  add({
    severity: 'warning',
    code: 'config_no_effect',
    path: [...path, 'address'],
    atKey: true,
    message: '`address` has no effect: no message of the device carries one.',
    fix: 'Remove it, or add `address: { type: u8, at: 0 }` to `protocol:` in its messages.',
  });
}

/** The messages of a device as they go to its address. */
export function addressedMessages(
  given: DeviceShape,
  path: Path,
  add: Add,
  messages: DeclaredProtocol | undefined,
): { readonly address: number; readonly messages: DeclaredProtocol } | undefined {
  const place = messages?.declaration.address;
  if (messages === undefined || place === undefined) {
    add({
      code: messages === undefined ? 'config_missing_key' : 'config_conflict',
      path: [...path, 'messages'],
      unless: [[...path, 'messages'], ['messages']],
      message:
        messages === undefined
          ? 'Nothing says what the device speaks.'
          : 'Nothing in these messages says to which device of the bus they go.',
      fix:
        messages === undefined
          ? 'Add `messages:` with a file of declared messages.'
          : 'Add `address: { type: u8, at: 0 }` to `protocol:` in that file, and take the field away that carries it now.',
    });
    return undefined;
  }
  if (given.address === undefined) {
    add({
      code: 'config_missing_key',
      path: [...path, 'address'],
      message: 'The device has no address.',
      fix: 'Add `address:`, for example `address: 1`.',
    });
    return undefined;
  }
  const address = parseAddress(given.address, place, messages.declaration.byteOrder);
  if (address === undefined || address === place.broadcast) {
    add({
      code: 'config_bad_value',
      path: [...path, 'address'],
      message:
        address === undefined
          ? `No frame can carry this address: it is \`${place.type}\`${place.length === undefined ? '' : ` of ${place.length} bytes`}.`
          : 'All devices hear this address, and none answers.',
      fix: 'Write the address that the device has.',
    });
    return undefined;
  }
  return { address, messages: messages.at(address) };
}
