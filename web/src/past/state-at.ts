import type { FieldHistory } from '../api/field-history.ts';
import type { PastEvent } from '../api/history.ts';
import { isObject, type JsonObject, textOf } from '../api/json.ts';

/** What a field held at a moment; undefined within a gap, and where nothing had come yet. */
export function valueAtMoment(
  { points, texts, gaps }: FieldHistory,
  at: number,
): number | string | undefined {
  if (gaps.some(({ from, to }) => from <= at && at < to)) return undefined;
  const text = texts.findLast(([t]) => t <= at)?.[1];
  return points.at(-1)?.last ?? text;
}

/** The state of each device after these events, the oldest first. */
export function statesAt(events: readonly PastEvent[]): ReadonlyMap<string, JsonObject> {
  const states = new Map<string, JsonObject>();
  for (const { at, device, kind, data } of events) {
    if (device === '') continue;
    const before = states.get(device) ?? { status: 'unknown' };
    states.set(device, stateAfter(before, kind, at, data));
  }
  return states;
}

function stateAfter(before: JsonObject, kind: string, at: number, data: JsonObject): JsonObject {
  const { status, reason, detail } = data;
  const why = { ...(reason === undefined ? {} : { reason }), ...(detail === undefined ? {} : { detail }) };
  if (kind === 'status') {
    const { reason: _, detail: __, ...rest } = before;
    return { ...rest, status: textOf(status), since: at, ...why };
  }
  if (kind === 'link') {
    const link = isObject(before.link) ? before.link : {};
    const { reason: _, detail: __, ...rest } = link;
    const { transport, address } = data;
    const where = {
      ...(transport === undefined ? {} : { transport }),
      ...(address === undefined ? {} : { address }),
    };
    return { ...before, link: { ...rest, ...where, status: textOf(status), since: at, ...why } };
  }
  const path = `${textOf(data.message)}.${textOf(data.field)}`;
  const { [path]: _, ...others } = isObject(before.quality) ? before.quality : {};
  const level = textOf(data.level);
  return {
    ...before,
    quality: level === 'warn' || level === 'alarm' ? { ...others, [path]: level } : others,
  };
}
