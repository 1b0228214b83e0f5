import {
  type BareSettings,
  defaultMaxFrame,
  formatDuration,
  type PollSettings,
  parseDuration,
  SESSION_CHOICES,
  SESSION_DEFAULTS,
  type SessionSettings,
  SILENCE_MS,
} from '../config/index.ts';
import { lineOf, TRANSPORTS } from '../contract/index.ts';
import { framingNeedsSilence, framingOf } from '../devices/index.ts';
import { HeartwireError } from '../errors.ts';
import type { TraceSource } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { addSilences, defaultSilenceMs, type TraceHead } from '../trace/index.ts';

/** How a recorded device was spoken to. */
export interface TracedDevice {
  readonly settings: SessionSettings;
  /** It dialled in; else it was dialled. */
  readonly dialIn: boolean;
  readonly line: 'stream' | 'serial';
  readonly maxFrame: number;
  /** The time zone of the bridge, in which it answers the device's clock. */
  readonly timeZone: string;
  /** Where it dialled in: by what it was known. */
  readonly knownBy: 'register' | 'address' | 'any-address';
  /** Of a bus: the devices on it. */
  readonly members?: readonly TracedMember[] | undefined;
}

/** A device on a recorded bus. */
export interface TracedMember {
  readonly device: string;
  readonly address: number;
  readonly session: SessionSettings;
}

/** The `#meta` of a device, from which `readMeta` makes the same settings again. */
export function metaOf(device: TracedDevice): Record<string, string> {
  const { settings, dialIn, line, maxFrame, timeZone, knownBy } = device;
  const { heartbeat, reconnect, register, clock, presence, bare } = settings;
  const defined = (key: string, value: string | undefined) => (value === undefined ? {} : { [key]: value });
  return {
    device: settings.device,
    transport: settings.transport,
    role: settings.role,
    dial: dialIn ? 'in' : 'out',
    line,
    max_frame: String(maxFrame),
    ...(dialIn ? { known_by: knownBy } : { addresses: settings.addresses.join(',') }),
    ...defined('appid', register?.appid),
    ...defined('imei', register?.imei),
    identity: settings.identity,
    interval: formatDuration(heartbeat.intervalMs),
    missed: String(heartbeat.missed),
    beats: heartbeat.from,
    ...defined('clock_every', clock && formatDuration(clock.everyMs)),
    ...defined('clock_zone', clock?.timeZone),
    ...defined('presence_every', presence && formatDuration(presence.everyMs)),
    ...(bare === undefined ? {} : bareMeta(bare, settings.login === true)),
    reconnect_initial: formatDuration(reconnect.initialMs),
    reconnect_max: formatDuration(reconnect.maxMs),
    reconnect_multiplier: String(reconnect.multiplier),
    reconnect_jitter: reconnect.jitter,
    connect_timeout: formatDuration(settings.connectTimeoutMs),
    request_timeout: formatDuration(settings.requestTimeoutMs),
    time_zone: timeZone,
    ...defined('bus', device.members && busMeta(device.members, settings)),
  };
}

/** The devices on a bus, in one value. */
function busMeta(members: readonly TracedMember[], { port }: SessionSettings): string {
  return JSON.stringify({
    ...(port?.passive === true ? { passive: true } : {}),
    devices: members.map(({ device, address, session }) => ({
      device,
      address,
      timeoutMs: session.requestTimeoutMs,
      silenceMs: session.bare?.silenceMs,
      lateMs: session.bare?.lateMs,
      polls: session.bare?.polls ?? [],
    })),
  });
}

function bareMeta(
  { silenceMs, staleMs, polls, turnaroundMs, lateMs }: BareSettings,
  login: boolean,
): Record<string, string> {
  return {
    session: login ? 'declared' : 'none',
    silence: silenceMs === undefined ? 'never' : formatDuration(silenceMs),
    ...(staleMs === undefined ? {} : { stale: formatDuration(staleMs) }),
    turnaround: formatDuration(turnaroundMs),
    ...(lateMs === undefined ? {} : { late_window: formatDuration(lateMs) }),
    ...(polls.length === 0 ? {} : { polls: JSON.stringify(polls) }),
  };
}

/**
 * How to speak to the device of a trace. What `#meta` leaves out has the defaults of `devices.yaml`; `fallback` is its
 * name where it has none.
 *
 * @throws HeartwireError `trace_unfit`
 */
export function readMeta(head: TraceHead, fallback: string, file: string): TracedDevice {
  const meta = new MetaReader(head.meta, file);
  const transport = meta.choice('transport', TRANSPORTS, 'tcp');
  const role = meta.choice('role', SESSION_CHOICES.role, 'client');
  const dialIn =
    meta.choice('dial', ['in', 'out'], role === 'server' && transport === 'tcp' ? 'in' : 'out') === 'in';
  const line = meta.choice('line', SESSION_CHOICES.line, lineOf(transport));
  const { appid, imei, clock_zone: clockZone } = head.meta;
  const bare = isBare(head) ? readBare(meta, head.meta) : undefined;
  if (bare === undefined && role === 'client' && (appid === undefined || imei === undefined)) {
    throw meta.unfit(
      'appid',
      'In the client role the bridge registers, and the trace does not say with which identity.',
      'Add appid=UUID and imei=DIGITS to its #meta line.',
    );
  }
  const { turnaroundMs: _, ...byDefault } = SESSION_DEFAULTS;
  const everyMs = meta.duration('clock_every', 0);
  const presenceMs = meta.duration('presence_every', 0);
  const settings: SessionSettings = {
    ...byDefault,
    device: head.meta.device ?? fallback,
    role,
    transport,
    addresses: dialIn ? [] : (head.meta.addresses ?? transport).split(','),
    ...(appid === undefined || imei === undefined ? {} : { register: { appid, imei } }),
    ...(bare === undefined ? {} : { bare }),
    ...(head.meta.session === 'declared' ? { login: true as const } : {}),
    identity: meta.choice('identity', SESSION_CHOICES.identity, byDefault.identity),
    heartbeat: {
      intervalMs: meta.duration('interval', byDefault.heartbeat.intervalMs),
      missed: meta.number('missed', byDefault.heartbeat.missed),
      from: meta.choice('beats', SESSION_CHOICES.beats, byDefault.heartbeat.from),
    },
    ...(everyMs === 0
      ? {}
      : { clock: { everyMs, ...(clockZone === undefined ? {} : { timeZone: clockZone }) } }),
    ...(presenceMs === 0 ? {} : { presence: { everyMs: presenceMs } }),
    reconnect: {
      initialMs: meta.duration('reconnect_initial', byDefault.reconnect.initialMs),
      maxMs: meta.duration('reconnect_max', byDefault.reconnect.maxMs),
      multiplier: meta.number('reconnect_multiplier', byDefault.reconnect.multiplier),
      jitter: meta.choice('reconnect_jitter', SESSION_CHOICES.jitter, byDefault.reconnect.jitter),
    },
    connectTimeoutMs: meta.duration('connect_timeout', byDefault.connectTimeoutMs),
    requestTimeoutMs: meta.duration('request_timeout', byDefault.requestTimeoutMs),
  };
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(settings.device)) {
    throw meta.unfit(
      'device',
      'A device has a name of letters, digits, dots, hyphens and underscores.',
      'Correct device= in the #meta line.',
    );
  }
  const bus = head.meta.bus === undefined ? undefined : meta.bus(head.meta.bus);
  return {
    settings:
      bus === undefined
        ? settings
        : { ...settings, port: { turnaroundMs: 0, ...(bus.passive === true ? { passive: true } : {}) } },
    ...(bus === undefined ? {} : { members: bus.devices.map((each) => memberOf(each, settings)) }),
    dialIn,
    line,
    maxFrame: meta.number('max_frame', defaultMaxFrame(line)),
    timeZone: head.meta.time_zone ?? 'UTC',
    knownBy: meta.choice('known_by', ['register', 'address', 'any-address'], 'register'),
  };
}

/**
 * The silence that ends a frame of `gap` framing in a trace without `idle` lines, in ms.
 *
 * @throws HeartwireError `trace_unfit`
 */
function silenceMs(head: TraceHead, file: string): number {
  return new MetaReader(head.meta, file).duration('gap', defaultSilenceMs(head.meta.transport));
}

/** It speaks declared messages only. */
const isBare = ({ meta }: TraceHead): boolean => meta.session === 'none' || meta.session === 'declared';

function readBare(
  meta: MetaReader,
  { silence, stale, polls, late_window: late, asked }: TraceHead['meta'],
): BareSettings {
  return {
    ...(silence === 'never' ? {} : { silenceMs: meta.duration('silence', SILENCE_MS) }),
    ...(stale === undefined ? {} : { staleMs: meta.duration('stale', 0) }),
    polls: polls === undefined ? [] : meta.polls(polls),
    turnaroundMs: meta.duration('turnaround', SESSION_DEFAULTS.turnaroundMs),
    ...(late === undefined ? {} : { lateMs: meta.duration('late_window', 0) }),
    ...(asked === 'recorded' ? { asked } : {}),
  };
}

class MetaReader {
  readonly #meta: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(meta: Readonly<Record<string, string>>, file: string) {
    this.#meta = meta;
    this.#file = file;
  }

  unfit(key: string, problem: string, fix: string): HeartwireError {
    const seen = this.#meta[key];
    return new HeartwireError('trace_unfit', `${this.#file}: #meta ${key}: ${problem}`, {
      fix,
      ...(seen === undefined ? {} : { seen }),
    });
  }

  choice<T extends string>(key: string, choices: readonly T[], fallback: T): T {
    const text = this.#meta[key];
    if (text === undefined) return fallback;
    const found = choices.find((each) => each === text);
    if (found !== undefined) return found;
    throw this.unfit(key, `"${text}" is not possible here.`, `Write ${choices.join(', ')}.`);
  }

  duration(key: string, fallback: number): number {
    const text = this.#meta[key];
    if (text === undefined) return fallback;
    const ms = parseDuration(text);
    if (ms !== undefined) return ms;
    throw this.unfit(key, `"${text}" is no duration.`, 'Write a number and a unit, for example 3s.');
  }

  polls(text: string): readonly PollSettings[] {
    const fix = 'Leave it as it was recorded, or remove it.';
    try {
      const value: unknown = JSON.parse(text);
      if (Array.isArray(value) && value.every(isPoll)) return value;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw this.unfit('polls', 'This is no list of polls.', fix);
  }

  bus(text: string): TracedBus {
    try {
      const value: unknown = JSON.parse(text);
      if (isBus(value)) return value;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw this.unfit('bus', 'These are no devices of a bus.', 'Leave it as it was recorded.');
  }

  number(key: string, fallback: number): number {
    const text = this.#meta[key];
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^\d{1,9}(?:\.\d{1,6})?$/.test(text) && value > 0) return value;
    throw this.unfit(key, `"${text}" is no number above 0.`, 'Write it in digits.');
  }
}

interface TracedBus {
  readonly passive?: true;
  readonly devices: readonly {
    readonly device: string;
    readonly address: number;
    readonly timeoutMs: number;
    readonly silenceMs?: number;
    readonly lateMs?: number;
    readonly polls: readonly PollSettings[];
  }[];
}

/** Its requests are those of the trace: it sends none of its own. */
function memberOf(
  { device, address, timeoutMs, silenceMs, lateMs, polls }: TracedBus['devices'][number],
  port: SessionSettings,
): TracedMember {
  const bare = {
    polls,
    turnaroundMs: 0,
    ...(silenceMs === undefined ? {} : { silenceMs }),
    ...(lateMs === undefined ? {} : { lateMs }),
  };
  const session: SessionSettings = {
    ...port,
    device,
    addresses: [port.addresses[0] ?? port.device],
    requestTimeoutMs: timeoutMs,
    bus: { id: port.device, passive: true },
    bare,
  };
  return { device, address, session };
}

function isBus(value: unknown): value is TracedBus {
  return (
    typeof value === 'object' &&
    value !== null &&
    'devices' in value &&
    Array.isArray(value.devices) &&
    value.devices.every(
      (each: unknown) =>
        typeof each === 'object' &&
        each !== null &&
        'device' in each &&
        typeof each.device === 'string' &&
        /^[A-Za-z0-9._-]{1,64}$/.test(each.device) &&
        'address' in each &&
        Number.isSafeInteger(each.address) &&
        'timeoutMs' in each &&
        typeof each.timeoutMs === 'number' &&
        (!('silenceMs' in each) || typeof each.silenceMs === 'number') &&
        (!('lateMs' in each) || typeof each.lateMs === 'number') &&
        'polls' in each &&
        Array.isArray(each.polls) &&
        each.polls.every(isPoll),
    )
  );
}

function isPoll(value: unknown): value is PollSettings {
  return (
    typeof value === 'object' &&
    value !== null &&
    'message' in value &&
    typeof value.message === 'string' &&
    'fields' in value &&
    typeof value.fields === 'object' &&
    value.fields !== null &&
    'everyMs' in value &&
    typeof value.everyMs === 'number' &&
    value.everyMs > 0 &&
    (!('as' in value) || typeof value.as === 'string')
  );
}

/**
 * The silence that ends a frame of a trace, in ms; undefined where frames end in another way.
 *
 * @throws HeartwireError `trace_unfit`
 */
export function decisiveSilenceMs(
  head: TraceHead,
  messages: DeclaredProtocol | undefined,
  file: string,
): number | undefined {
  const framing = framingOf({ builtin: !isBare(head), messages });
  return framingNeedsSilence(framing) ? silenceMs(head, file) : undefined;
}

/**
 * Adds `idle` events, by its times, to a trace whose frames end with silence and which has none. `warn` is called with
 * what was assumed.
 *
 * @throws HeartwireError `trace_unfit`
 */
export function sourceWithSilences(
  source: TraceSource,
  messages: DeclaredProtocol | undefined,
  warn: (text: string) => void,
): TraceSource {
  const { head, name, events } = source;
  const gapMs = decisiveSilenceMs(head, messages, name);
  if (gapMs === undefined) return source;
  const found = (): void =>
    warn(
      `${name}: it has no idle lines: a frame ends where nothing follows for ${gapMs} ms, or the other side talks. Write gap=... in its #meta line for another silence.`,
    );
  return { ...source, events: addSilences(events, gapMs, found) };
}
