import { hexExcerpt, quotedText } from '../describe.ts';
import { parseBits } from './bit-range.ts';
import type { Head } from './compile-fields.ts';
import { constantNumber } from './constant-field.ts';
import type { MessageDeclaration, ProtocolDeclaration, SelectorPart } from './declaration.ts';
import type { FieldCodec } from './field-codec.ts';
import { parseNumberType } from './number-type.ts';
import { isAt } from './split.ts';
import { encodeText } from './text-code.ts';

const NO_BYTES = new Uint8Array(0);

/** Where an id ends that is no single number: bytes that it has of its own. */
export function partBytes(part: SelectorPart, { byteOrder }: Pick<ProtocolDeclaration, 'byteOrder'>): number {
  if (part.bits !== undefined) return 0;
  if (part.type === 'text') return part.length ?? 0;
  return parseNumberType(part.type, byteOrder)?.bytes ?? 0;
}

/** What stands at the places of the ids of a message, among its fields. */
export function selectorHeads(
  protocol: ProtocolDeclaration,
  { selects = [], fields = [] }: MessageDeclaration,
  separator: Uint8Array = NO_BYTES,
): readonly Head[] {
  return (protocol.selector ?? []).flatMap((part, index): Head[] => {
    const value = selects[index];
    if (value === undefined) return [];
    const name = index === 0 ? 'id' : `id_${index + 1}`;
    const type = parseNumberType(part.type, protocol.byteOrder);
    if (part.type === 'text' || type === undefined) {
      const until = part.until ?? NO_BYTES;
      const ends = isAt(until, 0, until.length, separator) && separator.length > 0 ? NO_BYTES : until;
      return [
        {
          at: part.at,
          members: [{ name, codec: textId(String(value), ends, fields.length > 0), ended: ends.length > 0 }],
        },
      ];
    }
    if (part.bits === undefined)
      return [{ at: part.at, members: [{ name, codec: constantNumber(type, value) }] }];
    const codec = bitsId(part, Number(value), type.bytes, type.little);
    const { from, count } = parseBits(part.bits) ?? { from: 0, count: 0 };
    const takes = ((1n << BigInt(count)) - 1n) << BigInt(from);
    return [{ at: part.at + type.bytes, members: [{ name, codec }], takes }];
  });
}

/** A text that tells messages apart, and what ends it where more follows. */
function textId(value: string, until: Uint8Array, goesOn: boolean): FieldCodec {
  const text = encodeText('utf8', value) ?? NO_BYTES;
  const whole = new Uint8Array([...text, ...until]);
  const fits = (bytes: Uint8Array, at: number, end: number): number => {
    if (isAt(bytes, at, end, whole)) return whole.length;
    // Without anything behind it, the text needs no end.
    return at + text.length === end && isAt(bytes, at, end, text) ? text.length : -1;
  };
  return {
    min: text.length,
    max: whole.length,
    silent: 'constant',
    read(reading) {
      const size = fits(reading.bytes, reading.at, reading.end);
      if (size < 0) {
        return reading.fail({
          reason: 'bad_constant',
          field: '',
          offset: reading.at - reading.origin,
          expected: quotedText(whole),
          seen: quotedText(reading.bytes, reading.at, Math.min(reading.end, reading.at + 32)),
        });
      }
      reading.at += size;
      return undefined;
    },
    check(reading) {
      const size = fits(reading.bytes, reading.at, reading.end);
      reading.at += Math.max(0, size);
      return size >= 0;
    },
    write: (writing) => writing.put(goesOn ? whole : text),
  };
}

/** Some bits of a number that fields declare: they stand in front of it, and nothing is moved on. */
function bitsId({ bits = 0 }: SelectorPart, value: number, size: number, little: boolean): FieldCodec {
  const { from, count } = parseBits(bits) ?? { from: 0, count: 1 };
  const byteOf = (start: number, bit: number): number =>
    start - size + (little ? Math.floor(bit / 8) : size - 1 - Math.floor(bit / 8));
  const all = Array.from({ length: count }, (_, index) => ({
    bit: from + index,
    set: Math.floor(value / 2 ** index) % 2 === 1,
  }));
  const fits = (bytes: Uint8Array, at: number): boolean =>
    all.every(({ bit, set }) => (((bytes[byteOf(at, bit)] ?? 0) >> (bit % 8)) & 1) === (set ? 1 : 0));
  return {
    min: 0,
    max: 0,
    silent: 'constant',
    read(reading) {
      if (fits(reading.bytes, reading.at)) return undefined;
      return reading.fail({
        reason: 'bad_constant',
        field: '',
        offset: reading.at - size - reading.origin,
        expected: `${value} in the bits ${bits}`,
        seen: hexExcerpt(reading.bytes, reading.at - size, reading.at),
      });
    },
    check: (reading) => fits(reading.bytes, reading.at),
    write(writing) {
      for (const { bit, set } of all) {
        const at = byteOf(writing.at, bit);
        const mask = 1 << (bit % 8);
        const byte = writing.bytes[at] ?? 0;
        writing.bytes[at] = set ? byte | mask : byte & ~mask;
      }
    },
  };
}
