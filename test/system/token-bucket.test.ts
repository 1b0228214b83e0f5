import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rate, TokenBucket } from '../../src/system/token-bucket.ts';

/** How many of so many are granted at one instant. */
function granted(bucket: TokenBucket, wanted: number, monoMs: number): number {
  return Array.from({ length: wanted }, () => bucket.take(monoMs)).filter((each) => each).length;
}

describe('a rate', () => {
  it.each([
    // per second, burst, then [at, wanted, granted]
    [
      10,
      5,
      [
        [0, 9, 5],
        [100, 9, 1],
        [150, 9, 0],
        [200, 9, 1],
        [10_000, 9, 5],
      ],
    ],
    [
      3,
      7,
      [
        [0, 9, 7],
        [333, 9, 0],
        [334, 9, 1],
        [9_000, 9, 7],
      ],
    ],
    [
      0,
      2,
      [
        [0, 9, 2],
        [1e9, 9, 0],
      ],
    ],
    [
      0.5,
      1,
      [
        [0, 9, 1],
        [1_999, 9, 0],
        [2_000, 9, 1],
      ],
    ],
  ] as const)('of %d a second, %d at once', (perSecond, burst, steps) => {
    const bucket = new TokenBucket(perSecond, burst);
    for (const [at, wanted, expected] of steps) expect(granted(bucket, wanted, at)).toBe(expected);
  });

  it('is shared by many, each with a number of its own', () => {
    const rate = new Rate(1, 1);
    const first = rate.take(-Infinity, 0);
    expect(first).toBeDefined();
    expect(rate.take(first ?? 0, 0)).toBeUndefined();
    expect(rate.take(-Infinity, 0)).toBeDefined();
  });

  it('never grants more than the burst and what has grown since', () => {
    const visits = fc.array(fc.tuple(fc.nat(2_000), fc.nat(20)), { maxLength: 50 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        visits,
        (perSecond, burst, steps) => {
          const bucket = new TokenBucket(perSecond, burst);
          let at = 0;
          let taken = 0;
          for (const [later, wanted] of steps) {
            at += later;
            taken += granted(bucket, wanted, at);
            expect(taken).toBeLessThanOrEqual(Math.floor(burst + (at * perSecond) / 1_000 + 1e-3));
          }
        },
      ),
    );
  });
});
