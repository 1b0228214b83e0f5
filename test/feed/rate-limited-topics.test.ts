import { describe, expect, it } from 'vitest';
import { RateLimitedTopics } from '../../src/feed/core/rate-limited-topics.ts';

describe('rate-limited topics', () => {
  it('are sent at once, then no sooner than allowed, each with the first change that waited', () => {
    const paced = new RateLimitedTopics();
    const changed = (rev: number, atMs: number) => paced.changed('a', rev, 100, atMs);
    expect([changed(1, 0), changed(2, 50), changed(3, 60)]).toEqual([1, undefined, undefined]);
    expect([[...paced.due(99)], [...paced.due(110)]]).toEqual([[], [['a', 2]]]);
    expect([changed(4, 209), changed(5, 210)]).toEqual([undefined, 4]);
    expect([[...paced.due(300)], [...paced.due(400)], paced.waiting]).toEqual([[], [], false]);
  });

  it('are not sent twice where one changes when it is due and not checked yet', () => {
    const paced = new RateLimitedTopics();
    let sent = 0;
    for (let atMs = 0; atMs < 1_000; atMs += 3) {
      if (paced.changed('a', atMs, 100, atMs) !== undefined) sent++;
      if (atMs % 20 < 3) sent += [...paced.due(atMs)].length;
    }
    expect(sent).toBe(10);
  });

  it('are forgotten once they may be sent at once again', () => {
    const paced = new RateLimitedTopics();
    const seen: number[] = [];
    for (let n = 0; n < 10_000; n++) {
      paced.changed(`t${n}`, n, 100, n);
      if (n % 1_000 === 999) seen.push(paced.remembered);
    }
    expect(Math.max(...seen)).toBeLessThan(1_000);
    expect([paced.changed('t9999', 10_000, 100, 10_001), paced.changed('t1', 10_001, 100, 10_001)]).toEqual([
      undefined,
      10_001,
    ]);
  });
});
