/** Which byte of a number stands first: the most significant one (`big`) or the least. */
export type ByteOrder = 'big' | 'little';

/** An unsigned number of 1 to 4 bytes. */
export function readUnsigned(bytes: Uint8Array, at: number, width: number, order: ByteOrder): number {
  let value = 0;
  for (let index = 0; index < width; index++) {
    value = value * 256 + (bytes[order === 'big' ? at + index : at + width - 1 - index] ?? 0);
  }
  return value;
}

/** Writes an unsigned number of 1 to 4 bytes; it must fit. */
export function writeUnsigned(
  bytes: Uint8Array,
  at: number,
  width: number,
  order: ByteOrder,
  value: number,
): void {
  let rest = value;
  for (let index = 0; index < width; index++) {
    bytes[order === 'big' ? at + width - 1 - index : at + index] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
}
