import { findChecksum } from '../crc/catalogue.ts';
import type { Checksum, WideChecksum } from '../crc/checksum.ts';
import type { ByteOrder } from '../framing/byte-order.ts';
import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { loaderOf, loadWide, type NumberType, storeWide } from './number-type.ts';
import type { Reading } from './reading.ts';

/** How a checksum stands in the payload. */
interface ChecksumForm {
  readonly checksum: Checksum | WideChecksum;
  /** Bytes that it takes. */
  readonly size: number;
  /** NaN where these are no hex digits. */
  load(bytes: Uint8Array, at: number): number | bigint;
  store(bytes: Uint8Array, at: number, value: bigint): void;
  shown(value: number | bigint): string;
}

/** The lint refuses unknown names; what is left of one is a field without bytes. */
const NOTHING: FieldCodec = {
  min: 0,
  max: 0,
  silent: 'checksum',
  read: () => undefined,
  check: () => true,
  write: () => undefined,
};

function formOf(declaration: FieldDeclaration, scope: Scope): ChecksumForm | undefined {
  const checksum = findChecksum(declaration.algorithm ?? '');
  if (checksum === undefined) return undefined;
  const order: ByteOrder = declaration.byteOrder ?? scope.byteOrder;
  const { bytes: size } = checksum;
  const type: NumberType = { kind: 'int', bytes: size, signed: false, little: order === 'little' };
  const load = size > 6 ? (bytes: Uint8Array, at: number) => loadWide(type, bytes, at) : loaderOf(type);
  const shown = (value: number | bigint): string =>
    Number.isNaN(Number(value)) ? 'no hex digits' : `0x${value.toString(16).padStart(2 * size, '0')}`;
  if (declaration.hex !== true) {
    return { checksum, size, load, shown, store: (bytes, at, value) => storeWide(type, bytes, at, value) };
  }
  const plain = new Uint8Array(size);
  return {
    checksum,
    size: 2 * size,
    shown,
    load(bytes, at) {
      for (let index = 0; index < size; index++) {
        const high = digitOf(bytes[at + 2 * index]);
        const low = digitOf(bytes[at + 2 * index + 1]);
        if (high < 0 || low < 0) return Number.NaN;
        plain[index] = 16 * high + low;
      }
      return load(plain, 0);
    },
    store(bytes, at, value) {
      storeWide(type, plain, 0, value);
      for (const [index, byte] of plain.entries()) {
        bytes[at + 2 * index] = DIGITS.charCodeAt(byte >> 4);
        bytes[at + 2 * index + 1] = DIGITS.charCodeAt(byte & 15);
      }
    },
  };
}

const DIGITS = '0123456789ABCDEF';

function digitOf(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** A checksum over earlier bytes of the payload; it is verified, written, and no part of the values. */
export function checksumField(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const form = formOf(declaration, scope);
  if (form === undefined) return NOTHING;
  const { checksum, size, load, store } = form;
  const marks = declaration.covers?.map((name) => scope.marks.get(name) ?? -1);
  return {
    min: size,
    max: size,
    silent: 'checksum',
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      reading.at = at + size;
      return verify(form, reading, at, marks);
    },
    check(reading) {
      const at = reading.at;
      if (!reading.skip(size)) return false;
      reading.summed += marks === undefined ? at - reading.origin : coveredBytes(marks, reading.marks);
      if (reading.summed > reading.mostSummed) return false;
      const seen = load(reading.bytes, at);
      return same(seen, compute(checksum, reading.bytes, reading.origin, at, marks, reading.marks));
    },
    write(writing) {
      const at = writing.take(size);
      store(writing.bytes, at, BigInt(compute(checksum, writing.bytes, 0, at, marks, writing.marks)));
    },
  };
}

/** A checksum in front of what it covers: where it stands, and what verifies or fills it in behind all of that. */
export function frontChecksum(
  declaration: FieldDeclaration,
  scope: Scope,
): { readonly place: FieldCodec; readonly end: FieldCodec } {
  const form = formOf(declaration, scope);
  if (form === undefined) return { place: NOTHING, end: NOTHING };
  const { checksum, size, load, store } = form;
  const own = scope.next.mark++;
  const covers = declaration.covers ?? [];
  let found: readonly number[] | undefined;
  // Marks of later fields are known when all of them are compiled.
  const marksOf = (): readonly number[] => {
    found ??= covers.map((name) => scope.marks.get(name) ?? -1);
    return found;
  };
  return {
    place: {
      min: size,
      max: size,
      silent: 'checksum',
      read(reading) {
        reading.marks[2 * own] = reading.at;
        return reading.skip(size) ? undefined : reading.short(size);
      },
      check(reading) {
        reading.marks[2 * own] = reading.at;
        return reading.skip(size);
      },
      write(writing) {
        const at = writing.take(size);
        writing.bytes.fill(0, at, at + size);
        writing.marks[2 * own] = at;
      },
    },
    end: {
      min: 0,
      max: 0,
      silent: 'checksum',
      read: (reading) => verify(form, reading, reading.marks[2 * own] ?? 0, marksOf()),
      check(reading) {
        const at = reading.marks[2 * own] ?? 0;
        reading.summed += coveredBytes(marksOf(), reading.marks);
        if (reading.summed > reading.mostSummed) return false;
        const seen = load(reading.bytes, at);
        return same(seen, compute(checksum, reading.bytes, reading.origin, at, marksOf(), reading.marks));
      },
      write(writing) {
        const at = writing.marks[2 * own] ?? 0;
        store(writing.bytes, at, BigInt(compute(checksum, writing.bytes, 0, at, marksOf(), writing.marks)));
      },
    },
  };
}

const same = (seen: number | bigint, computed: number | bigint): boolean =>
  seen === computed || (!Number.isNaN(Number(seen)) && BigInt(seen) === BigInt(computed));

function verify(
  { checksum, load, shown }: ChecksumForm,
  reading: Reading,
  at: number,
  marks: readonly number[] | undefined,
): undefined {
  const seen = load(reading.bytes, at);
  const computed = compute(checksum, reading.bytes, reading.origin, at, marks, reading.marks);
  if (same(seen, computed)) return undefined;
  return reading.fail({
    reason: 'bad_checksum',
    field: '',
    offset: at - reading.origin,
    expected: `${checksum.name} ${shown(computed)}`,
    seen: shown(seen),
  });
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
