/** How well a text fits what was typed: every word has to be in it; starts of words count most. Undefined: not at all. */
export function scoreOf(text: string, typed: string): number | undefined {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const given = text.toLowerCase();
  let score = 0;
  for (const word of wanted) {
    const at = given.indexOf(word);
    if (at < 0) return undefined;
    const startsWord = at === 0 || !/[\p{L}\p{N}]/u.test(given[at - 1] ?? '');
    score += (startsWord ? 0 : 100) + Math.min(at, 99);
  }
  return score;
}

/** The entries that fit best, the better ones first; of equal ones in their order. */
export function best<T extends { readonly text: string }>(
  entries: readonly T[],
  typed: string,
  most: number,
): readonly T[] {
  return entries
    .flatMap((entry) => {
      const score = scoreOf(entry.text, typed);
      return score === undefined ? [] : [{ entry, score }];
    })
    .sort((a, b) => a.score - b.score)
    .slice(0, most)
    .map(({ entry }) => entry);
}
