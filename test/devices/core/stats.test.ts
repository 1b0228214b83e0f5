import { describe, expect, it } from 'vitest';
import { ROUND_TRIP_BOUNDS_MS, Stats, Tally } from '../../../src/devices/core/stats.ts';

const report = (count: number, reason: 'no_header' | 'truncated') => ({
  count,
  reason,
  expected: '',
  seen: '',
  sample: new Uint8Array(),
});

describe('what a device counts', () => {
  it('keeps discarded bytes apart by reason, and together as it publishes them', () => {
    const stats = new Stats();
    stats.discarded(report(3, 'no_header'));
    stats.discarded(report(4, 'truncated'));
    stats.discarded(report(5, 'no_header'));
    expect([...stats.tally.discardedBytes]).toEqual([
      ['no_header', 8],
      ['truncated', 4],
    ]);
    expect(stats.takeDue(0)?.discarded_bytes).toBe(12);
  });

  it.each([
    ['on a beat', undefined, [0, 900, 950], [0, 1_000]],
    ['once in each interval', 3_000, [0, 10, 1_500, 2_000, 3_900, 4_100], [0, 1_000, 4_000, 7_000]],
    ['on the next beat after a long silence', 3_000, [0, 60_400], [0, 61_000]],
    ['within ten seconds, however long the interval is', 180_000, [0, 10, 1_010], [0, 1_000, 11_000]],
    ['at an interval of whole beats', 2_500, [0, 10, 1_010], [0, 1_000, 4_000]],
  ])('is published %s', (_, intervalMs, changes, expected) => {
    const stats = new Stats(intervalMs);
    const published: number[] = [];
    for (let ms = 0; ms < 80_000; ms += 10) {
      if (changes.includes(ms)) stats.touch();
      if (ms >= stats.nextDeadline() || changes.includes(ms)) {
        if (stats.takeDue(ms) !== undefined) published.push(ms);
      }
    }
    expect(published).toEqual(expected);
    expect(stats.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it('puts a round trip into the first bucket that holds it', () => {
    const tally = new Tally();
    for (const ms of [0, 1, 1.01, 5_000, 5_001]) tally.answered(ms);
    const last = ROUND_TRIP_BOUNDS_MS.length;
    expect(tally.roundTrips[0]).toBe(2);
    expect(tally.roundTrips[1]).toBe(1);
    expect(tally.roundTrips[last - 1]).toBe(1);
    expect(tally.roundTrips[last]).toBe(1);
    expect(tally.roundTripSumMs).toBeCloseTo(10_003.01);
  });

  it('adds up', () => {
    const one = new Stats();
    one.lost('silent');
    one.answered(7);
    const other = new Stats();
    other.lost('silent');
    other.lost('__proto__');
    other.answered(8);
    one.tally.add(other.tally);
    expect([...one.tally.linkLosses]).toEqual([
      ['silent', 2],
      ['__proto__', 1],
    ]);
    expect(one.tally.roundTrips.reduce((sum, each) => sum + each)).toBe(2);
    expect(one.tally.roundTripSumMs).toBe(15);
  });
});
