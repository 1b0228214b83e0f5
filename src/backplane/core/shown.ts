import { isJsonObject, type Json, type JsonObject, ownValue } from '../../contract/wire/index.ts';

/** Why what another instance said last may not be so any more. */
export interface Doubt {
  readonly reason: 'backplane_lost' | 'owner_lost';
  readonly detail: string;
  /** Wall clock, in ms. */
  readonly since: number;
}

/**
 * A document of another instance as it may be shown while nothing is known of it: never fresher than it is. A device is
 * `stale`, or `unknown` where it had no link; its values are stale; a line and an instance say why. Undefined where it
 * cannot say so: what is encrypted is not shown at all.
 */
export function doubted(
  topic: string,
  document: JsonObject,
  { reason, detail, since }: Doubt,
): JsonObject | undefined {
  const [kind, , last] = topic.split('/');
  const why = { reason, detail };
  if (last === 'status' && kind === 'bridge') return { ...document, lost: { ...why, since } };
  if (last !== 'state') return document;
  const link = ownValue(document, 'link');
  const said = isJsonObject(link) ? { link: { ...link, ...why } } : {};
  if (kind === 'buses') return { ...document, ...said };
  if (kind !== 'devices') return document;
  const before = ownValue(document, 'status');
  if (typeof before !== 'string') return undefined;
  const status = before === 'offline' || before === 'unknown' ? 'unknown' : 'stale';
  const values = ownValue(document, 'values');
  const quality = isJsonObject(values) ? { quality: staleness(values) } : {};
  return { ...document, ...said, ...quality, status, since, ...why };
}

/** Every value, by its path with dots, is stale. */
function staleness(values: JsonObject): JsonObject {
  const found: Record<string, Json> = {};
  const visit = (value: Json | undefined, path: string): void => {
    if (!isJsonObject(value)) {
      found[path] = 'stale';
      return;
    }
    for (const [key, inner] of Object.entries(value)) visit(inner, path === '' ? key : `${path}.${key}`);
  };
  visit(values, '');
  return found;
}
