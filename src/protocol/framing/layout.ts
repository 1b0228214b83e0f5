import { HeartwireError } from '../../errors.ts';
import { type ByteOrder, writeUnsigned } from './byte-order.ts';
import { ChecksumField } from './checksum-field.ts';
import type { FrameChecksumDeclaration, FramingId, LengthType } from './declaration.ts';

export const NO_BYTES = new Uint8Array(0);

/** Where a frame says how long it is. */
export interface LengthPlace {
  readonly at: number;
  readonly width: number;
  readonly order: ByteOrder;
}

/**
 * Where everything stands in a frame that says, or knows, how long it is:
 *
 *     sync word | header, with the length | body | checksum | trailer
 *               '----- or: payload -------'
 *
 * A length right behind the sync word is no part of the payload.
 */
export interface FrameLayout {
  readonly sync: Uint8Array;
  readonly length: LengthPlace | undefined;
  /** Bytes of the frame that its length does not count; without a length, bytes of the frame. */
  readonly overhead: number;
  /** Bytes that must be there to know how long the frame is. */
  readonly headerBytes: number;
  /** Offset of the payload in the frame. */
  readonly payloadAt: number;
  readonly checksum: ChecksumField | undefined;
  readonly trailer: Uint8Array;
  /** Bytes of checksum and trailer. */
  readonly tailBytes: number;
  /** Bounds of the whole frame in bytes. */
  readonly minBytes: number;
  readonly maxBytes: number;
}

/** Width in bytes and byte order of a length. */
export function lengthType(type: LengthType): { width: number; order: ByteOrder } {
  const order = type.endsWith('le') ? 'little' : 'big';
  switch (type) {
    case 'u8':
      return { width: 1, order };
    case 'u16be':
    case 'u16le':
      return { width: 2, order };
    case 'u24be':
    case 'u24le':
      return { width: 3, order };
    case 'u32be':
    case 'u32le':
      return { width: 4, order };
  }
}

interface LayoutParts {
  readonly sync: Uint8Array;
  readonly length: LengthPlace | undefined;
  /** Added to the length; without a length, the bytes of the whole frame. */
  readonly adjust: number;
  readonly checksum: FrameChecksumDeclaration | undefined;
  readonly trailer: Uint8Array | undefined;
  readonly maxPayload: number;
  readonly id?: FramingId | undefined;
}

/** Reckons out a layout. */
export function makeLayout(parts: LayoutParts): FrameLayout {
  const { sync, length, adjust, maxPayload } = parts;
  const trailer = parts.trailer ?? NO_BYTES;
  const headerBytes = length === undefined ? sync.length : length.at + length.width;
  const payloadAt = length?.at === sync.length ? headerBytes : sync.length;
  const id = parts.id === undefined ? undefined : { ...parts.id, at: payloadAt + parts.id.at };
  const checksum =
    parts.checksum === undefined ? undefined : new ChecksumField(parts.checksum, { from: sync.length, id });
  const tailBytes = (checksum?.bytes ?? 0) + trailer.length;
  const shared = { sync, length, headerBytes, payloadAt, checksum, trailer, tailBytes };
  if (length === undefined) return { ...shared, overhead: adjust, minBytes: adjust, maxBytes: adjust };
  return {
    ...shared,
    overhead: headerBytes + adjust + tailBytes,
    minBytes: Math.max(headerBytes, payloadAt + 1) + tailBytes,
    maxBytes: payloadAt + maxPayload + tailBytes,
  };
}

/** The whole frame around a payload; a length that is part of the payload is filled in. */
export function encodeLayout(layout: FrameLayout, payload: Uint8Array): Uint8Array {
  const { sync, length, payloadAt, checksum, trailer, tailBytes, minBytes, maxBytes } = layout;
  const total = payloadAt + payload.length + tailBytes;
  if (total < minBytes || total > maxBytes) {
    const least = minBytes - payloadAt - tailBytes;
    const most = maxBytes - payloadAt - tailBytes;
    throw new HeartwireError(
      'bad_argument',
      least === most ? `A payload has ${least} bytes` : `A payload has ${least} to ${most} bytes`,
      { seen: `${payload.length} bytes` },
    );
  }
  const frame = new Uint8Array(total);
  frame.set(sync);
  frame.set(payload, payloadAt);
  if (length !== undefined) {
    const value = total - layout.overhead;
    if (value < 0 || value >= 2 ** (8 * length.width)) {
      throw new HeartwireError('bad_argument', `A length of ${length.width} bytes cannot hold ${value}`, {
        seen: `a payload of ${payload.length} bytes`,
      });
    }
    writeUnsigned(frame, length.at, length.width, length.order, value);
  }
  const tail = total - tailBytes;
  checksum?.write(frame, 0, tail);
  frame.set(trailer, total - trailer.length);
  return frame;
}
