import type { FieldCodec } from './field-codec.ts';
import { FieldError, shown } from './writing.ts';

/** A bit of the byte in front of it, which is `reserved`; it takes no bytes itself, and is true or false. */
export function bitField(at: number): FieldCodec {
  return {
    min: 0,
    max: 0,
    read: (reading) => (((reading.bytes[reading.at - 1] ?? 0) >> at) & 1) === 1,
    check: () => true,
    write(writing, value) {
      if (flagOf(value)) writing.bytes[writing.at - 1] = (writing.bytes[writing.at - 1] ?? 0) | (1 << at);
    },
  };
}

/** True or false in two bytes, as Modbus writes a coil: ff00 or 0000. */
export const coilField: FieldCodec = {
  min: 2,
  max: 2,
  read(reading) {
    const at = reading.at;
    if (!reading.skip(2)) return reading.short(2);
    const value = ((reading.bytes[at] ?? 0) << 8) | (reading.bytes[at + 1] ?? 0);
    if (value === 0xff00 || value === 0) return value !== 0;
    return reading.fail({
      reason: 'bad_constant',
      field: '',
      offset: at - reading.origin,
      expected: '0xff00 or 0x0000',
      seen: `0x${value.toString(16).padStart(4, '0')}`,
    });
  },
  check(reading) {
    const at = reading.at;
    if (!reading.skip(2)) return false;
    const high = reading.bytes[at];
    return reading.bytes[at + 1] === 0 && (high === 0xff || high === 0);
  },
  write(writing, value) {
    const on = flagOf(value);
    const at = writing.take(2);
    writing.bytes[at] = on ? 0xff : 0;
    writing.bytes[at + 1] = 0;
  },
};

function flagOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new FieldError(value === undefined ? 'is missing' : 'must be true or false', shown(value));
}
