import { hexExcerpt } from '../describe.ts';
import type { ExtentCodec } from './extent.ts';
import type { FieldCodec } from './field-codec.ts';
import type { Reading } from './reading.ts';
import { EXTRA } from './split-field.ts';
import { tooMany } from './text-field.ts';
import { bytesOf, bytesValue, isValues, ownValue, type Value, type Values } from './value.ts';
import { FieldError, shown, Writing } from './writing.ts';

/** What becomes of bytes behind the last field. */
export type Extra = 'refuse' | 'ignore' | 'keep';

/** A field in so many bytes, which its own end need not fill. */
export function measuredField(
  inner: FieldCodec,
  extent: ExtentCodec,
  extra: Extra,
  limit: number,
): FieldCodec {
  const most = Math.min(limit, extent.most);
  const write = (writing: Writing, value: unknown): void => {
    const [own, more] = extra === 'keep' ? withoutExtraBytes(value) : [value, undefined];
    inner.write(writing, own);
    if (more !== undefined) writing.put(more);
  };
  return {
    min: extent.prefix + (extent.fixed ?? 0),
    max: extent.prefix + most,
    read(reading) {
      const length = extent.read(reading, 1);
      if (length === undefined) return undefined;
      if (length > most) return tooMany(reading, length, most, 'bytes');
      const stop = reading.at + length;
      const { end } = reading;
      if (stop > end) return reading.short(length);
      reading.end = stop;
      const value = inner.read(reading);
      if (reading.failure !== undefined) {
        reading.end = end;
        return undefined;
      }
      const left = takeExtra(reading, value, extra);
      reading.end = end;
      return left;
    },
    check(reading) {
      const length = extent.look(reading, 1);
      const stop = reading.at + length;
      const { end } = reading;
      if (length < 0 || length > most || stop > end) return false;
      reading.end = stop;
      const fits = inner.check(reading) && (extra !== 'refuse' || reading.at === stop);
      if (fits) reading.at = stop;
      reading.end = end;
      return fits;
    },
    write(writing, value) {
      const at = writing.take(extent.prefix);
      writing.endsAt = -1;
      write(writing, value);
      writing.endsAt = -1;
      const { fixed } = extent;
      const length = writing.at - at - extent.prefix;
      if (fixed !== undefined && length < fixed) {
        const from = writing.take(fixed - length);
        writing.bytes.fill(0, from, writing.at);
      }
      const end = writing.at;
      writing.at = at;
      extent.write(writing, end - at - extent.prefix);
      writing.at = end;
    },
    measure(value) {
      const scratch = new Writing();
      scratch.begin(limit);
      write(scratch, value);
      return scratch.at;
    },
  };
}

/** Handles the bytes behind the last field, up to `reading.end`. */
export function takeExtra(reading: Reading, value: Value | undefined, extra: Extra): Value | undefined {
  const { at, end, bytes } = reading;
  if (at === end) return value;
  if (extra === 'refuse') {
    return reading.fail({
      reason: 'too_long',
      field: '',
      offset: at - reading.origin,
      expected: 'the end of the field',
      seen: `${end - at} more: ${hexExcerpt(bytes, at, end)}`,
    });
  }
  reading.at = end;
  if (extra === 'ignore' || !isValues(value)) return value;
  const kept = bytesValue(bytes, at, end);
  reading.trace?.push({
    field: EXTRA,
    offset: at - reading.origin,
    bytes: end - at,
    value: kept,
    depth: reading.depth,
  });
  return { ...value, [EXTRA]: kept };
}

/** The values without the bytes that nothing is declared for, and these. */
export function withoutExtraBytes(value: unknown): readonly [unknown, Uint8Array | undefined] {
  if (!isValues(value)) return [value, undefined];
  const extra = ownValue(value, EXTRA);
  if (extra === undefined) return [value, undefined];
  const bytes = bytesOf(extra);
  if (bytes === undefined) throw new FieldError('must be bytes', shown(extra), EXTRA);
  const { [EXTRA]: _, ...own } = value as Values; // `isValues` has said so
  return [own, bytes];
}
