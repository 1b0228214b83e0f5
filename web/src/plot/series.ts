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

/**
 * One field over time: what the history knows of a span, and what came since, in one line. Where there is no value, as
 * while a device was offline, the line is broken.
 */
export class Series {
  #points: Point[] = [];
  #gaps: Gap[] = [];
  /** From here on the points came live. */
  #liveFrom = Number.POSITIVE_INFINITY;
  #broken = false;

  get first(): number | undefined {
    return this.#points[0]?.t;
  }

  get last(): Point | undefined {
    return this.#points.at(-1);
  }

  /** A value that came now; NaN: from now on there is none. */
  add(t: number, value: number): void {
    if (this.#liveFrom === Number.POSITIVE_INFINITY) this.#liveFrom = t;
    const before = this.last;
    // A clock that was set back does not turn the line round.
    const at = before === undefined ? t : Math.max(t, before.t);
    if (Number.isNaN(value)) {
      if (this.#broken || before === undefined) return;
      this.#broken = true;
      this.#gaps.push({ from: at, to: Number.POSITIVE_INFINITY, reason: '' });
      return;
    }
    if (this.#broken) this.#gaps.push({ from: this.#gaps.pop()?.from ?? at, to: at, reason: '' });
    this.#broken = false;
    this.#points.push({ t: at, least: value, greatest: value, last: value });
    if (this.#points.length > MOST_POINTS) this.#points = this.#points.slice(MOST_POINTS / 4);
  }

  /** What the history has of a span takes the place of what was there; live points stay. */
  takeHistory({ points, gaps }: Pick<FieldHistory, 'points' | 'gaps'>, from: number, to: number): void {
    const end = Math.min(to, this.#liveFrom);
    const before = this.#points.filter(({ t }) => t < from);
    const after = this.#points.filter(({ t }) => t >= end);
    this.#points = [...before, ...points.filter(({ t }) => t >= from && t < end), ...after];
    this.#gaps = [
      ...this.#gaps.filter((gap) => gap.to <= from || gap.from >= end),
      ...gaps.filter((gap) => gap.from < end),
    ].sort((a, b) => a.from - b.from);
  }

  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  drawn(): Drawn {
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
    let previous: number | undefined;
    for (const point of this.#points) {
      let gap = this.#gaps[at];
      while (gap !== undefined && gap.to <= (previous ?? Number.NEGATIVE_INFINITY)) gap = this.#gaps[++at];
      // A gap that begins between two points breaks the line there.
      if (gap !== undefined && previous !== undefined && gap.from < point.t && gap.to > previous)
        push(Math.max(gap.from, previous + 1), undefined);
      push(point.t, point);
      previous = point.t;
    }
    return { times, values, least, greatest };
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
