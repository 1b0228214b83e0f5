import { isNumber } from '../api/json.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB'];

/** A number of bytes for people: `1.5 KiB`. */
export function bytesText(bytes: unknown): string {
  let value = isNumber(bytes) ? bytes : 0;
  let unit = 0;
  for (; value >= 1_024 && unit < UNITS.length - 1; unit++) value /= 1_024;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
