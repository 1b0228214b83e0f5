import type { StateDocument } from '../../contract/feed/index.ts';
import type { Value, Values } from '../../contract/index.ts';

/** Lists that are longer hold a waveform or the like, and no values of their own. */
const LONGEST_LIST = 64;

/** The measurement in which the statuses of devices stand. */
const STATUS = 'heartwire_status';

/*
 * Lines of InfluxDB's line protocol: `measurement,tag=value field=1.5,other="text" 1767225600000000001`. The measurement
 * is the group of the values, the device is a tag. Numbers are always floats, so that the type of a field never depends
 * on its first value.
 */

/** The values of one message; undefined where there is none that a database takes. */
export function valuesLine(device: string, group: string, values: Values, time: string): string | undefined {
  const fields: string[] = [];
  collect(values, '', fields);
  return fields.length === 0 ? undefined : line(group, device, fields, time);
}

/** The two statuses of a device. */
export function statusLine({ device, status, reason, link }: StateDocument, time: string): string {
  const fields = [
    `online=${status === 'online'}`,
    `status=${text(status)}`,
    `link=${text(link.status)}`,
    // Always there, so that the last reason does not outlive its status.
    `reason=${text(reason ?? link.reason ?? '')}`,
  ];
  return line(STATUS, device, fields, time);
}

/**
 * Times in ns that never repeat: a database takes a second point of one time for a correction of the first. `time(at)`
 * is `at` in ms, followed by a number of its own within that millisecond.
 */
export class PointTimes {
  #at = -Infinity;
  #count = 0;

  time(at: number): string {
    if (at > this.#at) {
      this.#at = at;
      this.#count = 0;
    } else this.#count += 1;
    // Where the clock was set back, points go on behind the last one.
    return `${this.#at + Math.floor(this.#count / 1_000_000)}${String(this.#count % 1_000_000).padStart(6, '0')}`;
  }
}

function line(measurement: string, device: string, fields: readonly string[], time: string): string {
  return `${measurement.replace(/[,\s]/g, '\\$&')},device=${key(device)} ${fields.join(',')} ${time}`;
}

function collect(values: Values | readonly Value[], above: string, into: string[]): void {
  for (const [name, value] of Object.entries(values)) {
    const path = `${above}${name}`;
    switch (typeof value) {
      case 'number':
        if (Number.isFinite(value)) into.push(`${key(path)}=${value}`);
        break;
      case 'boolean':
        into.push(`${key(path)}=${value}`);
        break;
      case 'string':
        into.push(`${key(path)}=${text(value)}`);
        break;
      default:
        if (value === undefined || value === null || isBytes(value)) break;
        if (!Array.isArray(value) || value.length <= LONGEST_LIST) collect(value, `${path}.`, into);
    }
  }
}

const isBytes = (value: Exclude<Value, null | string | number | boolean>): boolean => '$bytes' in value;
/** Of tags, their values, and fields. A line end would begin another point. */
const key = (name: string): string => name.replace(/[\r\n]/g, ' ').replace(/[,= ]/g, '\\$&');
const text = (value: string): string => `"${value.replace(/["\\]/g, '\\$&').replace(/[\r\n]+/g, ' ')}"`;
