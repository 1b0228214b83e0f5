import { isDeepStrictEqual } from 'node:util';
import { addressLabel } from '../links/transports.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import type { BridgeConfig, DeviceConfig, ListenerConfig } from './model.ts';

export interface Change<T> {
  readonly from: T;
  readonly to: T;
}

export interface ListenerChange extends Change<ListenerConfig> {
  /** Devices that it accepted begin anew, because they are spoken to, or recorded, in another way. */
  readonly anew: boolean;
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
  readonly listeners: ListDiff<ListenerConfig, ListenerChange>;
  /** Other keys that take effect at once, as they are written: `server.origins`. */
  readonly settings: readonly string[];
  /** Keys that take effect when the process is started anew. */
  readonly needsRestart: readonly string[];
}

/** Keys beside devices and listeners that take effect while the bridge runs; every other one needs a restart. */
const AT_ONCE: ReadonlySet<string> = new Set([
  'server.origins',
  'server.hosts',
  'server.trusted_proxies',
  'server.max_connections_per_address',
  'server.max_connects_per_second',
  'server.max_requests_per_second',
  'server.max_message_bytes',
  'server.max_messages_per_second',
  'server.max_patterns',
  'server.auth_timeout',
  'server.flush_window',
  'access',
  'secrecy',
  'log',
]);
/** What is compared with the devices and listeners that it concerns, or says nothing of how they are run. */
const PARTS: ReadonlySet<string> = new Set([
  'file',
  'messages',
  'devices',
  'listeners',
  'server',
  'requiredDevices',
]);

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
  const ofServer = differentKeys(from.server, to.server).map((key) => `server.${asWritten(key)}`);
  const others = differentKeys(from, to, PARTS);
  const different = [...new Set([...ofServer, ...others.map(asWritten)])].sort();
  const listeners = yield* diffList(
    listenersByAddress(from.listeners),
    listenersByAddress(to.listeners),
    same,
  );
  return {
    devices: yield* diffList(devicesById(from.devices), devicesById(to.devices), same),
    listeners: {
      ...listeners,
      changed: listeners.changed.map((each) => ({ ...each, anew: !sameLife(each) })),
    },
    settings: different.filter((key) => AT_ONCE.has(key)),
    needsRestart: different.filter((key) => !AT_ONCE.has(key)),
  };
}

/** What runs once the differences are applied: all that is new, but for what needs a restart. */
export function afterReload(running: BridgeConfig, next: BridgeConfig): BridgeConfig {
  const { host, port, tls, tcp } = running.server;
  const { tls: _tls, tcp: _tcp, ...live } = next.server;
  const { secrecy: _secrecy, access: _access, log: _log, ...kept } = running;
  return {
    ...kept,
    ...(next.access === undefined ? {} : { access: next.access }),
    ...(next.secrecy === undefined ? {} : { secrecy: next.secrecy }),
    ...(next.log === undefined ? {} : { log: next.log }),
    file: next.file,
    server: {
      ...live,
      host,
      port,
      ...(tls === undefined ? {} : { tls }),
      ...(tcp === undefined ? {} : { tcp }),
    },
    devices: next.devices,
    listeners: next.listeners,
    ...(next.requiredDevices === undefined ? {} : { requiredDevices: next.requiredDevices }),
  };
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

function differentKeys(from: object, to: object, but: ReadonlySet<string> = new Set()): string[] {
  const before = new Map<string, unknown>(Object.entries(from));
  const after = new Map<string, unknown>(Object.entries(to));
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys.filter((key) => !but.has(key) && !isDeepStrictEqual(before.get(key), after.get(key)));
}

/** `authTimeoutMs` as it stands in the file, where the value carries the unit: `auth_timeout`. */
const asWritten = (key: string): string =>
  key.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
