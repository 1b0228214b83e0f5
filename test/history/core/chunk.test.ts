import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamagedChunkError, decodeChunk, encodeChunk } from '../../../src/history/core/chunk.ts';
import { type Points, rawPoints } from '../../../src/history/core/points.ts';

const time = fc.integer({ min: 0, max: 4e12 });
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -1_000, max: 100_000 }).map((each) => each / 100),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e300, Number.MAX_SAFE_INTEGER, 2 ** 50, -(2 ** 50), 0.1 + 0.2),
);
const raw = fc.array(fc.tuple(time, number)).map((rows) =>
  rawPoints(
    rows.map(([t]) => t).sort((a, b) => a - b),
    rows.map(([, v]) => v),
  ),
);
const thinnedPoints = fc.array(fc.tuple(time, number, number, number, fc.nat())).map((rows) => ({
  t: rows.map(([t]) => t).sort((a, b) => a - b),
  min: rows.map(([, min]) => min),
  max: rows.map(([, , max]) => max),
  last: rows.map(([, , , last]) => last),
  count: rows.map(([, , , , count]) => count),
}));

function same(points: Points): void {
  expect(decodeChunk(encodeChunk(points))).toEqual(points);
}

describe('a chunk', () => {
  it('gives back every value bit by bit', () => {
    fc.assert(fc.property(raw, same));
    fc.assert(fc.property(thinnedPoints, same));
  });

  it('takes the times of a clock that was set back', () => {
    const points = rawPoints([2_000, 1_000, 3_000], [1, 2, 3]);
    expect(decodeChunk(encodeChunk(points))).toEqual(points);
  });

  it.each([
    [
      'readings with two decimals',
      (index: number) => Math.round(2_150 + 40 * Math.sin(index / 20)) / 100,
      2.2,
    ],
    ['what stays the same', () => 21.5, 2.1],
    ['counts', (index: number) => index * 3, 2.1],
    ['four-byte floats', (index: number) => Math.fround(Math.sin(index)), 5.1],
    ['eight-byte floats', (index: number) => Math.sin(index), 9.1],
  ])('of %s takes few bytes', (_, reading, bytes) => {
    const points = rawPoints(
      Array.from({ length: 256 }, (_, index) => 1_796_000_000_000 + index * 1_000),
      Array.from({ length: 256 }, (_, index) => reading(index)),
    );
    expect(encodeChunk(points).length / 256).toBeLessThan(bytes);
  });

  it('that is damaged is an error, and never more than it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          expect(decodeChunk(bytes).t.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedChunkError);
        }
      }),
    );
  });

  it('that is cut anywhere is an error', () => {
    const whole = encodeChunk(rawPoints([1_000, 2_000, 3_500], [1.5, 2, 1e300]));
    for (let length = 0; length < whole.length; length++)
      expect(() => decodeChunk(whole.subarray(0, length))).toThrow(DamagedChunkError);
  });
});
