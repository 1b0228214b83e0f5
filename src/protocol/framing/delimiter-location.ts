import { type DelimiterFraming, delimitersOf } from './delimiter-marks.ts';
import { NO_BYTES } from './layout.ts';
import {
  type ByteReader,
  behindStart,
  type FrameLocation,
  firstFit,
  markedLocation,
  part,
} from './locate.ts';

/** Where everything stands in a frame that ends with a delimiter. */
export function locateDelimited(
  framing: DelimiterFraming,
  wire: Uint8Array,
  payload: Uint8Array,
): FrameLocation | undefined {
  const starts = firstFit(
    wire,
    payload,
    behindStart(wire, framing.start ?? NO_BYTES),
    readerOf(framing, wire),
  );
  const endBytes = delimiterBytes(framing, wire);
  if (framing.checksum?.place !== 'behind' || starts === undefined)
    return markedLocation(wire, starts, { checked: framing.checksum !== undefined, endBytes });
  const end = starts.at(-1) ?? 0;
  const behind = Math.min(end + endBytes, wire.length);
  return {
    starts,
    parts: [
      part('start', 0, starts[0] ?? 0),
      part('end', end, behind),
      part('checksum', behind, wire.length),
    ],
  };
}

function readerOf(framing: DelimiterFraming, wire: Uint8Array): (from: number) => ByteReader {
  const { escape: escaping, encoding = 'raw' } = framing;
  const plain: ByteReader = (at) => [wire[at] ?? -1, 1];
  if (encoding !== 'raw') {
    const digit = (at: number): number => Number.parseInt(String.fromCharCode(wire[at] ?? 0), 16);
    return (from) => (at) =>
      encoding === 'nibble_hex' && at === from ? [digit(at), 1] : [16 * digit(at) + digit(at + 1), 2];
  }
  if (escaping === undefined) return () => plain;
  const { byte: mark, xor = 0 } = escaping;
  return () => (at) =>
    wire[at] === mark ? [at + 1 < wire.length ? (wire[at + 1] ?? 0) ^ xor : -1, 2] : plain(at);
}

/** Bytes of the delimiter that ends this frame. */
function delimiterBytes(framing: DelimiterFraming, wire: Uint8Array): number {
  const words = delimitersOf(framing);
  const found = words.find((word) =>
    word.every((byte, index) => wire[wire.length - word.length + index] === byte),
  );
  return (found ?? words[0])?.length ?? 0;
}
