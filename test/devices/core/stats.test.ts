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
