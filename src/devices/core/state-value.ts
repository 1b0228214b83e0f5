import type { Value, Values } from '../../contract/index.ts';

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
  let shared: Record<string, Value | undefined> | undefined;
  let same = true;
  let count = 0;
  // Values are plain objects, and this way of going through them makes no list of their keys.
  for (const key in next) {
    count++;
    const each = next[key];
    const old = own(before, key);
    if (each === old) continue;
    const kept = each === undefined ? undefined : shareOld(old, each);
    if (kept !== old) same = false;
    if (kept === each) continue;
    shared ??= { ...next };
    shared[key] = kept;
  }
  for (const _ in before) count--;
  return same && count === 0 ? before : (shared ?? next);
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

/** Looks twice only at what an object may have inherited. */
function own(values: Values, key: string): Value | undefined {
  const value = values[key];
  const plain = typeof value !== 'object' && typeof value !== 'function';
  return plain || Object.hasOwn(values, key) ? value : undefined;
}

/** `Array.isArray` does not narrow readonly arrays. */
const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
