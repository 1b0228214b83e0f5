import { HeartwireError } from '../../errors.ts';
import type { Declared, SyncWord } from '../keys.ts';
import { ChecksumField } from './checksum-field.ts';
import type { FrameChecksumDeclaration, FramingId, LENGTH_KEYS } from './framing-keys.ts';
import { type LengthPlace, lengthType, varint, varintBytes, writeLength } from './length-place.ts';
import { type SyncWords, syncWords } from './sync-word.ts';

export const NO_BYTES = new Uint8Array(0);

/**
 * Where everything stands in a frame that says, or knows, how long it is:
 *
 *     sync word | header, with the length | body | checksum | trailer
 *               '----- or: payload -------'
 *
 * A length right behind the sync word is no part of the payload. Within a sync word, the payload begins at the first
 * free byte that is no length.
 */
export interface FrameLayout {
  readonly preamble: Uint8Array;
  readonly sync: SyncWords;
  readonly length: LengthPlace | undefined;
  /** Where the same length stands once more; -1 where it does not. */
  readonly again: number;
  /** Where the id stands in the payload, and how long a payload is by it, where that is declared. */
  readonly id: FramingId | undefined;
  readonly sizes: ReadonlyMap<number, number> | undefined;
  /** Bytes of the frame that its length does not count; without a length, bytes of the frame. */
  readonly overhead: number;
  /** Bytes that must be there to know how long the frame is. */
  readonly headerBytes: number;
  /** Offset of the payload in the frame; behind a varint of one byte. */
  readonly payloadAt: number;
  /** The payload begins behind a varint, which may have more bytes. */
  readonly behindVarint: boolean;
  readonly checksum: ChecksumField | undefined;
  readonly trailer: Uint8Array;
  /** Bytes of checksum and trailer. */
  readonly tailBytes: number;
  /** Bounds of the whole frame in bytes. */
  readonly minBytes: number;
  readonly maxBytes: number;
}

interface LayoutParts {
  readonly preamble?: Uint8Array | undefined;
  readonly sync: SyncWord | readonly SyncWord[] | undefined;
  readonly length: LengthPlace | undefined;
  readonly again?: number | undefined;
  /** Added to the length; without a length, the bytes of the whole frame. */
  readonly adjust: number;
  readonly checksum: FrameChecksumDeclaration | undefined;
  readonly trailer: Uint8Array | undefined;
  readonly maxPayload: number;
  readonly id?: FramingId | undefined;
  readonly sizes?: ReadonlyMap<number, number> | undefined;
}

/** The length of a framing that declares one. */
export function lengthPlace(declaration: Declared<typeof LENGTH_KEYS>, at: number): LengthPlace {
  const { length, unit = 1, mask } = declaration;
  const shift = mask === undefined ? 0 : 31 - Math.clz32(mask & -mask);
  return { at, ...lengthType(length), unit, mask, shift };
}

/** More bytes than a varint of one byte has. */
const MORE_OF_VARINT = 4;

/** Reckons out a layout. */
export function makeLayout(parts: LayoutParts): FrameLayout {
  const { length, adjust, maxPayload, again = -1 } = parts;
  const sync = syncWords(parts.sync);
  const trailer = parts.trailer ?? NO_BYTES;
  const behindLength = length === undefined ? 0 : length.at + length.width;
  const behindAgain = length === undefined || again < 0 ? 0 : again + length.width;
  const payloadAt = payloadPlace(sync, length, again);
  const idEnd =
    parts.id === undefined || parts.sizes === undefined ? 0 : payloadAt + parts.id.at + parts.id.bytes;
  const headerBytes = Math.max(sync.length, behindLength, behindAgain, idEnd);
  const id = parts.id === undefined ? undefined : { ...parts.id, at: payloadAt + parts.id.at };
  const checksum =
    parts.checksum === undefined ? undefined : new ChecksumField(parts.checksum, { from: sync.length, id });
  const tailBytes = (checksum?.bytes ?? 0) + trailer.length;
  const behindVarint = length?.kind === 'varint' && payloadAt === behindLength;
  const shared = {
    preamble: parts.preamble ?? NO_BYTES,
    sync,
    length,
    again,
    id: parts.id,
    sizes: parts.sizes,
    headerBytes,
    payloadAt,
    behindVarint,
    checksum,
    trailer,
    tailBytes,
  };
  if (length === undefined && adjust > 0)
    return { ...shared, overhead: adjust, minBytes: adjust, maxBytes: adjust };
  return {
    ...shared,
    overhead: behindLength + adjust + tailBytes,
    minBytes: Math.max(headerBytes, payloadAt + 1) + tailBytes,
    maxBytes: payloadAt + maxPayload + tailBytes + (behindVarint ? MORE_OF_VARINT : 0),
  };
}

function payloadPlace(sync: SyncWords, length: LengthPlace | undefined, again: number): number {
  const lengthAt = length?.at ?? -1;
  const width = length?.width ?? 0;
  const isLength = (at: number): boolean =>
    length !== undefined &&
    ((at >= lengthAt && at < lengthAt + width) || (again >= 0 && at >= again && at < again + width));
  for (let at = 0; at < sync.length; at++) if (sync.isFree(at) && !isLength(at)) return at;
  let at = sync.length;
  while (isLength(at)) at++;
  return at;
}

/** The whole frame around a payload; a length that is part of the payload is filled in. */
export function encodeLayout(layout: FrameLayout, payload: Uint8Array): Uint8Array {
  const { preamble, sync, length, again, checksum, trailer, tailBytes, overhead } = layout;
  const whole = length?.kind === 'varint' ? withVarint(layout, length, payload) : plainFrame(layout, payload);
  refuseLength(layout, payload, whole.length);
  sync.write(whole);
  if (length !== undefined && length.kind !== 'varint') {
    const bytes = whole.length - overhead;
    const units = bytes / length.unit;
    if (!Number.isInteger(units)) {
      throw new HeartwireError(
        'bad_argument',
        `A length in units of ${length.unit} bytes cannot say ${bytes}`,
        {
          seen: `a payload of ${payload.length} bytes`,
          fix: 'Fill the payload up.',
        },
      );
    }
    for (const at of again < 0 ? [length.at] : [length.at, again]) {
      if (writeLength(length, whole, at, units)) continue;
      throw new HeartwireError('bad_argument', `A length of ${length.width} bytes cannot hold ${units}`, {
        seen: `a payload of ${payload.length} bytes`,
      });
    }
  }
  if (layout.sizes !== undefined && layout.id !== undefined) refuseSize(layout, layout.id, payload);
  const tail = whole.length - tailBytes;
  checksum?.write(whole, 0, tail);
  whole.set(trailer, whole.length - trailer.length);
  if (preamble.length === 0) return whole;
  const frame = new Uint8Array(preamble.length + whole.length);
  frame.set(preamble);
  frame.set(whole, preamble.length);
  return frame;
}

function plainFrame(layout: FrameLayout, payload: Uint8Array): Uint8Array {
  const total = layout.payloadAt + payload.length + layout.tailBytes;
  if (total < layout.minBytes) refuseLength(layout, payload, total);
  const frame = new Uint8Array(total);
  frame.set(payload, layout.payloadAt);
  return frame;
}

function refuseLength(layout: FrameLayout, payload: Uint8Array, total: number): void {
  const { minBytes, maxBytes, payloadAt, tailBytes } = layout;
  if (total >= minBytes && total <= maxBytes) return;
  const least = minBytes - payloadAt - tailBytes;
  const most = maxBytes - payloadAt - tailBytes;
  throw new HeartwireError(
    'bad_argument',
    least === most ? `A payload has ${least} bytes` : `A payload has ${least} to ${most} bytes`,
    { seen: `${payload.length} bytes` },
  );
}

function refuseSize({ sizes }: FrameLayout, id: FramingId, payload: Uint8Array): void {
  let value = 0;
  for (let index = 0; index < id.bytes; index++) {
    const byte = payload[id.order === 'big' ? id.at + index : id.at + id.bytes - 1 - index] ?? 0;
    value = value * 256 + byte;
  }
  const size = sizes?.get(value);
  if (size === payload.length) return;
  throw new HeartwireError(
    'bad_argument',
    size === undefined
      ? `No length is declared for id ${value}`
      : `A payload of id ${value} has ${size} bytes`,
    { seen: `${payload.length} bytes` },
  );
}

/** A frame with a varint, which is as long as its number needs; one that a payload has a place for is replaced. */
function withVarint(layout: FrameLayout, length: LengthPlace, payload: Uint8Array): Uint8Array {
  const { payloadAt, behindVarint, tailBytes, overhead } = layout;
  const inPayload = length.at - payloadAt;
  const head = behindVarint ? NO_BYTES : payload.subarray(0, inPayload);
  const rest = behindVarint ? payload : payload.subarray(inPayload + varintBytes(payload, inPayload));
  const bytes = length.at + 1 + rest.length + tailBytes - overhead;
  if (bytes < 0 || bytes % length.unit !== 0 || inPayload + 1 > payload.length) {
    throw new HeartwireError('bad_argument', 'The length cannot say how long this frame is', {
      seen: `a payload of ${payload.length} bytes`,
    });
  }
  const number = varint(bytes / length.unit);
  const made = new Uint8Array(length.at + number.length + rest.length + tailBytes);
  made.set(head, payloadAt);
  made.set(number, length.at);
  made.set(rest, length.at + number.length);
  return made;
}
