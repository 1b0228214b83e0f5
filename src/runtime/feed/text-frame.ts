const FIN = 0x80;
const TEXT = 0x1;
const PING = 0x9;
const PONG = 0xa;

/** One WebSocket text frame of a server (unmasked, whole) around UTF-8 text given in parts. */
export function textFrame(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  // Not from the pool: the frame may be held by many subscribers, and would hold its neighbours in the pool too.
  const frame = Buffer.allocUnsafeSlow(headLength + length);
  frame[0] = FIN | TEXT;
  if (headLength === 2) frame[1] = length;
  else if (headLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  let at = headLength;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** A ping without payload. */
export const PING_FRAME: Uint8Array = Uint8Array.of(FIN | PING, 0);

/** The answer to a ping; its payload is at most 125 bytes. */
export function pongFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + payload.length);
  frame[0] = FIN | PONG;
  frame[1] = payload.length;
  frame.set(payload, 2);
  return frame;
}
