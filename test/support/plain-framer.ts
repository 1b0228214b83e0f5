import type { TextPart } from '../../src/feed/core/encoder.ts';

/** A text as it is, with nothing around it. */
export function plainFramer(parts: readonly TextPart[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
