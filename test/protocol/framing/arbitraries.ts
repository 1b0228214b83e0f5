import fc from 'fast-check';
import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';

/** Bounds of what a framing carries, in bytes. */
function bounds(framing: FramingDeclaration): { least: number; most: number } {
  const { maxPayload } = makeFraming(framing);
  if (framing.type === 'fixed') return { least: maxPayload, most: maxPayload };
  const inPayload = 'at' in framing && framing.at !== undefined;
  // Bytes of a sync word that may be any, and a length behind them, belong to the payload.
  const least = framing.type === 'sync' && inPayload ? Math.max(8, framing.at ?? 0) : inPayload ? 8 : 1;
  const most = Math.min(maxPayload, 'length' in framing && framing.length === 'u8' ? 200 : 600);
  return { least, most };
}

/** Payloads that a framing can carry. A length that is part of the payload is what `encode` makes it. */
export function payloadFor(framing: FramingDeclaration): fc.Arbitrary<Uint8Array> {
  const { least, most } = bounds(framing);
  const marks =
    framing.type === 'delimiter' && framing.escape === undefined
      ? new Set([...framing.delimiter, ...(framing.start ?? [])])
      : new Set<number>();
  const special = fc.constantFrom(
    0x00,
    0xff,
    0xc0,
    0xdb,
    0xdc,
    0x7e,
    0x7d,
    0x5c,
    0xb5,
    0x62,
    0x0d,
    0x0a,
    0x65,
  );
  const byte = fc
    .oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 255 }) }, special)
    .filter((each) => !marks.has(each));
  return fc
    .array(byte, { minLength: least, maxLength: most, size: 'large' })
    .map((bytes) => Uint8Array.from(bytes));
}
