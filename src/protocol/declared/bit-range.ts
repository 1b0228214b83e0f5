/** The lowest bit and how many there are: `3` or `2..3`; undefined where it is neither. */
export function parseBits(
  at: number | string,
): { readonly from: number; readonly count: number } | undefined {
  const [, first, last] = /^(\d{1,2})(?:\.\.(\d{1,2}))?$/.exec(String(at)) ?? [];
  if (first === undefined) return undefined;
  const from = Number(first);
  const count = Number(last ?? first) - from + 1;
  return count >= 1 ? { from, count } : undefined;
}

/** Some bits of a raw number. */
export function bitsOf(raw: number, from: number, count: number): number {
  if (from + count <= 31) return (raw >>> from) & ((1 << count) - 1);
  return Math.floor(raw / 2 ** from) % 2 ** count;
}
