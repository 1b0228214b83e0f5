import { isJsonObject, type Json, type JsonObject } from '../../contract/wire/index.ts';
import { type Gap, NOT_KEPT, NOT_RUNNING } from './gaps.ts';
import { joined, type Points, sorted, thinnedTo, within } from './points.ts';

/*
 * What several instances have of one device: each had it for a while, so that each knows a part of its past. Their
 * answers are joined to what one instance would answer that had it all the time.
 */

/** An answer to the same question, by the name of its instance. */
export type Answers = ReadonlyMap<string, JsonObject>;

/** From where on an instance goes on that has more events: its place, as its answer named it. */
export type Places = ReadonlyMap<string, string>;

/** `points`: at most so many; `all`: every part as it came. */
export function joinValues(answers: Answers, most: number | 'all'): JsonObject | undefined {
  const all = [...answers.values()];
  const newest = all.reduce<JsonObject | undefined>(
    (best, each) => (best === undefined || lastTime(each) > lastTime(best) ? each : best),
    undefined,
  );
  if (newest === undefined) return undefined;
  // Where the field was declared otherwise, its values are others.
  const alike = all.filter(({ type, unit }) => type === newest.type && unit === newest.unit);
  const nexts = alike.flatMap(({ next }) => (typeof next === 'number' ? [next] : []));
  const from = Number(newest.from);
  const to = nexts.length === 0 ? Number(newest.to) : Math.min(...nexts);
  const { points, widthMs } =
    newest.type === 'text' ? textsOf(alike, from, to) : valuesOf(alike, from, to, most);
  const widest = Math.max(widthMs, ...alike.map(({ resolution_ms: width }) => Number(width)));
  return {
    ...newest,
    resolution_ms: widest,
    points,
    gaps: joinGaps(alike.map(partOf), from, to).map((gap) => [...gap]),
    ...(nexts.length === 0 ? {} : { next: to }),
  };
}

function valuesOf(
  answers: readonly JsonObject[],
  from: number,
  to: number,
  most: number | 'all',
): { readonly points: readonly Json[]; readonly widthMs: number } {
  const whole = joined(answers.map((each) => within(sorted(columnsOf(each)), from, to)));
  const { points, widthMs } =
    most === 'all' ? { points: whole, widthMs: 0 } : thinnedTo(whole, from, to, most);
  const rows = points.t.map((t, index) => [
    widthMs > 0 ? Math.max(t, from) : t,
    points.min[index] ?? null,
    points.max[index] ?? null,
    points.last[index] ?? null,
  ]);
  return { points: rows, widthMs };
}

/** The first of them is the one that held at `from`. */
function textsOf(
  answers: readonly JsonObject[],
  from: number,
  to: number,
): { readonly points: readonly Json[]; readonly widthMs: number } {
  const rows = answers
    .flatMap(pointsOf)
    .filter(([t]) => Number(t) < to)
    .sort(([a], [b]) => Number(a) - Number(b));
  const first = rows.findLastIndex(([t]) => Number(t) < from);
  return { points: rows.slice(Math.max(0, first)), widthMs: 0 };
}

/** What one instance knows of a span: when it had values, and when not, and why. */
interface SpanPart {
  readonly gaps: readonly Gap[];
  readonly first: number | undefined;
  readonly last: number | undefined;
}

function partOf(answer: JsonObject): SpanPart {
  const points = pointsOf(answer);
  const gaps = (Array.isArray(answer.gaps) ? answer.gaps : []).flatMap((each): Gap[] => {
    const [begin, end, reason] = Array.isArray(each) ? each : [];
    return typeof begin === 'number' && typeof end === 'number' ? [[begin, end, String(reason)]] : [];
  });
  const [first] = points;
  const last = points.at(-1);
  return {
    gaps,
    first: first && Number(first[0]),
    last: last && Number(last[0]),
  };
}

/**
 * The gaps of all, without the times in which another instance had the device: from the first to the last value there, and
 * on to where that instance knows of a gap, without its own gaps; the instance with the very last value had it also after
 * that, and the one with the first before it.
 */
export function joinGaps(parts: readonly SpanPart[], from: number, to: number): readonly Gap[] {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only.gaps.filter(([begin]) => begin < to);
  const begin = Math.min(...parts.map(({ first }) => first ?? Number.POSITIVE_INFINITY));
  const end = Math.max(...parts.map(({ last }) => last ?? Number.NEGATIVE_INFINITY));
  const hasValues = Number.isFinite(begin);
  const edges = new Set([from, to]);
  for (const { gaps, first = from, last = to } of parts) {
    edges.add(first).add(last);
    for (const [start, stop] of gaps) edges.add(start).add(stop);
  }
  const times = [...edges].filter((edge) => edge >= from && edge <= to).sort((a, b) => a - b);
  const places = parts.map(() => 0);
  const had = parts.map((part): readonly [number, number] => {
    const { first = Number.POSITIVE_INFINITY, last = Number.NEGATIVE_INFINITY, gaps } = part;
    const before = gaps.findLast(([, stop]) => stop <= first)?.[1];
    const after = gaps.find(([start]) => start >= last)?.[0];
    return [first === begin ? from : (before ?? first), last === end ? to : (after ?? last)];
  });
  const found: Gap[] = [];
  for (const [index, start] of times.entries()) {
    const stop = times[index + 1];
    if (stop === undefined) break;
    let reason: string | undefined;
    let isThere = false;
    let without = 0;
    for (const [at, { gaps }] of parts.entries()) {
      let place = places[at] ?? 0;
      while ((gaps[place]?.[1] ?? Number.POSITIVE_INFINITY) <= start) place++;
      places[at] = place;
      const gap = gaps[place];
      if (gap !== undefined && gap[0] <= start) {
        without++;
        if (reason === undefined || rankOf(gap[2]) > rankOf(reason)) reason = gap[2];
      } else {
        const [since = to, until = from] = had[at] ?? [];
        isThere ||= start >= since && stop <= until;
      }
    }
    // Where no instance has a value in the span, one that knows of no gap is right: the value is that of before.
    if (reason === undefined || isThere || (!hasValues && without < parts.length)) continue;
    const before = found.at(-1);
    if (before?.[1] === start && before[2] === reason) found[found.length - 1] = [before[0], stop, reason];
    else found.push([start, stop, reason]);
  }
  return found;
}

/** Of several reasons for one gap the one that says the most: that of the instance which had the device. */
function rankOf(reason: string): number {
  if (reason === NOT_KEPT) return 0;
  if (reason === 'moved') return 1;
  return reason === NOT_RUNNING ? 2 : 3;
}

/** The newest `limit` events of all in the order of time, those at the time of the first of them included. */
export function joinEvents(
  answers: Answers,
  limit: number,
): { readonly events: readonly JsonObject[]; readonly places: Places } {
  const all = [...answers].flatMap(([instance, { events }]) =>
    (Array.isArray(events) ? events : []).filter(isJsonObject).map((each) => ({ ...each, instance })),
  );
  const timeOf = (event: JsonObject): number => Number(event.at);
  // Stable: what one instance has at one time keeps its order.
  all.sort((a, b) => timeOf(a) - timeOf(b));
  const oldest = all[Math.max(0, all.length - limit)];
  // An instance that stopped in the middle knows nothing of what was before: what others have from there comes later.
  const known = Math.max(
    ...[...answers.values()].map(({ events, before }) =>
      typeof before !== 'string' ? Number.NEGATIVE_INFINITY : firstTime(events, before),
    ),
  );
  const begin = Math.max(oldest === undefined ? Number.NEGATIVE_INFINITY : timeOf(oldest), known);
  const places = new Map<string, string>();
  for (const [instance, { events, before }] of answers) {
    const own = (Array.isArray(events) ? events : []).filter(isJsonObject);
    const isCut = own.some((each) => timeOf(each) < begin);
    // Everything before this time; no row has the number 0 or less.
    if (isCut) places.set(instance, `${begin}.0`);
    else if (typeof before === 'string') places.set(instance, before);
  }
  return { events: all.filter((each) => timeOf(each) >= begin), places };
}

/** The time down to which an answer says everything. */
function firstTime(events: Json | undefined, before: string): number {
  const [first] = Array.isArray(events) ? events : [];
  const at = isJsonObject(first) ? Number(first.at) : Number(before.split('.')[0]);
  return Math.min(at, Number(before.split('.')[0]));
}

/** One entry for each device: seen first at one instance, and last at another. */
export function joinDevices(answers: Answers): JsonObject {
  const found = new Map<string, JsonObject>();
  for (const { devices } of answers.values())
    for (const each of (Array.isArray(devices) ? devices : []).filter(isJsonObject)) {
      const id = String(each.device);
      const known = found.get(id);
      found.set(id, known === undefined ? each : joinedDevice(known, each));
    }
  return { devices: [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each) };
}

function joinedDevice(one: JsonObject, other: JsonObject): JsonObject {
  const [later, earlier] =
    Number(one.last_seen ?? 0) >= Number(other.last_seen ?? 0) ? [one, other] : [other, one];
  const firsts = [one, other].flatMap((each) =>
    typeof each.first_seen === 'number' ? [each.first_seen] : [],
  );
  const sum = (key: string): number => Number(one[key] ?? 0) + Number(other[key] ?? 0);
  const fields = [later, earlier].flatMap((each) =>
    Array.isArray(each.fields) ? each.fields.filter(isJsonObject) : [],
  );
  const byName = new Map<string, JsonObject>();
  for (const field of fields) if (!byName.has(String(field.field))) byName.set(String(field.field), field);
  return {
    ...earlier,
    ...later,
    ...(firsts.length === 0 ? {} : { first_seen: Math.min(...firsts) }),
    connections: sum('connections'),
    disconnections: sum('disconnections'),
    ...('fields' in later || 'fields' in earlier ? { fields: [...byName.values()] } : {}),
  };
}

const pointsOf = ({ points }: JsonObject): readonly (readonly Json[])[] =>
  (Array.isArray(points) ? points : []).filter((each): each is readonly Json[] => Array.isArray(each));

function lastTime(answer: JsonObject): number {
  const last = pointsOf(answer).at(-1);
  return last === undefined ? Number.NEGATIVE_INFINITY : Number(last[0]);
}

function columnsOf(answer: JsonObject): Points {
  const rows = pointsOf(answer);
  const column = (index: number): number[] => rows.map((row) => Number(row[index]));
  return { t: column(0), min: column(1), max: column(2), last: column(3) };
}
