import { HeartwireError } from '../errors.ts';
import type { Link, LinkAddress, ListenAddress, Listener } from '../links/index.ts';
import type { Faults } from './faults.ts';
import type { DeviceIdentity, Random } from './random.ts';
import type { DeclaredSettings, RecordedSpeech } from './speech.ts';
import type { SimulatorClock } from './timers.ts';

/** What all devices of a fleet have in common. Durations in ms. */
export interface DeviceBehaviour {
  /** Default: `client` where it dials over TCP, `server` where it is dialled and on a serial line. */
  readonly role?: 'client' | 'server';
  /** Default: 3 s for a client, never for a server. */
  readonly heartbeatEveryMs?: number;
  /** Default: never. */
  readonly datetimeEveryMs?: number;
  /** What a client asks before it registers. */
  readonly early?: ReadonlyArray<'heartbeat' | 'datetime'>;
  /** False: a client registers on its first link only. Default: true. */
  readonly registersAgain?: boolean;
  /** How far the device's clock is ahead of the system clock. */
  readonly clockOffsetMs?: number;
  /** Where the device's clock hangs, as an IANA name; absent: here. */
  readonly timeZone?: string;
  /** Back-off with full jitter, from `initialMs` doubling to `maxMs`. */
  readonly reconnect?: { readonly initialMs: number; readonly maxMs: number };
  /** A client hangs up on a peer from which nothing valid came for so long. Default: 4 beats, at least 10 s. */
  readonly silenceLimitMs?: number;
  readonly faults?: Faults;
  /** It speaks declared messages instead of the built-in ones. */
  readonly declared?: DeclaredSettings;
  /** It does as a recorded device did. */
  readonly recorded?: RecordedSpeech;
}

/** One simulated device: `tcp` and `serial` addresses are dialled, at a `tcp-listen` address it waits. */
export interface SimulatedDeviceOptions extends DeviceBehaviour {
  readonly name: string;
  readonly address: LinkAddress | ListenAddress;
  readonly identity: DeviceIdentity;
  /** How long after `start` it dials for the first time, so that a fleet does not come all at once. */
  readonly startDelayMs?: number;
}

/** What a device needs of the world. */
export interface SimulatorPorts {
  readonly clock: SimulatorClock;
  readonly random: Random;
  readonly report?: (event: SimulatorEvent) => void;
  /** Default: real links. */
  readonly dial?: (address: LinkAddress) => Link;
  /** Default: real listeners. */
  readonly listen?: (address: ListenAddress) => Listener;
}

export const HEARTBEAT_EVERY_MS = 3_000;

/** The role that a device has where none is given. */
export function defaultRole(address: LinkAddress | ListenAddress): 'client' | 'server' {
  return ['tcp', 'udp', 'unix'].includes(address.scheme) ? 'client' : 'server';
}

/** @throws HeartwireError `bad_fault` where a fault would never show in a device of this kind. */
export function checkFaultsFit(
  faults: Faults,
  address: LinkAddress | ListenAddress,
  role: 'client' | 'server',
  declared?: DeclaredSettings,
): void {
  const dials = ['tcp', 'unix'].includes(address.scheme);
  const registers = declared === undefined ? role === 'client' : declared.protocol.logsIn;
  if (faults.shortEveryMs !== undefined && (!dials || !registers)) {
    throw misfit(
      'short',
      'only a device that dials and registers hangs up and returns',
      'Use it with --connect.',
    );
  }
  if (faults.refuse === true && role !== 'server' && declared === undefined) {
    throw misfit(
      'refuse',
      'only a device that is registered with can refuse',
      'Use it with --listen or --pty.',
    );
  }
}

function misfit(seen: string, problem: string, fix: string): HeartwireError {
  return new HeartwireError('bad_fault', `The fault "${seen}" does not fit: ${problem}. ${fix}`, {
    seen,
    fix,
  });
}

/** What happened to a simulated device; each carries its name. */
export type SimulatorEvent = { readonly device: string } & (
  | { readonly kind: 'listening' | 'connected'; readonly address: string }
  /** The other side accepted the registration. */
  | { readonly kind: 'registered' }
  /** The other side answered the registration with an error. */
  | { readonly kind: 'refused'; readonly error: number }
  /** Made-up values cannot fill its login. */
  | { readonly kind: 'unable'; readonly message: string }
  /** The other side registered. */
  | { readonly kind: 'peer_registered'; readonly appid: string; readonly imei: string }
  /** A link ended; a device that dials tries again after `retryInMs`. */
  | {
      readonly kind: 'disconnected';
      readonly address: string;
      readonly code: string;
      readonly detail: string;
      readonly retryInMs?: number;
    }
  /** A fault began or ended by itself. */
  | { readonly kind: 'stalled' | 'resumed' | 'half_open' }
);

/** What a device says about itself, without its name. */
export type DeviceNews = SimulatorEvent extends infer Event
  ? Event extends SimulatorEvent
    ? Omit<Event, 'device'>
    : never
  : never;

/** Frames that went over the links of one device, or of a fleet. */
export interface FrameCounts {
  sent: number;
  received: number;
}
