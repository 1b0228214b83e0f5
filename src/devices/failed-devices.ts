import type { FailedDevice } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { Publisher } from '../contract/index.ts';
import { atOnce, type Clock } from '../system/index.ts';
import type { DeviceDirectory } from './device-directory.ts';

/** Shows devices that are configured and cannot be run: each has a state that says why. */
export class FailedDevices {
  readonly #publisher: Publisher;
  readonly #clock: Clock;
  /** What is wrong, by device. */
  #shown: ReadonlyMap<string, string> = new Map();

  constructor(publisher: Publisher, clock: Clock) {
    this.#publisher = publisher;
    this.#clock = clock;
  }

  /** These, and no others; a device that runs by now publishes its own state. */
  show(failed: readonly FailedDevice[], directory: DeviceDirectory): void {
    atOnce(this.showing(failed, directory));
  }

  /** The same; may be interrupted wherever it yields. */
  *showing(failed: readonly FailedDevice[], directory: DeviceDirectory): Generator<undefined, void> {
    const shown = new Map(failed.map((device) => [device.id, detailOf(device)]));
    for (const id of this.#shown.keys()) {
      yield;
      if (!shown.has(id) && directory.get(id) === undefined) this.#publisher.removeState(topicOf(id));
    }
    for (const [id, detail] of shown) {
      yield;
      if (this.#shown.get(id) !== detail)
        this.#publisher.publishState(topicOf(id), this.#document(id, detail));
    }
    this.#shown = shown;
  }

  #document(device: string, detail: string): StateDocument {
    const since = this.#clock.now().wallMs;
    const link = { status: 'failed', transport: 'tcp', since, attempt: 0 } as const;
    return { device, status: 'unknown', since, link: { ...link, reason: 'config_invalid', detail } };
  }
}

const topicOf = (device: string): string => `devices/${device}/state`;

const detailOf = ({ problems }: FailedDevice): string =>
  problems.map(({ line, column, message }) => `${line}:${column}: ${message}`).join(' ');
