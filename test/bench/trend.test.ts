import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../bench/support/random.ts';
import { trend } from '../../bench/support/trend.ts';

const series = (values: readonly number[]) => values.map((value, at) => ({ at, value }));

/** Numbers around 0, always the same ones for a seed. */
function noise(seed: number): () => number {
  const next = seededRandom(seed);
  return () => Array.from({ length: 12 }, next).reduce((sum, each) => sum + each, -6);
}

describe('the trend of a series', () => {
  it('is that of a line, without noise', () => {
    expect(trend(series([5, 7, 9, 11]))).toMatchObject({ slope: 2, noise: 0, mean: 8 });
    expect(trend(series([4, 4, 4, 4]))).toMatchObject({ slope: 0, noise: 0, mean: 4 });
  });

  it('is not known from two samples', () => {
    expect(trend(series([1, 2])).noise).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['samples that are independent', 0],
    ['samples that resemble the ones before them', 0.8],
  ])('is within its noise for %s, in most series that do not grow', (_, memory) => {
    let beyond = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = noise(seed);
      let value = 0;
      const values = Array.from({ length: 120 }, () => {
        value = memory * value + random();
        return value;
      });
      const { slope, noise: bound } = trend(series(values));
      if (Math.abs(slope) > bound) beyond += 1;
    }
    expect(beyond).toBeLessThan(30);
  });

  it('is beyond its noise where the series grows', () => {
    const random = noise(7);
    const { slope, noise: bound } = trend(series(Array.from({ length: 120 }, (_, at) => at / 10 + random())));
    expect(slope).toBeGreaterThan(bound);
    expect(slope).toBeCloseTo(0.1, 1);
  });
});
