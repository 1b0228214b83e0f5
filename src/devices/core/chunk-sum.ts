/** FNV-1a, 32 bits: tells chunks, and other short texts, apart. */
export function chunkSum(data: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of data) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum >>> 0;
}
