import { describe, expect, it } from 'vitest';
import { aligned, Series } from '../../../web/src/plot/series.ts';

const point = (t: number, last: number) => ({ t, least: last, greatest: last, last });
const drawn = (series: Series) => {
  const { times, values } = series.drawn();
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
