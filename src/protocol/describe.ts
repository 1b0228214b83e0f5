const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hex without spaces, of bytes that there are. */
export function hexText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const stop = Math.min(end, bytes.length);
  let text = '';
  for (let at = start; at < stop; at++) text += HEX[bytes[at] ?? 0] ?? '';
  return text;
}

/** Quoted text with `\xNN` for every quote, backslash and byte that is not printable ASCII, as traces write it. */
export function quotedText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const stop = Math.min(end, bytes.length);
  let text = '"';
  for (let at = start; at < stop; at++) {
    const byte = bytes[at] ?? 0;
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x22 && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\x${HEX[byte] ?? ''}`;
  }
  return `${text}"`;
}

/** Text of bytes that are known to be ASCII. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}

/** The first bytes as hex, with an ellipsis where there are more. */
export function hexExcerpt(bytes: Uint8Array, start: number, end: number, most = 16): string {
  return end - start <= most ? hexText(bytes, start, end) : `${hexText(bytes, start, start + most)}...`;
}

/** A copy of a range that its receiver owns, never a view (`Buffer.slice` would be one). */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}
