import type { FieldCodec } from './field-codec.ts';
import { FieldError, shown } from './writing.ts';

/** A field that is there where bytes are left for it; firmware that is older ends in front of it. */
export function optionalField(codec: FieldCodec, tail: number, slot: number): FieldCodec {
  return {
    ...codec,
    min: 0,
    read(reading) {
      if (reading.at < reading.end - tail) return codec.read(reading);
      if (slot >= 0) reading.slots[slot] = Number.NaN;
      return undefined;
    },
    check(reading) {
      if (reading.at < reading.end - tail) return codec.check(reading);
      if (slot >= 0) reading.slots[slot] = Number.NaN;
      return true;
    },
    write(writing, value) {
      if (value === undefined) {
        if (slot >= 0) writing.slots[slot] = Number.NaN;
        writing.endsAt = writing.at;
        return;
      }
      if (writing.endsAt === writing.at)
        throw new FieldError('stands behind a field that is left out', shown(value));
      codec.write(writing, value);
    },
  };
}

/** All that is left up to fields of a fixed length, and none of the values. */
export function skippedRest(tail: number, limit: number): FieldCodec {
  return {
    min: 0,
    max: limit,
    silent: 'reserved',
    read(reading) {
      const stop = reading.end - tail;
      if (stop < reading.at) return reading.short(tail);
      reading.at = stop;
      return undefined;
    },
    check(reading) {
      const stop = reading.end - tail;
      if (stop < reading.at) return false;
      reading.at = stop;
      return true;
    },
    write: () => undefined,
  };
}
