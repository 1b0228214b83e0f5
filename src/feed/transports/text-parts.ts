import type { TextPart } from '../core/encoder.ts';

/** The length of a text in bytes, as UTF-8. */
export function textLength(parts: readonly TextPart[]): number {
  let length = 0;
  for (const part of parts) length += typeof part === 'string' ? Buffer.byteLength(part) : part.length;
  return length;
}

/**
 * A frame of so many bytes around a text, which begins at `at`; the caller writes what comes before and behind it.
 * Not from the pool: the frame may be held by many subscribers, and would hold its neighbours in the pool too.
 */
export function frameAround(parts: readonly TextPart[], at: number, length: number): Buffer {
  const frame = Buffer.allocUnsafeSlow(length);
  let end = at;
  for (const part of parts) {
    if (typeof part === 'string') end += frame.write(part, end);
    else {
      frame.set(part, end);
      end += part.length;
    }
  }
  return frame;
}
