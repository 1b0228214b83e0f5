import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  joined,
  rawPoints,
  sorted,
  thinned,
  thinnedTo,
  widthFor,
  within,
} from '../../../src/history/core/points.ts';

const DAY = 86_400_000;
const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 1e7 }), fc.integer({ min: -1_000, max: 1_000 })), {
  minLength: 1,
  maxLength: 300,
});
const rawOf = (given: readonly (readonly [number, number])[]) =>
  sorted(
    rawPoints(
      given.map(([t]) => t),
      given.map(([, v]) => v),
    ),
  );

describe('thinning', () => {
  it('keeps the lowest, the highest and the last value of each period, and how many there were', () => {
    const points = rawPoints([0, 400, 999, 1_000, 2_500], [5, 9, 7, -1, 3]);
    expect(thinned(points, 1_000)).toEqual({
      t: [0, 1_000, 2_000],
      min: [5, -1, 3],
      max: [9, -1, 3],
      last: [7, -1, 3],
      count: [3, 1, 1],
    });
  });

  it('loses no minimum, no maximum, no last value and no count, whatever comes', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(1, 1_000, 60_000, 7_777), (given, width) => {
        const points = rawOf(given);
        const thin = thinned(points, width);
        expect(Math.min(...thin.min)).toBe(Math.min(...points.last));
        expect(Math.max(...thin.max)).toBe(Math.max(...points.last));
        expect(thin.last.at(-1)).toBe(points.last.at(-1));
        expect(thin.count?.reduce((sum, each) => sum + each, 0)).toBe(given.length);
      }),
    );
  });

  it('twice is the same as once', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const points = rawOf(given);
        expect(thinned(thinned(points, 1_000), 60_000)).toEqual(thinned(points, 60_000));
      }),
    );
  });

  it.each([
    [3_600_000, 500],
    [365 * DAY, 10],
    [365 * DAY, 1],
    [3_650 * DAY, 2],
    [1, 3],
    [86_400_000, 10_000],
  ])('of %d ms to %d points gives no more of them, wherever the span begins', (span, most) => {
    const width = widthFor(span, most);
    for (const from of [0, 1, 1_796_000_123_457]) {
      const t = Array.from({ length: 20_000 }, (_, index) => from + Math.floor((span * index) / 20_000));
      const { points } = thinnedTo(rawPoints(t, t), from, from + span, most);
      expect(points.t.length).toBeLessThanOrEqual(most);
      expect(points.t.length).toBeGreaterThan(most > 2 && span > 100 ? most / 4 : 0);
    }
    expect(width).toBeGreaterThan(0);
  });

  it('leaves alone what is no more than asked for', () => {
    const points = rawPoints([1, 2, 3], [1, 2, 3]);
    expect(thinnedTo(points, 0, 10, 3)).toEqual({ points, widthMs: 0 });
  });
});

describe('points', () => {
  it('are in order of time, also where a clock was set back; what has one time keeps its order', () => {
    expect(joined([rawPoints([5, 9], [1, 2]), rawPoints([3, 9], [3, 4])])).toEqual(
      rawPoints([3, 5, 9, 9], [3, 1, 2, 4]),
    );
  });

  it('as they came and thinned ones stand side by side', () => {
    expect(joined([thinned(rawPoints([0, 500], [1, 2]), 1_000), rawPoints([1_200], [7])])).toEqual({
      t: [0, 1_200],
      min: [1, 7],
      max: [2, 7],
      last: [2, 7],
      count: [2, 1],
    });
  });

  it('of a span begin with it, and end before its end', () => {
    expect(within(rawPoints([1, 2, 3, 4], [1, 2, 3, 4]), 2, 4)).toEqual(rawPoints([2, 3], [2, 3]));
  });
});
