import { hexExcerpt } from '../describe.ts';
import type { FieldDeclaration } from './declaration.ts';
import { extentCodec } from './extent.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { tooMany } from './text-field.ts';
import { bytesOf, bytesOfHex, bytesValue } from './value.ts';
import { FieldError, shown } from './writing.ts';

/** Bytes as they are. */
export function bytesField(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const extent = extentCodec(declaration.length ?? 'rest', scope);
  const most = Math.min(declaration.max ?? scope.limit, extent.most);
  const checked = (value: unknown): Uint8Array => {
    if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
    const bytes = bytesOf(value);
    if (bytes === undefined) {
      throw new FieldError('must be bytes: hex as 0x0a0b, or {"$bytes": base64, "len": n}', shown(value));
    }
    if (bytes.length > most) throw new FieldError(`must have at most ${most} bytes`, `${bytes.length} bytes`);
    return bytes;
  };
  return {
    min: extent.prefix + (extent.fixed ?? 0),
    max: extent.prefix + most,
    read(reading) {
      const length = extent.read(reading, 1);
      if (length === undefined) return undefined;
      const at = reading.at;
      if (length > most) return tooMany(reading, length, most, 'bytes');
      if (at + length > reading.end) return reading.short(length);
      reading.at = at + length;
      return bytesValue(reading.bytes, at, at + length);
    },
    check(reading) {
      const length = extent.look(reading, 1);
      return length >= 0 && length <= most && reading.skip(length);
    },
    write(writing, value) {
      const bytes = checked(value);
      extent.write(writing, bytes.length);
      writing.put(bytes);
    },
    measure: (value) => checked(value).length,
  };
}

/** Bytes that are always the same: a constant, or reserved ones, which are written as zeros and never judged. */
export function fixedBytes(bytes: Uint8Array, judged: boolean): FieldCodec {
  const size = bytes.length;
  return {
    min: size,
    max: size,
    silent: judged ? 'constant' : 'reserved',
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      for (let index = 0; judged && index < size; index++) {
        if (reading.bytes[at + index] === bytes[index]) continue;
        return reading.fail({
          reason: 'bad_constant',
          field: '',
          offset: at - reading.origin,
          expected: hexExcerpt(bytes, 0, size),
          seen: hexExcerpt(reading.bytes, at, at + size),
        });
      }
      reading.at = at + size;
      return undefined;
    },
    check(reading) {
      const at = reading.at;
      if (!reading.skip(size)) return false;
      for (let index = 0; judged && index < size; index++) {
        if (reading.bytes[at + index] !== bytes[index]) return false;
      }
      return true;
    },
    write: (writing) => writing.put(bytes),
  };
}

/** Reserved bytes, all zero when we send them. */
export function reservedField({ length }: FieldDeclaration, limit: number): FieldCodec {
  // More than any frame may have is refused by the lint, which must be able to ask how long a field is.
  return fixedBytes(new Uint8Array(typeof length === 'number' ? Math.min(length, limit) : 1), false);
}

/** The bytes of a constant `bytes` field. */
export function constantBytes(value: number | string): FieldCodec {
  return fixedBytes(bytesOfHex(String(value)) ?? new Uint8Array(0), true);
}
