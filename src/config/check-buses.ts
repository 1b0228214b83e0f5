import { isDeepStrictEqual } from 'node:util';
import type { DeclaredProtocol, FramingDeclaration } from '../protocol/index.ts';
import type { Placed } from './check-together.ts';
import type { BusConfig, BusDeviceConfig, DeviceConfig, ListenerConfig } from './model.ts';
import { type Finding, formatPath, type Path } from './problem.ts';

type Add = (finding: Finding) => void;
type Member = Placed<BusDeviceConfig>;

/** What is wrong, or doubtful, with buses beside each other and with the devices on them. */
export function checkBuses(
  buses: readonly Placed<BusConfig>[],
  written: readonly unknown[],
  devices: readonly Placed<DeviceConfig>[],
  listeners: readonly Placed<ListenerConfig>[],
  add: Add,
): void {
  const ids = new Map(devices.map(({ path, value }) => [value.id, formatPath(path)]));
  for (const { path, value } of buses) {
    const other = ids.get(value.id);
    if (other !== undefined) {
      add({
        code: 'config_duplicate_id',
        path: [...path, 'id'],
        message: `${other} has the same id.`,
        fix: 'Give each bus an id of its own, which no device has.',
      });
    } else if (!written.some((device) => isOn(device, value.id))) {
      add({
        severity: 'warning',
        code: 'config_no_effect',
        path: [...path, 'id'],
        message: 'No device is on this bus.',
        fix: `Add \`bus: ${value.id}\` and \`address:\` to a device, or remove the bus.`,
      });
    }
    ids.set(value.id, formatPath(path));
    const members = devices.filter((each): each is Member => isMember(each) && each.value.bus === value.id);
    checkMembers(value, members, add);
    const { framings = [] } = withFramings(
      value,
      members.map((each) => each.value),
    );
    if (value.match?.identity !== undefined) checkRegistration(framings, listeners, path, add);
  }
}

/** A bus with the framings that its devices have. */
export function withFramings(bus: BusConfig, devices: readonly DeviceConfig[]): BusConfig {
  const framings: FramingDeclaration[] = [];
  for (const device of devices) {
    if (device.kind !== 'bus' || device.bus !== bus.id) continue;
    const { framing } = device.messages.declaration;
    if (!framings.some((each) => isDeepStrictEqual(each, framing))) framings.push(framing);
  }
  return framings.length === 0 ? bus : { ...bus, framings };
}

/** The listener of a DTU reads its registration, and frames as the devices behind it have them. */
function checkRegistration(
  framings: readonly FramingDeclaration[],
  listeners: readonly Placed<ListenerConfig>[],
  path: Path,
  add: Add,
): void {
  const logins = listeners.filter(({ value }) => value.session.login === true);
  const alike = logins.some(({ value: { messages } }) =>
    framings.some((framing) => isDeepStrictEqual(framing, messages?.declaration.framing)),
  );
  if (logins.length > 0 && (alike || framings.length === 0)) return;
  add({
    severity: 'warning',
    code: 'config_no_effect',
    path: [...path, 'match', 'identity'],
    atKey: true,
    message:
      logins.length === 0
        ? 'No listener reads how a DTU registers, so none is this bus.'
        : 'The listener at which it registers has messages with another framing than the devices on this bus.',
    fix: 'Give a listener `messages:` with `protocol.registration` and the framing of these devices.',
  });
}

const isOn = (device: unknown, bus: string): boolean =>
  typeof device === 'object' && device !== null && 'bus' in device && device.bus === bus;

const isMember = (each: Placed<DeviceConfig>): each is Member => each.value.kind === 'bus';

function checkMembers({ session }: BusConfig, members: readonly Member[], add: Add): void {
  const [first] = members;
  const mixed = members.some((each) => first !== undefined && !alike(first, each));
  for (const [index, each] of members.entries()) {
    const { path, value } = each;
    const earlier = members.slice(0, index);
    const rival = earlier.find((other) => other.value.address === value.address && samePlace(other, each));
    if (rival !== undefined) {
      add({
        code: 'config_duplicate_id',
        path: [...path, 'address'],
        message: `The device "${rival.value.id}" has this address on the bus too: both would answer at once.`,
        fix: 'Give each device of a bus an address of its own.',
      });
    }
    if (!mixed || earlier.some((other) => alike(other, each))) continue;
    const why = cannotShare(each, session.port?.passive === true, first === each);
    if (why !== undefined)
      add({ code: 'config_conflict', path: [...path, 'messages'], unless: [[...path, 'messages']], ...why });
  }
}

const alike = (one: Member, other: Member): boolean => sameFrames(one.value.messages, other.value.messages);

/** What one says could be read as what the other says, whatever surrounds it. */
function samePlace({ value: { messages } }: Member, { value: other }: Member): boolean {
  return isDeepStrictEqual(framesOf(messages)[1], framesOf(other.messages)[1]);
}

/** Why a device cannot share a line with devices that have other frames; undefined where it can. */
function cannotShare(
  { value: { id, messages } }: Member,
  passive: boolean,
  first: boolean,
): Pick<Finding, 'message' | 'fix'> | undefined {
  const { framing } = messages.declaration;
  if (passive) {
    if (first) return undefined;
    return {
      message: `"${id}" has other frames (\`${framing.type}\`) than devices in front of it, or its address at another place; on a passive bus nothing shows which of them speaks.`,
      fix: 'Remove `passive: true`, so that the bridge asks, or listen to devices of one kind only.',
    };
  }
  if (isProven(messages)) return undefined;
  return {
    message: `The devices of this bus have different frames, and nothing proves those of "${id}" (\`${framing.type}\` without a checksum): a late frame of another device could be taken for one.`,
    fix: 'Declare the checksum of its frames (`checksum:` of the framing, or a field `type: crc` in every message), or put it on a bus of its own.',
  };
}

/** Whether every frame has a checksum. */
function isProven({ declaration: { framing, messages } }: DeclaredProtocol): boolean {
  const kinds: readonly FramingDeclaration[] =
    framing.type === 'several' ? framing.kinds.map((each) => each.framing) : [framing];
  const sealed = kinds.every((each) => 'checksum' in each && each.checksum !== undefined);
  const single = messages.filter(({ assemble }) => assemble === undefined);
  return sealed || single.every(({ fields = [] }) => fields.some(({ type }) => type === 'crc'));
}

/** Both have the same framing, and the address at the same place. */
export function sameFrames(one: DeclaredProtocol, other: DeclaredProtocol): boolean {
  return isDeepStrictEqual(framesOf(one), framesOf(other));
}

function framesOf({ declaration: { framing, address } }: DeclaredProtocol) {
  const { value: _, ...place } = { value: undefined, ...address };
  return [framing, place];
}
