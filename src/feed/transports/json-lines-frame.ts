import type { TextPart } from '../core/encoder.ts';
import { frameAround, textLength } from './text-parts.ts';

const LF = 0x0a;

/** One JSON text, given in parts, as a line. */
export function jsonLine(parts: readonly TextPart[]): Uint8Array {
  const length = textLength(parts);
  const line = frameAround(parts, 0, length + 1);
  line[length] = LF;
  return line;
}
