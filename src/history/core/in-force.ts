/**
 * Of entries in the order of their times, those that hold at their time: where the clock was set back, a time comes twice,
 * and what was written in its first course is over with what was written in its second one. `n` rises as entries are written.
 */
export function inForce<T extends { readonly n: number }>(entries: readonly T[]): T[] {
  let last = Number.NEGATIVE_INFINITY;
  return entries.filter(({ n }) => {
    if (n < last) return false;
    last = n;
    return true;
  });
}
