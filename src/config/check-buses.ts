import { isDeepStrictEqual } from 'node:util';
import type { Placed } from './check-together.ts';
import type { BusConfig, BusDeviceConfig, DeviceConfig } from './model.ts';
import { type Finding, formatPath } from './problem.ts';

type Add = (finding: Finding) => void;
type Member = Placed<BusDeviceConfig>;

/** What is wrong, or doubtful, with buses beside each other and with the devices on them. */
export function checkBuses(
  buses: readonly Placed<BusConfig>[],
  written: readonly unknown[],
  devices: readonly Placed<DeviceConfig>[],
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
    checkMembers(members, add);
  }
}

/** A bus with the framing that its devices have. */
export function withFraming(bus: BusConfig, devices: readonly DeviceConfig[]): BusConfig {
  const first = devices.find((device) => device.kind === 'bus' && device.bus === bus.id);
  const framing = first?.messages?.declaration.framing;
  return framing === undefined ? bus : { ...bus, framing };
}

const isOn = (device: unknown, bus: string): boolean =>
  typeof device === 'object' && device !== null && 'bus' in device && device.bus === bus;

const isMember = (each: Placed<DeviceConfig>): each is Member => each.value.kind === 'bus';

function checkMembers(members: readonly Member[], add: Add): void {
  const byAddress = new Map<number, Member>();
  const [first] = members;
  for (const each of members) {
    const { path, value } = each;
    const other = byAddress.get(value.address);
    if (other !== undefined) {
      add({
        code: 'config_duplicate_id',
        path: [...path, 'address'],
        message: `The device "${other.value.id}" has this address on the bus too: both would answer at once.`,
        fix: 'Give each device of a bus an address of its own.',
      });
    }
    byAddress.set(value.address, each);
    if (first === undefined || sameFrames(first.value, value)) continue;
    add({
      code: 'config_conflict',
      path: [...path, 'messages'],
      unless: [[...path, 'messages']],
      message: `The device "${first.value.id}" on this bus has other frames, or its address at another place.`,
      fix: 'Put devices with other frames on a bus of their own.',
    });
  }
}

/** Both have the same framing, and the address at the same place. */
function sameFrames({ messages: one }: BusDeviceConfig, { messages: other }: BusDeviceConfig): boolean {
  return isDeepStrictEqual(framesOf(one), framesOf(other));
}

function framesOf({ declaration: { framing, address } }: BusDeviceConfig['messages']) {
  const { value: _, ...place } = { value: undefined, ...address };
  return [framing, place];
}
