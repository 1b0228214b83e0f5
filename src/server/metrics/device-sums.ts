import type { StatsDocument } from '../../contract/feed/topic-documents.ts';
import { Tally } from '../../devices/core/stats.ts';
import type { DeviceReading } from '../../devices/device-runner.ts';

/** One figure that is counted for every device. */
export interface DeviceCounter {
  readonly name: string;
  readonly help: string;
  readonly of: (reading: DeviceReading) => number;
}

const counted = (
  name: string,
  key: Exclude<keyof StatsDocument, `${string}_at` | 'round_trip_ms'>,
  help: string,
): DeviceCounter => ({ name, help, of: ({ counts }) => counts[key] });

export const DEVICE_COUNTERS: readonly DeviceCounter[] = [
  counted('heartwire_received_bytes_total', 'bytes_in', 'Bytes that came from devices.'),
  {
    name: 'heartwire_sent_bytes_total',
    help: 'Bytes that the links to devices took.',
    of: ({ bytesOut }) => bytesOut,
  },
  counted(
    'heartwire_received_frames_total',
    'frames_in',
    'Whole frames that came from devices, once their link had a name.',
  ),
  counted('heartwire_sent_frames_total', 'frames_out', 'Frames that were to be sent to devices.'),
  counted('heartwire_invalid_frames_total', 'invalid', 'Frames whose content was not as declared.'),
  counted('heartwire_unknown_frames_total', 'unknown', 'Frames with an id that is not declared.'),
  counted('heartwire_late_replies_total', 'late_replies', 'Replies that came after their time was up.'),
  counted('heartwire_unsolicited_replies_total', 'unsolicited_replies', 'Replies that nobody had asked for.'),
  counted('heartwire_error_replies_total', 'error_replies', 'Replies with an error code of the device.'),
  counted('heartwire_request_timeouts_total', 'timeouts', 'Requests that were not answered in time.'),
  counted('heartwire_refused_sends_total', 'refused_sends', 'Frames that a link did not take.'),
  counted(
    'heartwire_connects_total',
    'connects',
    'Links that opened; every one after the first is a reconnect.',
  ),
  counted(
    'heartwire_takeovers_total',
    'takeovers',
    'Links that were replaced by a newer one of the same device.',
  ),
];

/** The sums of devices whose counters are shown together, and of former lives of a device. */
export class DeviceSums {
  readonly tally = new Tally();
  readonly #sums: number[] = DEVICE_COUNTERS.map(() => 0);

  add(reading: DeviceReading): void {
    for (const [index, { of }] of DEVICE_COUNTERS.entries()) {
      this.#sums[index] = this.at(index) + of(reading);
    }
    this.tally.add(reading.tally);
  }

  addSums(other: DeviceSums): void {
    for (const [index, sum] of other.#sums.entries()) this.#sums[index] = this.at(index) + sum;
    this.tally.add(other.tally);
  }

  /** The sum of the counter at this place of `DEVICE_COUNTERS`. */
  at(index: number): number {
    return this.#sums[index] ?? 0;
  }
}
