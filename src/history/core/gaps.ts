import { lowerBound } from './points.ts';

/** A time in which nothing was kept, or nothing was there to keep: `[from, to, reason]`. */
export type Gap = readonly [from: number, to: number, reason: string];

/** What is known of a time, as far as it tells why there are no values. */
export interface Evidence {
  /** Runs of the bridge, by their beginnings; the last one may go on. */
  readonly runs: readonly { readonly from: number; readonly to: number }[];
  /** Changes of the device's status, by time; the first one may lie before the span. */
  readonly statuses: readonly {
    readonly t: number;
    readonly status: string;
    readonly reason?: string | undefined;
  }[];
  /** What the history could not write. */
  readonly drops: readonly Gap[];
  /** From when on a value was invalid or stale; until the next value. */
  readonly marks: readonly { readonly t: number; readonly reason: string }[];
  /** The first value that is kept of the field; undefined: none is. */
  readonly first: number | undefined;
}

export const NOT_RUNNING = 'bridge_not_running';
export const NOT_KEPT = 'not_kept';

/**
 * The gaps of one field in a span, sorted, none over another. `t` are the times of its values, each of which stands for
 * `widthMs` (0: for its moment). A gap begins behind the last value within it; where values came all through, whatever
 * the status said, there is none.
 */
export function gapsOf(
  { runs, statuses, drops, marks, first }: Evidence,
  t: readonly number[],
  widthMs: number,
  from: number,
  to: number,
): Gap[] {
  const shown = (gaps: readonly Gap[]): Gap[] =>
    laidOut(
      gaps.flatMap((gap) => clipped(gap, t, widthMs, from, to)),
      t,
    );
  const found: Gap[] = [];
  if (first === undefined || first > from) found.push([from, Math.min(first ?? to, to), NOT_KEPT]);
  found.push(...drops, ...absences(statuses, to));
  for (const { t: begin, reason } of marks) {
    const next = t[lowerBound(t, begin + 1)];
    found.push([begin, next ?? to, reason]);
  }
  const stopped = shown([...betweenRuns(runs, from, to)]);
  return [...stopped, ...outside(shown(found), stopped)].sort(([a], [b]) => a - b);
}

/** What of these gaps lies in none of the others; both are sorted, and none lies over another. */
function* outside(gaps: readonly Gap[], others: readonly Gap[]): Generator<Gap> {
  let index = 0;
  for (const [begin, end, reason] of gaps) {
    let start = begin;
    while ((others[index]?.[1] ?? Number.POSITIVE_INFINITY) <= start) index++;
    for (let next = index; start < end; next++) {
      const [from, to] = others[next] ?? [end, end];
      if (from > start) yield [start, Math.min(from, end), reason];
      start = Math.max(start, to);
      if (from >= end) break;
    }
  }
}

function* betweenRuns(runs: Evidence['runs'], from: number, to: number): Generator<Gap> {
  let end = from;
  for (const run of runs) {
    if (run.from > end) yield [end, run.from, NOT_RUNNING];
    end = Math.max(end, run.to);
  }
  if (end < to) yield [end, to, NOT_RUNNING];
}

/** From a status other than `online` to the next `online`; the reason is that of the first one. */
function* absences(statuses: Evidence['statuses'], to: number): Generator<Gap> {
  let begin: { readonly t: number; readonly reason: string } | undefined;
  for (const { t, status, reason } of statuses) {
    if (status === 'online') {
      if (begin !== undefined) yield [begin.t, t, begin.reason];
      begin = undefined;
    } else begin ??= { t, reason: reason ?? status };
  }
  if (begin !== undefined) yield [begin.t, to, begin.reason];
}

/** What of a gap is in the span and behind the last value that lies in it. */
function clipped(
  [begin, end, reason]: Gap,
  t: readonly number[],
  widthMs: number,
  from: number,
  to: number,
): Gap[] {
  const first = Math.max(begin, from);
  const last = Math.min(end, to);
  const before = lowerBound(t, last);
  const value = t[before - 1];
  const start = value === undefined ? first : Math.max(first, value + widthMs);
  return start < last ? [[start, last, reason]] : [];
}

/** Where two overlap, the one that begins first goes on, and the other begins behind it; neighbours with one reason join. */
function laidOut(gaps: readonly Gap[], t: readonly number[]): Gap[] {
  const order = [...gaps].sort(([a, aEnd], [b, bEnd]) => a - b || bEnd - aEnd);
  const result: Gap[] = [];
  for (const [begin, end, reason] of order) {
    const last = result.at(-1);
    const start = last === undefined ? begin : Math.max(begin, last[1]);
    if (start >= end) continue;
    const touches = last !== undefined && last[2] === reason && last[1] === start;
    // A value between two gaps keeps them apart.
    if (touches && (begin < start || t[lowerBound(t, start)] !== start))
      result[result.length - 1] = [last[0], end, reason];
    else result.push([start, end, reason]);
  }
  return result;
}
