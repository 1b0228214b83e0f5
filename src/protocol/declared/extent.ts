import type { Extent } from './declaration.ts';
import type { Scope } from './field-codec.ts';
import { type LoadNumber, loaderOf, parseNumberType, type StoreNumber, storerOf } from './number-type.ts';
import type { Reading } from './reading.ts';
import { FieldError, type Writing } from './writing.ts';

/** How many elements or bytes a field has, and where that is said. */
export interface ExtentCodec {
  readonly fixed: number | undefined;
  /** Bytes of the number in front of the content. */
  readonly prefix: number;
  /** The greatest number that can be said. */
  readonly most: number;
  /** Reads the number; undefined where the payload ends within it, or where it is none. */
  read(reading: Reading, unit: number): number | undefined;
  /** The same without a report; negative where there is none. */
  look(reading: Reading, unit: number): number;
  /** Writes the number in front of the content, or checks that it is what another field said. */
  write(writing: Writing, count: number): void;
  /** Whether another field says it. */
  readonly refers: boolean;
}

export function extentCodec(extent: Extent, scope: Scope): ExtentCodec {
  if (typeof extent === 'number') return fixedExtent(extent);
  if (extent === 'rest') return restExtent(scope.tail, scope.limit);
  if (typeof extent === 'string') {
    const type = parseNumberType(extent, scope.byteOrder);
    if (type === undefined) return fixedExtent(0);
    return prefixed(type.bytes, 2 ** (8 * type.bytes) - 1, loaderOf(type), storerOf(type));
  }
  const { field, type, adjust = 0 } = extent;
  const plain =
    field === undefined ? extentCodec(type ?? 'u8', scope) : referred(scope.targets.get(field)?.slot ?? 0);
  return adjust === 0 ? plain : adjusted(plain, adjust);
}

/** A number that counts other bytes as well, or leaves some out. */
function adjusted(extent: ExtentCodec, adjust: number): ExtentCodec {
  return {
    ...extent,
    most: extent.most + adjust,
    read(reading, unit) {
      const said = extent.read(reading, unit);
      if (said === undefined || said + adjust >= 0) return said === undefined ? undefined : said + adjust;
      return reading.fail({
        reason: 'bad_count',
        field: '',
        offset: reading.at - reading.origin,
        expected: `at least ${-adjust}`,
        seen: `${said}`,
      });
    },
    look(reading, unit) {
      const said = extent.look(reading, unit);
      return said < 0 ? said : said + adjust;
    },
    write: (writing, count) => extent.write(writing, count - adjust),
  };
}

function fixedExtent(count: number): ExtentCodec {
  return {
    fixed: count,
    prefix: 0,
    most: count,
    refers: false,
    read: () => count,
    look: () => count,
    write(_, seen) {
      if (seen !== count) throw new FieldError(`must have exactly ${count}`, `${seen}`);
    },
  };
}

/** The rest ends where fields of known length begin. */
function restExtent(tail: number, limit: number): ExtentCodec {
  return {
    fixed: undefined,
    prefix: 0,
    most: limit,
    refers: false,
    read(reading, unit) {
      const left = reading.end - reading.at - tail;
      if (left < 0) return reading.short(tail);
      return Math.ceil(left / unit);
    },
    look(reading, unit) {
      const left = reading.end - reading.at - tail;
      return left < 0 ? -1 : Math.ceil(left / unit);
    },
    write: () => undefined,
  };
}

function prefixed(bytes: number, most: number, load: LoadNumber, store: StoreNumber): ExtentCodec {
  return {
    fixed: undefined,
    prefix: bytes,
    most,
    refers: false,
    read(reading) {
      const at = reading.at;
      if (at + bytes > reading.end) return reading.short(bytes);
      reading.at = at + bytes;
      return load(reading.bytes, at);
    },
    look(reading) {
      const at = reading.at;
      return reading.skip(bytes) ? load(reading.bytes, at) : -1;
    },
    write(writing, count) {
      if (count > most) throw new FieldError(`must have at most ${most}`, `${count}`);
      const at = writing.take(bytes);
      store(writing.bytes, at, count);
    },
  };
}

function referred(slot: number): ExtentCodec {
  return {
    fixed: undefined,
    prefix: 0,
    most: Number.POSITIVE_INFINITY,
    refers: true,
    read(reading) {
      const count = reading.slots[slot] ?? 0;
      if (count >= 0) return count;
      return reading.fail({
        reason: 'bad_count',
        field: '',
        offset: reading.at - reading.origin,
        expected: 'a number of at least 0 in the field that says it',
        seen: `${count}`,
      });
    },
    look: (reading) => reading.slots[slot] ?? 0,
    write(writing, count) {
      const said = writing.slots[slot] ?? 0;
      if (said !== count)
        throw new FieldError(`must have ${said}, as the field that counts it says`, `${count}`);
    },
  };
}
