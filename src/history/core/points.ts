/**
 * Values of one field over time, column by column: all columns have the same length, and `t` (epoch ms) never goes back.
 * What was kept as it came has one column of values for all three, and no counts: each of them is one value.
 */
export interface Points {
  readonly t: number[];
  readonly min: number[];
  readonly max: number[];
  readonly last: number[];
  /** Values that each of them stands for; absent: one. */
  readonly count?: number[] | undefined;
}

/** Values as they came. */
export const rawPoints = (t: number[], v: number[]): Points => ({ t, min: v, max: v, last: v });

export const NO_POINTS: Points = rawPoints([], []);

const at = (column: readonly number[], index: number): number => column[index] ?? Number.NaN;

/** Sorted by time; what has the same time keeps its order. The same columns where they are sorted already. */
export function sorted(points: Points): Points {
  const { t } = points;
  let ordered = true;
  for (let index = 1; index < t.length && ordered; index++) ordered = at(t, index) >= at(t, index - 1);
  if (ordered) return points;
  const order = t.map((_, index) => index).sort((a, b) => at(t, a) - at(t, b) || a - b);
  return mapColumns(points, (column) => order.map((index) => at(column, index)));
}

/** One behind the other, sorted by time. */
export function joined(parts: readonly Points[]): Points {
  const filled = parts.filter(({ t }) => t.length > 0);
  const [only] = filled;
  if (only === undefined) return NO_POINTS;
  if (filled.length === 1) return sorted(only);
  const column = (of: (part: Points) => readonly number[]): number[] => {
    const all: number[] = [];
    for (const part of filled) for (const value of of(part)) all.push(value);
    return all;
  };
  const t = column((part) => part.t);
  if (filled.every(isRaw))
    return sorted(
      rawPoints(
        t,
        column(({ last }) => last),
      ),
    );
  return sorted({
    t,
    min: column(({ min }) => min),
    max: column(({ max }) => max),
    last: column(({ last }) => last),
    count: column(({ t: times, count }) => count ?? times.map(() => 1)),
  });
}

/** Those with `from <= t < to`. */
export function within(points: Points, from: number, to: number): Points {
  const { t } = points;
  const first = lowerBound(t, from);
  const end = lowerBound(t, to);
  if (first === 0 && end === t.length) return points;
  return mapColumns(points, (column) => column.slice(first, end));
}

/** The first index whose time is not before `time`. */
export function lowerBound(t: readonly number[], time: number): number {
  let low = 0;
  let high = t.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(t, middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * One point for each period of `widthMs` that has any, at the beginning of the period: the lowest and the highest value in
 * it, the last one, and how many there were. Periods are counted from the epoch, so that the same values always fall
 * together. What is thinned twice is what it would be thinned once, where the second width is a multiple of the first.
 */
export function thinned(points: Points, widthMs: number): Points {
  const { t, min, max, last, count } = points;
  const out = {
    t: [] as number[],
    min: [] as number[],
    max: [] as number[],
    last: [] as number[],
    count: [] as number[],
  };
  let index = 0;
  while (index < t.length) {
    const begin = Math.floor(at(t, index) / widthMs) * widthMs;
    let low = at(min, index);
    let high = at(max, index);
    let values = 0;
    for (; index < t.length && at(t, index) < begin + widthMs; index++) {
      low = Math.min(low, at(min, index));
      high = Math.max(high, at(max, index));
      values += count === undefined ? 1 : at(count, index);
    }
    out.t.push(begin);
    out.min.push(low);
    out.max.push(high);
    out.last.push(at(last, index - 1));
    out.count.push(values);
  }
  return out;
}

const isRaw = ({ min, max, last, count }: Points): boolean =>
  min === last && max === last && count === undefined;

function mapColumns(points: Points, map: (column: readonly number[]) => number[]): Points {
  const t = map(points.t);
  if (isRaw(points)) return rawPoints(t, map(points.last));
  const { min, max, last, count } = points;
  return { t, min: map(min), max: map(max), last: map(last), ...(count && { count: map(count) }) };
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Widths of periods, each of which people can name. */
const WIDTHS: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 30, 90, 365].map((days) => days * DAY),
];

/** The narrowest width by which a span has at most so many periods, wherever it begins. */
export function widthFor(spanMs: number, most: number): number {
  const needed = (width: number): number => Math.ceil(spanMs / width) + 1;
  const width = WIDTHS.find((each) => needed(each) <= most);
  if (width !== undefined) return width;
  const widest = 365 * DAY;
  // Of one or two points, the periods are as wide as the time itself.
  return most <= 1 ? Number.MAX_SAFE_INTEGER : widest * Math.ceil(spanMs / widest / (most - 1));
}

/** A query that is thinned, with the width of its periods in ms; 0: every point is as it is kept. */
export function thinnedTo(
  points: Points,
  from: number,
  to: number,
  most: number,
): { readonly points: Points; readonly widthMs: number } {
  if (points.t.length <= most) return { points, widthMs: 0 };
  const widthMs = widthFor(to - from, most);
  return { points: thinned(points, widthMs), widthMs };
}
