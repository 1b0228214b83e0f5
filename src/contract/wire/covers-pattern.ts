import { MAX_LEVELS } from './topic.ts';

/** Stands for every level that no pattern names; no level can be empty. */
const ANY_OTHER = '';

/**
 * Whether every topic that a pattern matches is matched by one of the others; exact, also where only several of them
 * together do it (`a` and `a/+/#` cover `a/#`). Rights are read literally: unlike in a subscription, `#` is raw bytes too.
 */
export function coversPattern(allowed: readonly string[], pattern: string): boolean {
  const asked = pattern.split('/');
  const all = allowed.map((each) => each.split('/'));
  return all.some((each) => coversAlone(each, asked)) || !findsGap(all, asked, 0, new Map());
}

/** Whether one pattern covers the other. Exact, too, but for what only several cover together. */
function coversAlone(allowed: readonly string[], asked: readonly string[]): boolean {
  for (const [depth, level] of allowed.entries()) {
    if (level === '#') return true;
    const other = asked[depth];
    if (other === undefined || other === '#' || (level !== '+' && level !== other)) return false;
  }
  return allowed.length === asked.length;
}

/**
 * Looks level by level for a topic that `asked` matches and none of `live` does; `live` are those that match what
 * was chosen so far. Of all levels that no pattern names, one stands for the rest.
 */
function findsGap(
  live: readonly (readonly string[])[],
  asked: readonly string[],
  depth: number,
  known: Map<string, boolean>,
): boolean {
  if (live.some((each) => each[depth] === '#')) return false;
  const level = asked[depth];
  const open = level === '#' || (asked[asked.length - 1] === '#' && depth >= asked.length);
  if ((level === undefined || open) && depth > 0 && !live.some((each) => each.length === depth)) return true;
  if (depth === MAX_LEVELS || (level === undefined && !open)) return false;
  const key = `${depth} ${live.map((each) => each.join('/')).join(' ')}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const named = live.map((each) => each[depth]).filter((each) => each !== undefined && each !== '+');
  const choices = open || level === '+' ? [ANY_OTHER, ...new Set(named)] : [level];
  const found = choices.some((choice) => {
    const next = live.filter((each) => each[depth] === '+' || each[depth] === choice);
    return findsGap(next, asked, depth + 1, known);
  });
  known.set(key, found);
  return found;
}
