import type { TextPart } from '../core/encoder.ts';
import { frameAround, textLength } from './text-parts.ts';

const FIN = 0x80;
const TEXT = 0x1;
const PING = 0x9;
const PONG = 0xa;

/** One WebSocket text frame of a server (unmasked, whole) around a text given in parts. */
export function textFrame(parts: readonly TextPart[]): Uint8Array {
  const length = textLength(parts);
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = frameAround(parts, headLength, headLength + length);
  frame[0] = FIN | TEXT;
  if (headLength === 2) frame[1] = length;
  else if (headLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
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
