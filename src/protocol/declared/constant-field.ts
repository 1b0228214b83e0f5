import { fixedBytes } from './bytes-field.ts';
import type { FieldDeclaration } from './declaration.ts';
import type { FieldCodec } from './field-codec.ts';
import { type NumberType, parseWhole, storeFloat, storeWide } from './number-type.ts';
import { encodeText, unitOf } from './text-code.ts';

/** A number that is always the same. */
export function constantNumber(type: NumberType, value: number | string, slot = -1): FieldCodec {
  const bytes = new Uint8Array(type.bytes);
  if (type.kind === 'float') storeFloat(type, bytes, 0, Number(value));
  else storeWide(type, bytes, 0, parseWhole(value) ?? 0n);
  const codec = fixedBytes(bytes, true);
  if (slot < 0) return codec;
  const raw = Number(parseWhole(value) ?? value);
  return {
    ...codec,
    read(reading) {
      reading.slots[slot] = raw;
      return codec.read(reading);
    },
    check(reading) {
      reading.slots[slot] = raw;
      return codec.check(reading);
    },
    write(writing, given) {
      writing.slots[slot] = raw;
      codec.write(writing, given);
    },
  };
}

/** Text that is always the same, with what fills it up or ends it. */
export function constantText(
  declaration: FieldDeclaration,
  value: number | string,
  limit: number,
): FieldCodec {
  const { encoding = 'utf8', length, pad = 0, terminator } = declaration;
  const text = encodeText(encoding, String(value)) ?? new Uint8Array(0);
  const unit = unitOf(encoding);
  const end = terminator === undefined ? 0 : unit;
  const bytes = new Uint8Array(
    Math.max(text.length + end, typeof length === 'number' ? Math.min(length, limit) : 0),
  );
  for (let at = 0; at < bytes.length; at += unit) {
    bytes[encoding === 'utf16be' ? at + 1 : at] = terminator ?? pad;
  }
  bytes.set(text);
  return fixedBytes(bytes, true);
}
