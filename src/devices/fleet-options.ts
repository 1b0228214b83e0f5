import type { BridgeConfig, FailedDevice } from '../config/index.ts';
import type { Ownership, Publisher } from '../contract/index.ts';
import type { NameResolver } from '../links/index.ts';
import type { Arrivals, Clock, Log } from '../system/index.ts';
import type { DeviceReading, ObserverFactory } from './device-observer.ts';
import type { UploadStore } from './files/upload-store.ts';
import type { DeviceTaps } from './wire.ts';

/** What a fleet works with. */
export interface FleetOptions {
  readonly config: BridgeConfig;
  readonly failed: readonly FailedDevice[];
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly publisher: Publisher;
  readonly uploads: UploadStore | undefined;
  /** Absent: the resolver of the process. */
  readonly names?: NameResolver | undefined;
  /** Counts the devices that dial in. */
  readonly arrivals?: Arrivals | undefined;
  /** Looks on at every link, where there is one. */
  recorder(): DeviceTaps | undefined;
  /** Which devices belong to this instance, where several share one feed. */
  readonly ownership?: Ownership | undefined;
  /** Look on at the life of each device. */
  readonly observers?: readonly ObserverFactory[] | undefined;
  /** Whether a subscriber wants a topic of raw bytes. */
  wantsBytes(topic: string): boolean;
  /** A device was stopped, for good or to be started again. */
  readonly retired?: ((reading: DeviceReading) => void) | undefined;
  /** What is known of unannounced devices is different now. */
  readonly knownChanged?: (() => void) | undefined;
}
