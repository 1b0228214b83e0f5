import { describe, expect, it } from 'vitest';
import { aligned, Series } from '../../../web/src/plot/series.ts';

const point = (t: number, last: number) => ({ t, least: last, greatest: last, last });
const drawn = (series: Series, now?: number) => {
  const { times, values } = series.drawn(now);
  return times.map((t, index) => [t, values[index]]);
};

describe('a line of a plot', () => {
  it('joins what the history has to what came live, each point once', () => {
    const series = new Series();
    series.add(100, 1);
    series.add(110, 2);
    series.takeHistory(
      { points: [point(80, 8), point(90, 9), point(100, 1), point(110, 2)], gaps: [] },
      50,
      120,
    );
    expect(drawn(series)).toEqual([
      [80, 8],
      [90, 9],
      [100, 1],
      [110, 2],
    ]);
    // The same span again, thinned otherwise, takes the place of what was there.
    series.takeHistory({ points: [point(85, 8.5)], gaps: [] }, 50, 120);
    expect(drawn(series)).toEqual([
      [85, 8.5],
      [100, 1],
      [110, 2],
    ]);
  });

  it('is broken where the history has a gap, and not beside it', () => {
    const series = new Series();
    const gaps = [{ from: 12, to: 18, reason: 'offline' }];
    series.takeHistory({ points: [point(0, 1), point(10, 2), point(20, 3), point(30, 4)], gaps }, 0, 100);
    expect(drawn(series)).toEqual([
      [0, 1],
      [10, 2],
      [12, null],
      [20, 3],
      [30, 4],
    ]);
  });

  it('is broken from the moment on at which there is no value, until the next one', () => {
    const series = new Series();
    series.add(0, Number.NaN);
    series.add(10, 1);
    series.add(20, Number.NaN);
    series.add(25, Number.NaN);
    series.add(30, 3);
    expect(drawn(series)).toEqual([
      [10, 1],
      [20, null],
      [30, 3],
    ]);
  });

  it('never runs backwards where a clock was set', () => {
    const series = new Series();
    series.add(100, 1);
    series.add(50, 2);
    expect(drawn(series)).toEqual([
      [100, 1],
      [100, 2],
    ]);
  });

  it('takes a value for no report of it that only stayed, as another field changed', () => {
    const series = new Series();
    for (const [t, value] of [
      [0, 1],
      [500, 1],
      [1_000, 2],
      [1_500, 2],
      [2_000, 3],
    ] as const)
      series.add(t, value);
    expect(drawn(series, 2_000)).toEqual([
      [0, 1],
      [1_000, 2],
      [2_000, 3],
    ]);
  });

  it('is level while a value stays, up to the report before the next one, and to the present', () => {
    const series = new Series();
    series.add(0, 1);
    series.add(1_000, 2);
    series.add(9_000, 3);
    expect(drawn(series, 9_500)).toEqual([
      [0, 1],
      [1_000, 2],
      [8_000, 2],
      [9_000, 3],
      [9_500, 3],
    ]);
    // What is saved are points that came.
    expect(drawn(series).map(([t]) => t)).toEqual([0, 1_000, 9_000]);
    series.add(10_000, Number.NaN);
    expect(drawn(series, 20_000).at(-1)).toEqual([9_000, 3]);
  });

  it('has the report of what was known at first where the history has it, and else the moment itself', () => {
    const series = new Series();
    series.add(1_700, 5);
    series.add(2_000, 6);
    series.takeHistory({ points: [point(0, 4), point(1_000, 7)], gaps: [] }, 0, 3_000);
    expect(drawn(series).map(([t]) => t)).toEqual([0, 1_000, 1_700, 2_000]);
    series.takeHistory({ points: [point(0, 4), point(1_000, 5)], gaps: [] }, 0, 3_000);
    expect(drawn(series).map(([t]) => t)).toEqual([0, 1_000, 2_000]);
  });

  it('keeps to a bound, the newest points', () => {
    const series = new Series();
    for (let t = 0; t < 50_000; t++) series.add(t, t);
    expect(series.drawn().times.length).toBeLessThanOrEqual(20_000);
    expect(series.last?.t).toBe(49_999);
  });
});

describe('several lines over one time', () => {
  it('have a hole where one has no point, and a break where it is broken', () => {
    const a = new Series();
    a.add(1, 10);
    a.add(2, Number.NaN);
    a.add(4, 40);
    const b = new Series();
    b.add(2, 5);
    expect(aligned([a.drawn(), b.drawn()])).toEqual({
      times: [1, 2, 4],
      values: [
        [10, null, 40],
        [undefined, 5, undefined],
      ],
    });
  });
});
