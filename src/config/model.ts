import type { SessionSettings } from '../contract/settings.ts';
import type { ListenAddress } from '../links/tcp-listen.ts';
import type { LinkAddress } from '../links/transports.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import type { AccessConfig } from './access.ts';
import type { KnownDevicesConfig } from './known-devices.ts';
import type { LogConfig, MetricsConfig } from './observing.ts';
import type { RecordingConfig } from './recording.ts';
import type { EncryptionConfig } from './secrecy.ts';
import type { ServerConfig } from './server.ts';

export type { RecordingConfig } from './recording.ts';
export type { ServerConfig } from './server.ts';

/** What a device that dials in must show to be this device; all that are given must agree. */
export interface MatchConfig {
  readonly imei?: string;
  readonly appid?: string;
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

/** A device that we dial: over TCP, or a serial line. */
export interface DialledDeviceConfig extends DeviceBase {
  readonly kind: 'dialled';
  /** In the order in which they are tried; as many as `session.addresses`. */
  readonly links: readonly [LinkAddress, ...LinkAddress[]];
  readonly line: LineKind;
}

/** A device that dials in; one with `session: none` is known by `match.from` alone. */
export interface MatchedDeviceConfig extends DeviceBase {
  readonly kind: 'matched';
  readonly match: MatchConfig;
  /** Absent: `stream`. */
  readonly line?: LineKind;
}

export type DeviceConfig = DialledDeviceConfig | MatchedDeviceConfig;

/** An address at which devices dial in. */
export interface ListenerConfig {
  readonly link: ListenAddress;
  /** What becomes of a device that no `match` names. */
  readonly unknown: 'accept' | 'refuse';
  /** `by-address` names a link that never registers `addr-<ip>`. */
  readonly anonymous: 'refuse' | 'by-address';
  /** Unknown devices kept at once; for one more, one that came once and is gone makes room, or it is refused. */
  readonly maxDevices: number;
  /** Unknown devices that one address makes known, at once and in a minute on average. */
  readonly maxNewPerMinute: number;
  /** An unknown device that has been away for so long is forgotten, in ms. */
  readonly forgetMs: number;
  /** Links without a name at once; beyond it the oldest is closed. */
  readonly maxNameless: number;
  /** Connections at once, in all and per address. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
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

/** Where files go that devices send. */
export interface FilesConfig {
  readonly dir: string;
  readonly maxFileBytes: number;
  readonly budgetBytes: number;
  readonly maxFiles: number;
  /** What one device may take of both, above 0 and at most 1. */
  readonly deviceShare: number;
}

/** A configuration without problems, all defaults filled in. */
export interface BridgeConfig {
  /** The file that it came from, as it was named. */
  readonly file: string;
  readonly server: ServerConfig;
  /** Absent: nobody is asked for a token. */
  readonly access?: AccessConfig;
  /** Where traces are written, if any are. */
  readonly recording: RecordingConfig;
  /** Absent: files of devices are not kept. */
  readonly files?: FilesConfig;
  /** Absent: a run does not know the unannounced devices of the one before. */
  readonly knownDevices?: KnownDevicesConfig;
  /** Absent: nothing is encrypted. */
  readonly secrecy?: EncryptionConfig;
  readonly metrics?: MetricsConfig;
  readonly log?: LogConfig;
  /** Ids of devices without which the bridge is not ready; some may be missing among `devices`. */
  readonly requiredDevices?: readonly string[];
  readonly devices: readonly DeviceConfig[];
  readonly listeners: readonly ListenerConfig[];
}
