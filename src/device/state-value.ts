import type { Value, Values } from '../protocol/declared/value.ts';

/** `next`, with every part that equals that of `before` being the same object as there. */
export function shareOld<T extends Value>(before: Value | undefined, next: T): T;
export function shareOld(before: Value | undefined, next: Value): Value {
  if (next === before || typeof next !== 'object' || typeof before !== 'object') return next;
  if (next === null || before === null) return next;
  if (isList(next)) return isList(before) ? shareList(before, next) : next;
  return isList(before) ? next : shareRecord(before, next);
}

function shareList(before: readonly Value[], next: readonly Value[]): readonly Value[] {
  const shared = next.map((each, index) => shareOld(before[index], each));
  const same = shared.length === before.length && shared.every((each, index) => each === before[index]);
  return same ? before : shared;
}

function shareRecord(before: Values, next: Values): Values {
  const keys = Object.keys(next);
  const shared: Record<string, Value | undefined> = {};
  let same = Object.keys(before).length === keys.length;
  for (const key of keys) {
    const [old, each] = [own(before, key), next[key]];
    const kept = each === undefined ? undefined : shareOld(old, each);
    shared[key] = kept;
    if (kept !== old) same = false;
  }
  return same ? before : shared;
}

/** The value at the end of a path of keys. */
export function valueAt(value: Value | undefined, path: readonly string[]): Value | undefined {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || isList(found)) return undefined;
    found = own(found, key);
  }
  return found;
}

const own = (values: Values, key: string): Value | undefined =>
  Object.hasOwn(values, key) ? values[key] : undefined;

/** `Array.isArray` does not narrow readonly arrays. */
const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
