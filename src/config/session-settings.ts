import type { SessionRole, Transport, Values } from '../contract/index.ts';
import { DEFAULT_MAX_FRAME, LONGEST_BUILTIN } from '../protocol/index.ts';
import { type ConfigOf, resolveKeys } from './keys.ts';
import { BARE, type CLOCK, HEARTBEAT, type PRESENCE, RECONNECT, SESSION, TIMEOUTS } from './session-keys.ts';

// What the keys of `devices.yaml` come to for one device: names, types and defaults follow from the keys.

/** The life of a device that knows neither register nor heartbeat. All durations in ms. */
export interface BareSettings {
  /** Without a valid frame for so long it is offline; absent: it lives as long as its link is open. */
  readonly silenceMs?: number;
  /** Without a valid frame for so long it is stale; absent: never. */
  readonly staleMs?: number;
  /** What is asked, again and again; a device that is polled is spoken to in turns, one request at a time. */
  readonly polls: readonly PollSettings[];
  /** The pause between the end of one exchange and the next, on a line that is spoken to in turns. */
  readonly turnaroundMs: number;
  /** So long after its time-out a reply may still come; absent: as long as a request waits for its reply. */
  readonly lateMs?: number;
  /** Of a trace: the requests are those that were sent then, and none is sent now. */
  readonly asked?: 'recorded' | undefined;
}

export interface PollSettings {
  /** A declared message, by name. */
  readonly message: string;
  readonly fields: Values;
  readonly everyMs: number;
  /** Where the values of its reply are in the state; absent: under the name of the message. */
  readonly as?: string;
}

/** The line of a device that shares it with others. */
export interface BusSettings {
  /** The id of the bus. */
  readonly id: string;
  /** Another host asks; nothing is sent. */
  readonly passive?: true | undefined;
}

/** A link that several devices share. */
export interface PortSettings {
  /** Silence between the end of one exchange and the next request, in ms. */
  readonly turnaroundMs: number;
  readonly passive?: true | undefined;
}

type Identity = ConfigOf<Pick<typeof SESSION, 'identity'>>['identity'];

/** How one device is kept alive. All durations in ms. */
export interface SessionSettings extends ConfigOf<typeof TIMEOUTS> {
  readonly device: string;
  /** For people: what they see in place of `device`, and under which heading. */
  readonly label?: string;
  readonly group?: string;
  readonly role: SessionRole;
  readonly transport: Transport;
  /** Addresses tried in turn; one for most. Empty where the device dials in. */
  readonly addresses: readonly string[];
  /** `session: none`, or a session that its messages declare; absent for a device of the built-in protocol. */
  readonly bare?: BareSettings;
  /** Its messages declare how it says who it is. */
  readonly login?: true;
  /** The bus on which the device is; absent where it has a link of its own. */
  readonly bus?: BusSettings;
  /** This is no device but the link of a bus. */
  readonly port?: PortSettings;
  /** What we register as (client role). */
  readonly register?: { readonly appid: string; readonly imei: string };
  /** `any` admits a peer's appid or IMEI that is other text. */
  readonly identity: Identity;
  readonly heartbeat: ConfigOf<typeof HEARTBEAT>;
  /** Datetime requests of our own, where wanted; `timeZone` (IANA) is the peer's. Absent: none are sent. */
  readonly clock?: ConfigOf<typeof CLOCK>;
  readonly reconnect: ConfigOf<typeof RECONNECT>;
  /** A device with short connections: `away`, not `offline`, while its next report is not overdue. */
  readonly presence?: ConfigOf<typeof PRESENCE>;
}

/** The longest payload, in bytes, where nothing says it: on a serial line the longest that is known of. */
export const defaultMaxFrame = (line: 'stream' | 'serial'): number =>
  line === 'stream' ? DEFAULT_MAX_FRAME : LONGEST_BUILTIN;

/** Without polls a device that is silent for so long is offline. */
export const SILENCE_MS = 10_000;

/** What the keys come to where nothing is given. */
export const SESSION_DEFAULTS = {
  identity: resolveKeys({ identity: SESSION.identity }).identity,
  heartbeat: resolveKeys(HEARTBEAT),
  reconnect: resolveKeys(RECONNECT),
  turnaroundMs: resolveKeys({ turnaround: BARE.turnaround }).turnaroundMs,
  ...resolveKeys(TIMEOUTS),
} as const;
