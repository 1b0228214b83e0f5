import type { ListenerConfig } from '../config/model.ts';
import { DeviceDirectory } from '../devices/device-directory.ts';
import type { DeviceRunner } from '../devices/device-runner.ts';
import type { Resolution } from '../devices/unannounced-devices.ts';
import type { RegisterRequest } from '../protocol/message.ts';

/** Of a trace every link belongs to its device, as soon as it was known then. */
export class ReplayDirectory extends DeviceDirectory {
  /** Absent: the device comes to be when it dials in, as an unannounced one. */
  device: DeviceRunner | undefined;
  /** It was known by its address alone. */
  byAddress = false;

  override resolve(identity: RegisterRequest['fields'], host: string, listener: ListenerConfig): Resolution {
    return this.device === undefined ? super.resolve(identity, host, listener) : { device: this.device };
  }

  override resolveBare(): DeviceRunner | undefined {
    return this.device?.settings.bare === undefined ? undefined : this.resolveAddress();
  }

  override resolveAddress(): DeviceRunner | undefined {
    return this.byAddress ? this.device : undefined;
  }
}
