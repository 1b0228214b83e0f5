const LF = 0x0a;

/** One JSON text, given in parts, as a line. */
export function jsonLine(parts: readonly Uint8Array[]): Uint8Array {
  let length = 1;
  for (const part of parts) length += part.length;
  // Not from the pool: the line may be held by many subscribers, and would hold its neighbours in the pool too.
  const line = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const part of parts) {
    line.set(part, at);
    at += part.length;
  }
  line[at] = LF;
  return line;
}
