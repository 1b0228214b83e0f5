import type { Values } from '../contract/index.ts';
import { type DeclaredProtocol, IDENTITY_LENGTHS, type IdentityRule, luhnValid } from '../protocol/index.ts';
import { formatDuration } from './duration.ts';
import { configOf, resolveKeys } from './keys.ts';
import type { Finding, Path } from './problem.ts';
import { BARE, CLOCK, HEARTBEAT, PRESENCE, RECONNECT, SESSION, TIMEOUTS } from './session-keys.ts';
import {
  type BareSettings,
  type PollSettings,
  SESSION_DEFAULTS,
  type SessionSettings,
  SILENCE_MS,
} from './session-settings.ts';
import type { DefaultsShape, SessionShape } from './shape.ts';

type Place = Pick<SessionSettings, 'device' | 'role' | 'transport'>;
export type Add = (finding: Finding) => void;

const IDENTITY = { identity: SESSION.identity };

/**
 * How a peer is kept alive: what it says itself, then `defaults`, then what is built in, key by key. `place` carries
 * the role that it has unless one is given. Undefined where something is missing, which has then been added.
 */
export function completeSession(
  given: SessionShape,
  defaults: DefaultsShape,
  place: Place,
  path: Path,
  add: Add,
  messages?: DeclaredProtocol,
): SessionSettings | undefined {
  const role = given.role ?? defaults.role ?? place.role;
  const identity = identityOf(given, defaults);
  const ownReconnect = 'reconnect' in given ? given.reconnect : undefined;
  const reconnect = resolveKeys(RECONNECT, defaults.reconnect, ownReconnect);
  const asked = mergeSwitched(defaults.clock, given.clock);
  const bare = completeBare(given, defaults, path, add, messages);
  const asks = role === 'client' && bare === undefined;
  const clock = asked === undefined && asks ? {} : (asked ?? undefined);
  const presence = mergeSwitched(defaults.presence, given.presence);
  const register = { ...defaults.register, ...given.register };
  const { appid, imei } = register;
  const login = bare !== undefined && declaresSession(given, defaults, messages) && messages?.logsIn;
  const registers = role === 'client' && bare === undefined;
  if (registers) {
    const stated = given.register !== undefined || defaults.register !== undefined;
    if (appid === undefined || imei === undefined)
      addMissingRegister(stated ? register : undefined, path, add);
    checkIdentity(given.register ?? {}, identity, [...path, 'register'], add);
    checkIdentity(inherited(defaults.register, given.register), identity, ['defaults', 'register'], add);
  } else if (given.register !== undefined) addIdleRegister(bare !== undefined, path, add);
  const { initialMs } = reconnect;
  const longestMs = ownReconnect?.max ?? defaults.reconnect?.max;
  if (longestMs !== undefined && longestMs < initialMs) {
    add({
      code: 'config_conflict',
      path: 'reconnect' in given ? [...path, 'reconnect'] : ['defaults', 'reconnect'],
      message: `The longest pause (${formatDuration(longestMs)}) is shorter than the first (${formatDuration(initialMs)}).`,
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
    ...(login === true ? { login } : {}),
    heartbeat: {
      ...resolveKeys(HEARTBEAT, defaults.heartbeat, given.heartbeat),
      ...(bare === undefined ? {} : ownBeat(given, defaults, messages)),
    },
    ...(clock && { clock: resolveKeys(CLOCK, clock) }),
    // One that is not given is no reason to wait shorter than the first time.
    reconnect: { ...reconnect, maxMs: longestMs ?? Math.max(reconnect.maxMs, initialMs) },
    ...(presence?.every !== undefined && { presence: configOf(PRESENCE, { every: presence.every }) }),
    ...resolveKeys(TIMEOUTS, defaults, given),
  };
}

/** What appid and IMEI may be. */
export const identityOf = (given: SessionShape, defaults: DefaultsShape): IdentityRule =>
  resolveKeys(IDENTITY, defaults, given).identity;

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

function addMissingRegister(register: Register | undefined, path: Path, add: Add): void {
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

const POLLS_MISSED = 3;
const LATE_MS = 2_000;
const NEXT_REPLY_MS = 2_000;

/** Whether the device knows neither register nor heartbeat. */
function isBare(given: SessionShape, defaults: DefaultsShape): boolean {
  return resolveKeys(BARE, defaults, given).session === 'none';
}

/** Its messages declare a session, and the device has it. */
function declaresSession(
  given: SessionShape,
  defaults: DefaultsShape,
  messages: DeclaredProtocol | undefined,
): boolean {
  const session = messages?.declaration.session;
  const heartbeat = session?.heartbeat !== undefined || session?.time !== undefined;
  return messages !== undefined && (messages.logsIn || heartbeat) && !isBare(given, defaults);
}

/** The heartbeat that the messages declare, as far as the configuration does not say otherwise. */
function ownBeat(
  given: SessionShape,
  defaults: DefaultsShape,
  messages: DeclaredProtocol | undefined,
): { readonly intervalMs?: number; readonly missed?: number } {
  const beat = messages?.declaration.session?.heartbeat;
  if (beat === undefined) return {};
  return {
    intervalMs: given.heartbeat?.interval ?? defaults.heartbeat?.interval ?? beat.everyMs,
    missed:
      given.heartbeat?.missed ??
      defaults.heartbeat?.missed ??
      beat.missed ??
      SESSION_DEFAULTS.heartbeat.missed,
  };
}

const SILENT_GRACE_MS = 1_000;
/** A device that logs in and declares no heartbeat. */
const UNDECLARED_SILENCE_MS = 10 * 60_000;

/** How a device lives whose messages declare its session. */
function declaredLife(
  own: SessionShape,
  defaults: DefaultsShape,
  messages: DeclaredProtocol,
): Pick<BareSettings, 'silenceMs' | 'staleMs'> & { readonly beats: readonly PollSettings[] } {
  const beat = messages.declaration.session?.heartbeat;
  const { intervalMs = 0, missed = SESSION_DEFAULTS.heartbeat.missed } = ownBeat(own, defaults, messages);
  const { silence } = resolveKeys(BARE, defaults, own);
  const byDefault = beat === undefined ? UNDECLARED_SILENCE_MS : intervalMs * missed + SILENT_GRACE_MS;
  const beats =
    beat?.from === 'host' ? [{ message: beat.message, fields: beat.fields ?? {}, everyMs: intervalMs }] : [];
  if (silence === false) return { beats };
  const silenceMs = silence ?? byDefault;
  const staleMs = intervalMs * 1.5;
  return { silenceMs, ...(beat === undefined || staleMs >= silenceMs ? {} : { staleMs }), beats };
}

/** How a device without register and heartbeat lives; undefined for one of the built-in protocol. */
export function completeBare(
  own: SessionShape,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages?: DeclaredProtocol,
): BareSettings | undefined {
  const life =
    messages !== undefined && declaresSession(own, defaults, messages)
      ? declaredLife(own, defaults, messages)
      : undefined;
  if (life === undefined && !isBare(own, defaults)) {
    for (const key of ['silence', 'poll', 'late_window', 'turnaround'] as const) {
      if (own[key] === undefined) continue;
      add({
        severity: 'warning',
        code: 'config_no_effect',
        path: [...path, key],
        atKey: true,
        message: `\`${key}\` has no effect on a device that registers and sends heartbeats.`,
        fix: 'Remove it, or add `session: none`.',
      });
    }
    return undefined;
  }
  const { poll = [], silence, lateWindowMs, turnaroundMs } = resolveKeys(BARE, defaults, own);
  const asked = poll.map(({ message, every, as, fields = {} }) => ({
    message,
    // Values of YAML are those of JSON; whether they fit is for the declaration of the message to say.
    fields: fields as Values,
    everyMs: every,
    ...(as === undefined || as === message ? {} : { as }),
  }));
  const polls = [...asked, ...(life?.beats ?? [])];
  const fastest = Math.min(...polls.map(({ everyMs }) => everyMs));
  const { requestTimeoutMs } = resolveKeys(TIMEOUTS, defaults, own);
  const lateMs = lateWindowMs ?? Math.max(LATE_MS, Math.round(requestTimeoutMs / 2));
  // One lost reply does not make a device offline: the line is asked again once its reply can't come any more.
  const lostMs = requestTimeoutMs + lateMs + NEXT_REPLY_MS;
  const byDefault = polls.length === 0 ? SILENCE_MS : Math.max(SILENCE_MS, fastest * POLLS_MISSED, lostMs);
  return {
    ...(silence === false ? {} : { silenceMs: life?.silenceMs ?? silence ?? byDefault }),
    ...(life?.staleMs === undefined ? {} : { staleMs: life.staleMs }),
    polls,
    ...(lateWindowMs === undefined && polls.length === 0 ? {} : { lateMs }),
    turnaroundMs,
  };
}

/** Checks an appid and an IMEI by what the protocol can carry, and by what they usually are unless `identity: any`. */
export function checkIdentity(
  given: { readonly appid?: string | undefined; readonly imei?: string | undefined },
  identity: IdentityRule,
  path: Path,
  add: Add,
): void {
  const { appid, imei } = given;
  if (appid !== undefined) {
    const problem = identity === 'any' ? wrongLength(appid, IDENTITY_LENGTHS.appid) : wrongUuid(appid);
    if (problem !== undefined) addBad('appid', problem, path, add);
  }
  if (imei === undefined) return;
  const problem = identity === 'any' ? wrongLength(imei, IDENTITY_LENGTHS.imei) : wrongImei(imei);
  if (problem !== undefined) addBad('imei', problem, path, add);
  else if (/^\d{15}$/.test(imei) && !luhnValid(imei)) {
    add({
      severity: 'warning',
      code: 'config_unlikely',
      path: [...path, 'imei'],
      message: 'The last digit of this IMEI is not its check digit.',
      fix: 'Compare it with the device; if the device really has it, nothing need be done.',
    });
  }
}

type Wrong = readonly [message: string, fix: string];

function addBad(key: string, [message, fix]: Wrong, path: Path, add: Add): void {
  add({ code: 'config_bad_value', path: [...path, key], message, fix });
}

function wrongLength(text: string, length: number): Wrong | undefined {
  if (!/^[\x20-\x7e]*$/.test(text))
    return ['The text holds characters that are not ASCII.', 'Use ASCII only.'];
  if (text.length === length) return undefined;
  return [
    `The text has ${text.length} characters, and its field in the frame has ${length}.`,
    `Write ${length}.`,
  ];
}

function wrongUuid(text: string): Wrong | undefined {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const digits = text.replace(/[-{}]/g, '');
  const fix = /^[0-9a-f]{32}$/i.test(digits)
    ? `Write ${digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}.`
    : 'Write 8-4-4-4-12 hex digits, or add `identity: any` where it is other text.';
  return ['This is no UUID.', fix];
}

function wrongImei(text: string): Wrong | undefined {
  if (/^\d{15}$/.test(text)) return undefined;
  const digits = text.replace(/[\s-]/g, '');
  const what =
    /^\d+$/.test(digits) && digits === text ? `This IMEI has ${text.length} digits.` : 'This is no IMEI.';
  const fix = /^\d{15}$/.test(digits)
    ? `Write "${digits}".`
    : 'Write its 15 digits, or add `identity: any` where it is other text of 15 characters.';
  return [what, fix];
}
