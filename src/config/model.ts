import type { ExposeAddress, LinkAddress, ListenAddress } from '../links/index.ts';
import type { DeclaredProtocol, FramingDeclaration } from '../protocol/index.ts';
import type { AccessConfig } from './access.ts';
import type { BackplaneConfig } from './backplane.ts';
import type { ConfigOf } from './keys.ts';
import type { OutputConfig } from './outputs.ts';
import type { EncryptionConfig } from './secrecy.ts';
import type { ServerConfig } from './server.ts';
import type { SessionSettings } from './session-settings.ts';
import type { ADMISSION, LOG, METRICS } from './shape.ts';
import type {
  BlackBoxConfig,
  FilesConfig,
  HistoryConfig,
  KnownDevicesConfig,
  RecordingConfig,
} from './storage.ts';

export type { ServerConfig } from './server.ts';
export type { FilesConfig, HistoryConfig, RecordingConfig } from './storage.ts';

/** What a device that dials in must show to be this device; all that are given must agree. */
export interface MatchConfig {
  readonly imei?: string;
  readonly appid?: string;
  /** What its login says, or the IMEI with which it registers. */
  readonly identity?: string;
  /** CIDR blocks or single addresses. */
  readonly from?: readonly string[];
}

interface DeviceBase {
  readonly id: string;
  readonly session: SessionSettings;
  /** Recorded, or never; absent: only when everything is. */
  readonly record?: boolean;
  /** Upper bound of one frame's payload, in bytes. */
  readonly maxFrame: number;
  /** Silence that ends a half frame on a serial line, in ms, where configured. */
  readonly gapMs?: number;
  /** What it speaks besides the built-in messages, or instead of them. */
  readonly messages?: DeclaredProtocol;
}

/** `serial` resynchronises inside the stream; `stream` closes at the first impossible header. */
export type LineKind = 'stream' | 'serial';

/** A device that is dialled: over TCP, or a serial line. */
export interface DialledDeviceConfig extends DeviceBase {
  readonly kind: 'dialled';
  /** In the order in which they are tried; as many as `session.addresses`. */
  readonly links: readonly [LinkAddress, ...LinkAddress[]];
  readonly line: LineKind;
  /** Where other programs may use its port; absent: nowhere. */
  readonly expose?: readonly ExposeAddress[];
}

/** A device that dials in; one with `session: none` is known by `match.from` alone. */
export interface MatchedDeviceConfig extends DeviceBase {
  readonly kind: 'matched';
  readonly match: MatchConfig;
  /** Absent: `stream`. */
  readonly line?: LineKind;
  /** Where other programs may use its port; absent: nowhere. */
  readonly expose?: readonly ExposeAddress[];
}

/** A device that shares its line with others. */
export interface BusDeviceConfig extends DeviceBase {
  readonly kind: 'bus';
  readonly bus: string;
  readonly address: number;
  /** As they go to its address. */
  readonly messages: DeclaredProtocol;
}

export type DeviceConfig = DialledDeviceConfig | MatchedDeviceConfig | BusDeviceConfig;

/** The line of several devices: dialled, or of a DTU that dials in. */
export interface BusConfig {
  readonly id: string;
  /** In the order in which they are tried; none where it dials in. */
  readonly links: readonly LinkAddress[];
  readonly match?: MatchConfig;
  readonly line: LineKind;
  readonly gapMs?: number;
  readonly maxFrame: number;
  /** How frames are delimited, as the messages of its devices say, each once; absent where no device is on it. */
  readonly framings?: readonly FramingDeclaration[];
  /** How long a request waits for its reply where a device says nothing else, in ms. */
  readonly timeoutMs: number;
  readonly record?: boolean;
  /** Where other programs may use its port; absent: nowhere. */
  readonly expose?: readonly ExposeAddress[];
  /** The life of its link; `device` is the id of the bus. */
  readonly session: SessionSettings;
}

/** An address at which devices dial in, and what it admits. */
export interface ListenerConfig extends ConfigOf<typeof ADMISSION> {
  readonly link: ListenAddress;
  readonly maxFrame: number;
  /** How the bytes of devices accepted here are read, as for a device. */
  readonly line?: LineKind;
  readonly gapMs?: number;
  readonly messages?: DeclaredProtocol;
  /** Whether devices accepted here that no `match` names are recorded; absent: only when everything is. */
  readonly record?: boolean;
  /** Settings of devices accepted here that no `match` names; `device` is filled in with the name they get. */
  readonly session: SessionSettings;
}

/** A configuration without problems, all defaults filled in. */
export interface BridgeConfig {
  /** The file that it came from, as it was named. */
  readonly file: string;
  readonly server: ServerConfig;
  /** Absent: no token is asked for. */
  readonly access?: AccessConfig;
  /** Where traces are written, if any are. */
  readonly recording: RecordingConfig;
  /** Absent: nothing is kept for incidents. */
  readonly blackBox?: BlackBoxConfig;
  /** Absent: files of devices are not kept. */
  readonly files?: FilesConfig;
  /** Absent: a run does not know the unannounced devices of the one before. */
  readonly knownDevices?: KnownDevicesConfig;
  /** Absent: what was is not kept. */
  readonly history?: HistoryConfig;
  /** Absent: nothing is encrypted. */
  readonly secrecy?: EncryptionConfig;
  /** Absent: nothing goes out but the feed. */
  readonly outputs?: readonly OutputConfig[];
  /** Absent: this instance has its feed for itself. */
  readonly backplane?: BackplaneConfig;
  readonly metrics?: ConfigOf<typeof METRICS>;
  readonly log?: ConfigOf<typeof LOG>;
  /** Ids of devices without which the bridge is not ready; some may be missing among `devices`. */
  readonly requiredDevices?: readonly string[];
  readonly devices: readonly DeviceConfig[];
  readonly listeners: readonly ListenerConfig[];
  /** The lines of devices of the kind `bus`. */
  readonly buses?: readonly BusConfig[];
}
