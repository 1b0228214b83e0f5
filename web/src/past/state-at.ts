import type { FieldHistory } from '../api/field-history.ts';
import type { PastEvent } from '../api/history.ts';
import { isObject, type JsonObject, textOf } from '../api/json.ts';

/** A number that is older than this at the moment counts as unknown. */
const VALUES_MS = 3_600_000;

/** What to ask for, as one point: a number came lately, and a text lasts until the next one, which the answer begins with. */
export const spanOfValue = (at: number, isText: boolean): { readonly from: number; readonly to: number } => ({
  from: isText ? at : at - VALUES_MS,
  to: at + 1,
});

/** What a field held at a moment; undefined within a gap, and where nothing had come yet. */
export function valueAtMoment(
  { points, texts, gaps }: FieldHistory,
  at: number,
): number | string | undefined {
  if (gaps.some(({ from, to }) => from <= at && at < to)) return undefined;
  const text = texts.findLast(([t]) => t <= at)?.[1];
  return points.at(-1)?.last ?? text;
}

/** What is known of all devices while no bridge runs. */
const RUNS: Readonly<Record<string, JsonObject>> = {
  stopped: { status: 'unknown', reason: 'bridge_not_running' },
  killed: { status: 'unknown', reason: 'bridge_not_running' },
};

/**
 * The state of each device after these events, in the order of their times. Where the clock was set back, a time comes twice:
 * what was written in its first course is over with what was written in its second one. Where several instances share one
 * feed, each counts its own events, and its end is that of the devices that it had.
 */
export function statesAt(events: readonly PastEvent[]): ReadonlyMap<string, JsonObject> {
  const states = new Map<string, JsonObject>();
  const instances = new Map<string, string>();
  const latest = new Map<string, number>();
  const isOver = (instance: string, subject: string, n: number): boolean => {
    const [own, run] = [`${instance} ${subject}`, `${instance} `];
    if (n < Math.max(latest.get(own) ?? 0, latest.get(run) ?? 0)) return true;
    latest.set(own, n);
    return false;
  };
  for (const { at, n, device, kind, data } of events) {
    const instance = textOf(data.instance);
    if (device === '') {
      const state = RUNS[textOf(data.event)];
      if (state === undefined || isOver(instance, '', n)) continue;
      for (const [each, had] of instances) if (had === instance) states.set(each, { ...state, since: at });
    } else if (!isOver(instance, `${device} ${kind} ${textOf(data.message)}.${textOf(data.field)}`, n)) {
      instances.set(device, instance);
      states.set(device, stateAfter(states.get(device) ?? { status: 'unknown' }, kind, at, data));
    }
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
