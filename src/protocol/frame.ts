/** Bytes of the length in front of every payload: unsigned, big-endian, not counting itself. */
export const PREFIX_BYTES = 4;

/** A frame with its length filled in and a payload that is all zero but for the id (signed, or as a byte). */
export function newFrame(id: number, payloadBytes: number): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + payloadBytes);
  new DataView(frame.buffer).setUint32(0, payloadBytes);
  frame[PREFIX_BYTES] = id & 0xff;
  return frame;
}
