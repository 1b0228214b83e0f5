import { isDeepStrictEqual } from 'node:util';
import { addressLabel } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { configName, type Effect, effectOf, type Keys } from './keys.ts';
import type { BridgeConfig, BusConfig, DeviceConfig, ListenerConfig } from './model.ts';
import { SERVER } from './server.ts';
import { fileShape } from './shape.ts';
import { BLACK_BOX, HISTORY } from './storage.ts';

export interface Change<T> {
  readonly from: T;
  readonly to: T;
}

export interface ListenerChange extends Change<ListenerConfig> {
  /** Devices that it accepted start again, because they are spoken to, or recorded, in another way. */
  readonly restarts: boolean;
}

/** What is different between two lists, by the names of their members. */
export interface ListDiff<T, C = Change<T>> {
  readonly added: readonly T[];
  readonly changed: readonly C[];
  readonly removed: readonly T[];
  /** As they are in the second list. */
  readonly unchanged: readonly T[];
}

/** What is different between what runs and what shall run. */
export interface ConfigDiff {
  readonly devices: ListDiff<DeviceConfig>;
  readonly buses: ListDiff<BusConfig>;
  readonly listeners: ListDiff<ListenerConfig, ListenerChange>;
  /** Other keys that take effect at once, as they are written: `server.origins`. */
  readonly settings: readonly string[];
  /** Keys that take effect when the process is started again. */
  readonly needsRestart: readonly string[];
}

/** Keys that are compared key by key, or with the devices and listeners that they concern. */
const PARTS: ReadonlySet<string> = new Set([
  'server',
  'history',
  'black_box',
  'defaults',
  'messages',
  'devices',
  'listeners',
  'buses',
]);

/** The groups that are compared key by key, by their names in the configuration. */
type Group = 'server' | 'history' | 'blackBox';

/** What a reload looks at one by one: each key of the file, and of some groups each of theirs. */
export const SETTINGS: readonly Setting[] = [
  ...settingsIn(fileShape.shape).filter(({ key }) => !PARTS.has(key)),
  { key: 'history', name: 'history', group: undefined, presence: true, effect: undefined },
  // The database lies in it.
  ...settingsIn(HISTORY, ['history'], 'history').map((each) =>
    each.name === 'dir' ? { ...each, name: 'file' } : each,
  ),
  ...settingsIn(BLACK_BOX, ['black_box'], 'blackBox').map((each) =>
    each.name === 'keep' ? { ...each, name: 'blackBox', group: undefined, presence: true } : each,
  ),
  ...settingsIn(SERVER, ['server'], 'server'),
];

export interface Setting {
  /** As it is written: `server.origins`. */
  readonly key: string;
  /** Its name in the configuration, or in its group. */
  readonly name: string;
  readonly group: Group | undefined;
  /** Only whether it is there is looked at. */
  readonly presence: boolean;
  /** Undefined: after a restart. */
  readonly effect: Effect | undefined;
}

function settingsIn(keys: Keys, above: readonly string[] = [], group?: Group): Setting[] {
  return Object.entries(keys).map(([key, type]) => ({
    key: [...above, key].join('.'),
    name: configName(key, type),
    group,
    presence: false,
    effect: effectOf(type),
  }));
}

/** Compares by value: the order of devices and the text of the file do not matter, what a device speaks does. */
export function diffConfig(from: BridgeConfig, to: BridgeConfig): ConfigDiff {
  const steps = diffSteps(from, to);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same; may be interrupted wherever it yields. */
export function* diffSteps(from: BridgeConfig, to: BridgeConfig): Generator<undefined, ConfigDiff> {
  const same = comparing();
  const different = SETTINGS.filter((setting) => isDifferent(setting, from, to));
  const listeners = yield* diffList(
    listenersByAddress(from.listeners),
    listenersByAddress(to.listeners),
    same,
  );
  return {
    buses: yield* diffList(busesById(from), busesById(to), isDeepStrictEqual),
    devices: yield* diffList(devicesById(from.devices), devicesById(to.devices), same),
    listeners: {
      ...listeners,
      changed: listeners.changed.map((each) => ({ ...each, restarts: !sameLife(each) })),
    },
    settings: keysOf(different.filter(({ effect }) => effect !== undefined)),
    needsRestart: keysOf(different.filter(({ effect }) => effect === undefined)),
  };
}

const keysOf = (settings: readonly Setting[]): string[] => settings.map(({ key }) => key).sort();

/** The part of a configuration in which a setting stands; undefined where that is left out, or switched off. */
const partOf = (config: BridgeConfig, { group }: Setting): object | undefined =>
  group === undefined ? config : config[group];

function isDifferent(setting: Setting, from: BridgeConfig, to: BridgeConfig): boolean {
  const [before, after] = [partOf(from, setting), partOf(to, setting)];
  // That a whole group came or went is a setting of its own.
  if (before === undefined || after === undefined) return false;
  const [was, is]: unknown[] = [Reflect.get(before, setting.name), Reflect.get(after, setting.name)];
  return setting.presence ? (was === undefined) !== (is === undefined) : !isDeepStrictEqual(was, is);
}

/** What runs once the differences are applied: all that is new, but for what needs a restart. */
export function afterReload(running: BridgeConfig, next: BridgeConfig): BridgeConfig {
  const { history, blackBox, server } = next;
  const after: BridgeConfig = {
    ...next,
    server: { ...server },
    ...(history && { history: { ...history } }),
    ...(blackBox && { blackBox: { ...blackBox } }),
  };
  for (const setting of SETTINGS.filter(({ effect }) => effect === undefined)) {
    const [before, part] = [partOf(running, setting), partOf(after, setting)];
    if (before === undefined || part === undefined || !isDifferent(setting, running, next)) continue;
    const value: unknown = Reflect.get(before, setting.name);
    if (value === undefined) Reflect.deleteProperty(part, setting.name);
    else Reflect.set(part, setting.name, value);
  }
  return after;
}

function* diffList<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  equal: (a: T, b: T) => boolean,
): Generator<undefined, ListDiff<T>> {
  const added: T[] = [];
  const changed: Change<T>[] = [];
  const unchanged: T[] = [];
  for (const [name, each] of after) {
    yield;
    const other = before.get(name);
    if (other === undefined) added.push(each);
    else if (equal(other, each)) unchanged.push(each);
    else changed.push({ from: other, to: each });
  }
  const removed = [...before].filter(([name]) => !after.has(name)).map(([, each]) => each);
  return { added, changed, removed, unchanged };
}

const devicesById = (list: readonly DeviceConfig[]): ReadonlyMap<string, DeviceConfig> =>
  new Map(list.map((device) => [device.id, device]));

const busesById = ({ buses = [] }: BridgeConfig): ReadonlyMap<string, BusConfig> =>
  new Map(buses.map((bus) => [bus.id, bus]));

/** Listeners have no names: each is known by its address, and those at port 0 by their order too. */
export function listenersByAddress(list: readonly ListenerConfig[]): ReadonlyMap<string, ListenerConfig> {
  const found = new Map<string, ListenerConfig>();
  for (const listener of list) {
    const address = addressLabel(listener.link);
    let name = address;
    for (let turn = 2; found.has(name); turn++) name = `${address} ${turn}`;
    found.set(name, listener);
  }
  return found;
}

/** What was compiled cannot be compared; what it was compiled from can. */
const declared = (messages: DeclaredProtocol | undefined) => messages?.declaration;

/** Compares entries by value; many speak the same messages, and those are compared once. */
function comparing(): (a: DeviceConfig | ListenerConfig, b: DeviceConfig | ListenerConfig) => boolean {
  const known = new Map<unknown, Map<unknown, boolean>>();
  const sameSpeech = (a: unknown, b: unknown): boolean => {
    const before = known.get(a) ?? new Map<unknown, boolean>();
    known.set(a, before);
    const equal = before.get(b) ?? isDeepStrictEqual(a, b);
    before.set(b, equal);
    return equal;
  };
  return (a, b) => {
    const { messages: spoken, ...plain } = { messages: undefined, ...a };
    const { messages: speaks, ...others } = { messages: undefined, ...b };
    return sameSpeech(declared(spoken), declared(speaks)) && isDeepStrictEqual(plain, others);
  };
}

/** Whether devices that a listener accepted lead the same life as before. */
function sameLife({ from, to }: Change<ListenerConfig>): boolean {
  const life = ({ session, maxFrame, line, gapMs, messages, record }: ListenerConfig) => ({
    session,
    maxFrame,
    line,
    gapMs,
    messages: declared(messages),
    record,
  });
  return isDeepStrictEqual(life(from), life(to));
}
