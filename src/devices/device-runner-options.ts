import type { SessionSettings } from '../config/index.ts';
import type { PortSharing } from '../links/index.ts';
import type { Log } from '../system/index.ts';
import type { BusDevice, BusTurns, PortTap } from './bus-ports.ts';
import type { KnownBefore } from './core/session-events.ts';
import type { SessionPorts } from './core/session-ports.ts';
import type { DeviceObservers, DeviceReading } from './device-observer.ts';
import type { DevicePublisherOptions } from './device-publisher.ts';
import type { UploadStore } from './files/upload-store.ts';
import type { SessionWire } from './wire.ts';
import type { LinkCodec } from './wire-codec.ts';

/** What the runner of a device works with. */
export interface DeviceRunnerOptions extends DevicePublisherOptions {
  readonly settings: SessionSettings;
  readonly ports: SessionPorts;
  readonly log: Log;
  /** A fresh, unopened wire to one of the session's addresses. Not called for devices that dial in. */
  makeWire(addressIndex: number, owner: BusDevice): SessionWire;
  /** How its bytes are read where it dials in; absent: as the link was read when it had no name. */
  readonly dialIn?: LinkCodec | undefined;
  /** Where files of the device go; it sends none where this is absent. */
  readonly uploads?: UploadStore | undefined;
  /** It was stopped, and counts nothing any more. */
  readonly retired?: ((reading: DeviceReading) => void) | undefined;
  /** Whether it has a link changed. */
  readonly linked?: ((linked: boolean) => void) | undefined;
  /** Gives its port on to other programs, from its start to its stop. */
  readonly sharing?: Pick<PortSharing, 'start' | 'stop' | 'join'> | undefined;
  readonly observers?: DeviceObservers | undefined;
  /** It is the link of a bus, whose devices take what comes. */
  readonly port?: PortTap | undefined;
  /** It is on a bus, which gives it its turns. */
  readonly member?: BusTurns | undefined;
  /** What an earlier run of the bridge knew of it. */
  readonly known?: KnownBefore | undefined;
}
