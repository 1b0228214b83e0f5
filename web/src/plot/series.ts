import type { FieldHistory, Gap, Point } from '../api/history.ts';

/** What is drawn of one field: a column of times and of values, `null` where the line is broken. */
export interface Drawn {
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  readonly least: readonly (number | null)[];
  readonly greatest: readonly (number | null)[];
}

/** Points of one field that are kept. */
const MOST_POINTS = 20_000;
/** Changes that are nearer than this came in one piece, and say nothing about how often a device reports. */
const LEAST_DISTANCE_MS = 20;
/** A value that stayed for so many reports was reported again, and was the same. */
const HELD_REPORTS = 1.9;
/** A distance of so many times the usual one says nothing about that. */
const UNUSUAL = 3;

/**
 * One field over time: what the history knows of a span, and what came since, in one line. Where there is no value, as
 * while a device was offline, the line is broken. The history has every report, the feed changes only: between two of
 * them that are far apart the value was reported again and was the same, so the line is level up to the last report.
 */
export class Series {
  #points: Point[] = [];
  #gaps: Gap[] = [];
  /** From here on the points came live. */
  #liveFrom = Number.POSITIVE_INFINITY;
  /** What was known when the line began; it was reported before. */
  #known: Point | undefined;
  #broken = false;
  /** There is a value now: the line goes on to the present. */
  #lasts = false;
  /** The usual distance of two changes that came live, in ms. */
  #reportMs = Number.POSITIVE_INFINITY;

  get first(): number | undefined {
    return this.#points[0]?.t;
  }

  get last(): Point | undefined {
    return this.#points.at(-1);
  }

  /** A value that came now; NaN: from now on there is none. */
  add(t: number, value: number): void {
    const isFirst = this.#liveFrom === Number.POSITIVE_INFINITY;
    if (isFirst) this.#liveFrom = t;
    const before = this.last;
    // A clock that was set back does not turn the line round.
    const at = before === undefined ? t : Math.max(t, before.t);
    this.#lasts = !Number.isNaN(value);
    if (Number.isNaN(value)) {
      if (this.#broken || before === undefined) return;
      this.#broken = true;
      this.#gaps.push({ from: at, to: Number.POSITIVE_INFINITY, reason: '' });
      return;
    }
    // What is known again of another field of the device is no report of this one.
    if (!this.#broken && before !== undefined && before.t >= this.#liveFrom) {
      if (before.last === value) return;
      this.#learn(at - before.t);
    }
    if (this.#broken) this.#gaps.push({ from: this.#gaps.pop()?.from ?? at, to: at, reason: '' });
    this.#broken = false;
    const point = { t: at, least: value, greatest: value, last: value };
    if (isFirst) this.#known = point;
    this.#points.push(point);
    if (this.#points.length > MOST_POINTS) this.#points = this.#points.slice(MOST_POINTS / 4);
  }

  #learn(distance: number): void {
    if (distance < LEAST_DISTANCE_MS || distance > UNUSUAL * this.#reportMs) return;
    if (distance * UNUSUAL < this.#reportMs) this.#reportMs = distance;
    else this.#reportMs += (distance - this.#reportMs) / 8;
  }

  /** What the history has of a span takes the place of what was there; live points stay. */
  takeHistory({ points, gaps }: Pick<FieldHistory, 'points' | 'gaps'>, from: number, to: number): void {
    const end = Math.min(to, this.#liveFrom);
    const before = this.#points.filter(({ t }) => t < from);
    const found = points.filter(({ t }) => t >= from && t < end);
    const last = found.at(-1);
    // Its report takes the place of what was known.
    const isReported = last !== undefined && last.last === this.#known?.last && to >= this.#liveFrom;
    const after = this.#points.filter((point) => point.t >= end && !(isReported && point === this.#known));
    this.#points = [...before, ...found, ...after];
    this.#gaps = [
      ...this.#gaps.filter((gap) => gap.to <= from || gap.from >= end),
      ...gaps.filter((gap) => gap.from < end),
    ].sort((a, b) => a.from - b.from);
  }

  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** The points as they came, or with `now` as a line up to that moment. */
  drawn(now?: number): Drawn {
    const times: number[] = [];
    const values: (number | null)[] = [];
    const least: (number | null)[] = [];
    const greatest: (number | null)[] = [];
    const push = (t: number, point: Point | undefined): void => {
      times.push(t);
      values.push(point?.last ?? null);
      least.push(point?.least ?? null);
      greatest.push(point?.greatest ?? null);
    };
    let at = 0;
    let previous: Point | undefined;
    for (const point of this.#points) {
      let gap = this.#gaps[at];
      while (gap !== undefined && gap.to <= (previous?.t ?? Number.NEGATIVE_INFINITY)) gap = this.#gaps[++at];
      // A gap that begins between two points breaks the line there.
      if (gap !== undefined && previous !== undefined && gap.from < point.t && gap.to > previous.t)
        push(Math.max(gap.from, previous.t + 1), undefined);
      else if (now !== undefined && previous !== undefined && previous.t >= this.#liveFrom)
        this.#hold(previous, point.t, push);
      push(point.t, point);
      previous = point;
    }
    if (now !== undefined && this.#lasts && previous !== undefined && now > previous.t) push(now, previous);
    return { times, values, least, greatest };
  }

  /** A value that stayed for long is level until the last report that had it. */
  #hold(held: Point, until: number, push: (t: number, point: Point) => void): void {
    if (until - held.t > HELD_REPORTS * this.#reportMs) push(until - this.#reportMs, held);
  }
}

/** The columns of several fields over one column of times, as a plot takes them: `undefined` where one has no point. */
export function aligned(all: readonly Drawn[]): {
  readonly times: readonly number[];
  readonly values: ReadonlyArray<readonly (number | null | undefined)[]>;
} {
  const times = [...new Set(all.flatMap((each) => each.times))].sort((a, b) => a - b);
  const place = new Map(times.map((t, index) => [t, index]));
  const values = all.map((each) => {
    const column: (number | null | undefined)[] = new Array(times.length).fill(undefined);
    for (const [index, t] of each.times.entries()) {
      const at = place.get(t);
      const value = each.values[index];
      // Of two points of one moment the later one stands, and a break never hides a value.
      if (at !== undefined && (value !== null || column[at] === undefined)) column[at] = value;
    }
    return column;
  });
  return { times, values };
}
