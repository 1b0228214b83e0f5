import type { SessionSettings } from '../contract/settings.ts';
import { completeBare, DEFAULT_REQUEST_TIMEOUT, isBare } from './complete-bare.ts';
import { durationMs } from './duration.ts';
import { checkIdentity } from './identity.ts';
import type { Finding, Path } from './problem.ts';
import type { DefaultsShape, DeviceShape, ListenerShape } from './shape.ts';

type Place = Pick<SessionSettings, 'device' | 'role' | 'transport'>;
type Add = (finding: Finding) => void;

/**
 * How a peer is kept alive: what it says itself, then `defaults`, then what is built in, key by key. `place` carries
 * the role that it has unless one is given. Undefined where something is missing, which has then been added.
 */
export function completeSession(
  given: Partial<DeviceShape> | ListenerShape,
  defaults: DefaultsShape,
  place: Place,
  path: Path,
  add: Add,
): SessionSettings | undefined {
  const role = given.role ?? defaults.role ?? place.role;
  const identity = given.identity ?? defaults.identity ?? 'standard';
  const heartbeat = { ...defaults.heartbeat, ...given.heartbeat };
  const reconnect = { ...defaults.reconnect, ...('reconnect' in given ? given.reconnect : {}) };
  const connectTimeout =
    ('connect_timeout' in given ? given.connect_timeout : undefined) ?? defaults.connect_timeout;
  const asked = mergeSwitched(defaults.clock, given.clock);
  const asks = role === 'client' && !isBare(given, defaults);
  const clock = asked === undefined && asks ? {} : (asked ?? undefined);
  const presence = mergeSwitched(defaults.presence, given.presence);
  const timeZone = clock?.time_zone;

  const register = { ...defaults.register, ...given.register };
  const { appid, imei } = register;
  const bare = completeBare(given, defaults, path, add);
  const registers = role === 'client' && bare === undefined;
  if (registers) {
    const stated = given.register !== undefined || defaults.register !== undefined;
    if (appid === undefined || imei === undefined)
      addMissingRegister(stated ? register : undefined, path, add);
    checkIdentity(given.register ?? {}, identity, [...path, 'register'], add);
    checkIdentity(inherited(defaults.register, given.register), identity, ['defaults', 'register'], add);
  } else if (given.register !== undefined) addIdleRegister(bare !== undefined, path, add);
  const initialMs = durationMs(reconnect.initial ?? '1s');
  const maxMs =
    reconnect.max === undefined ? Math.max(durationMs('30s'), initialMs) : durationMs(reconnect.max);
  if (maxMs < initialMs) {
    add({
      code: 'config_conflict',
      path: 'reconnect' in given ? [...path, 'reconnect'] : ['defaults', 'reconnect'],
      message: `The longest pause (${reconnect.max}) is shorter than the first (${reconnect.initial ?? '1s'}).`,
      fix: 'Make `max` at least `initial`.',
    });
    return undefined;
  }
  if (registers && (appid === undefined || imei === undefined)) return undefined;
  return {
    device: place.device,
    role,
    transport: place.transport,
    addresses: [],
    ...(bare === undefined ? {} : { bare }),
    ...(registers && appid !== undefined && imei !== undefined ? { register: { appid, imei } } : {}),
    identity,
    heartbeat: {
      intervalMs: durationMs(heartbeat.interval ?? '3s'),
      missed: heartbeat.missed ?? 3,
      from: heartbeat.from ?? 'client',
    },
    ...(clock === undefined
      ? {}
      : {
          clock: {
            everyMs: durationMs(clock.every ?? '60s'),
            ...(timeZone === undefined ? {} : { timeZone }),
          },
        }),
    reconnect: {
      initialMs,
      maxMs,
      multiplier: reconnect.multiplier ?? 2,
      jitter: reconnect.jitter ?? 'full',
    },
    ...(presence?.every === undefined ? {} : { presence: { everyMs: durationMs(presence.every) } }),
    connectTimeoutMs: durationMs(connectTimeout ?? '10s'),
    requestTimeoutMs: durationMs(
      given.request_timeout ?? defaults.request_timeout ?? DEFAULT_REQUEST_TIMEOUT,
    ),
  };
}

function addIdleRegister(bare: boolean, path: Path, add: Add): void {
  add({
    severity: 'warning',
    code: 'config_no_effect',
    path: [...path, 'register'],
    atKey: true,
    message: bare
      ? '`register` has no effect with `session: none`.'
      : '`register` has no effect in the server role, where the peer registers with us.',
    fix: bare ? 'Remove it.' : 'Remove it, or add `role: client`.',
  });
}

/** Merges what may also be switched off: `false` on the device beats keys of `defaults`, and the other way round. */
function mergeSwitched<T extends object>(
  base: false | T | undefined,
  own: false | T | undefined,
): Partial<T> | undefined | null {
  if (own === false) return null;
  if (own === undefined) return base === false ? null : base;
  return base === false ? own : { ...base, ...own };
}

type Register = NonNullable<DefaultsShape['register']>;

/** What a device takes over from `defaults`, so that it is complained about where it stands. */
function inherited(base: Register = {}, own: Register = {}): Register {
  return {
    ...(own.appid === undefined ? { appid: base.appid } : {}),
    ...(own.imei === undefined ? { imei: base.imei } : {}),
  };
}

function addMissingRegister(
  register: Register | undefined,
  path: Path,
  add: (finding: Finding) => void,
): void {
  const unless = [[...path, 'role']];
  if (register === undefined) {
    add({
      code: 'config_not_registered',
      path: [...path, 'register'],
      unless,
      message: 'In the client role we register with the device, and `register` is missing.',
      fix: 'Add `register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" }` with the values that the device expects, or `role: server` where it registers with us.',
    });
    return;
  }
  for (const key of ['appid', 'imei'] as const) {
    if (register[key] !== undefined) continue;
    add({
      code: 'config_not_registered',
      path: [...path, 'register', key],
      unless,
      message: `In the client role we register with the device, and \`${key}\` is missing.`,
      fix: `Add \`${key}:\` below \`register:\`.`,
    });
  }
}
