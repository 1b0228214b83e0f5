import { isJsonObject, type Json } from '../../contract/feed/json.ts';

/** Bytes of memory, in its order of magnitude. */
export function roughSize(value: Json | undefined): number {
  if (typeof value === 'string') return 24 + value.length;
  if (Array.isArray(value)) {
    let size = 32;
    for (const item of value as readonly Json[]) size += roughSize(item);
    return size;
  }
  if (!isJsonObject(value)) return 16;
  let size = 48;
  for (const key in value) size += 16 + roughSize(value[key]);
  return size;
}
