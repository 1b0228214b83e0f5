/** JSON as it goes to subscribers. State documents hold no nulls: what is unknown is absent. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** An object that is neither null nor an array. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of an own key; what `Object.prototype` brings along does not count. */
export function ownValue(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** JSON may hold numbers that are infinite here, and could not be written again. */
export function isFiniteNumber(value: Json): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Where a number stands that no double holds, so that JSON would have null for it: the keys that lead there. */
export function infinitePlace(value: Json | undefined): readonly string[] | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : [];
  if (value === null || typeof value !== 'object') return undefined;
  for (const [key, member] of Object.entries(value)) {
    const place = infinitePlace(member);
    if (place !== undefined) return [key, ...place];
  }
  return undefined;
}
