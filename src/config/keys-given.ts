/** Those of some keys that are written. */
export function keysGiven<K extends string>(given: object, keys: Readonly<Record<K, unknown>>): K[] {
  // Object.keys forgets that an object literal of ours has no other keys than its type says.
  return (Object.keys(keys) as K[]).filter((key) => Object.hasOwn(given, key));
}
