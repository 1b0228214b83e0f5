import { findChecksum } from '../crc/catalogue.ts';
import type { Checksum, WideChecksum } from '../crc/checksum.ts';
import type { ByteOrder } from '../framing/byte-order.ts';
import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { loaderOf, loadWide, type NumberType, storeWide } from './number-type.ts';

/** A checksum over earlier bytes of the payload; it is verified, written, and no part of the values. */
export function checksumField(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const found = findChecksum(declaration.algorithm ?? '');
  // The lint refuses unknown names; what is left of one is a field without bytes.
  if (found === undefined)
    return {
      min: 0,
      max: 0,
      silent: 'checksum',
      read: () => undefined,
      check: () => true,
      write: () => undefined,
    };
  const checksum = found;
  const order: ByteOrder = declaration.byteOrder ?? scope.byteOrder;
  const size = checksum.bytes;
  const type: NumberType = { kind: 'int', bytes: size, signed: false, little: order === 'little' };
  const load = size > 6 ? (bytes: Uint8Array, at: number) => loadWide(type, bytes, at) : loaderOf(type);
  const marks = declaration.covers?.map((name) => scope.marks.get(name) ?? -1);
  const hex = (value: number | bigint): string => `0x${value.toString(16).padStart(2 * size, '0')}`;
  return {
    min: size,
    max: size,
    silent: 'checksum',
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      const seen = load(reading.bytes, at);
      const computed = compute(checksum, reading.bytes, reading.origin, at, marks, reading.marks);
      if (seen === computed || BigInt(seen) === BigInt(computed)) return undefined;
      return reading.fail({
        reason: 'bad_checksum',
        field: '',
        offset: at - reading.origin,
        expected: `${checksum.name} ${hex(computed)}`,
        seen: hex(seen),
      });
    },
    check(reading) {
      const at = reading.at;
      if (!reading.skip(size)) return false;
      reading.summed += marks === undefined ? at - reading.origin : coveredBytes(marks, reading.marks);
      if (reading.summed > reading.mostSummed) return false;
      const seen = load(reading.bytes, at);
      const computed = compute(checksum, reading.bytes, reading.origin, at, marks, reading.marks);
      return seen === computed || (checksum.wide && BigInt(seen) === BigInt(computed));
    },
    write(writing) {
      const at = writing.take(size);
      const computed = compute(checksum, writing.bytes, 0, at, marks, writing.marks);
      storeWide(type, writing.bytes, at, BigInt(computed));
    },
  };
}

function compute(
  checksum: Checksum | WideChecksum,
  bytes: Uint8Array,
  start: number,
  end: number,
  covers: readonly number[] | undefined,
  marks: readonly number[],
): number | bigint {
  if (checksum.wide) {
    let register = checksum.initial;
    if (covers === undefined) register = checksum.update(register, bytes, start, end);
    else
      for (const mark of covers)
        register = checksum.update(register, bytes, marks[2 * mark] ?? 0, marks[2 * mark + 1] ?? 0);
    return checksum.finish(register);
  }
  let register = checksum.initial;
  if (covers === undefined) register = checksum.update(register, bytes, start, end);
  else
    for (const mark of covers)
      register = checksum.update(register, bytes, marks[2 * mark] ?? 0, marks[2 * mark + 1] ?? 0);
  return checksum.finish(register);
}

function coveredBytes(covers: readonly number[], marks: readonly number[]): number {
  let bytes = 0;
  for (const mark of covers) bytes += (marks[2 * mark + 1] ?? 0) - (marks[2 * mark] ?? 0);
  return bytes;
}

/** Checksums that are computed for one message; any number in an array. */
export function checksumsIn(fields: readonly FieldDeclaration[]): number {
  return fields.reduce((sum, { type, fields: inner = [], of }) => {
    const own = type === 'crc' ? 1 : checksumsIn(inner);
    return sum + own + (of !== undefined && checksumsIn([of]) > 0 ? Number.POSITIVE_INFINITY : 0);
  }, 0);
}
