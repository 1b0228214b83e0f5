import { describe, expect, it } from 'vitest';
import { PingWheel } from '../../../src/runtime/feed/ping-wheel.ts';

/** The members that each of so many seconds brings. */
function seconds(wheel: PingWheel<string>, count: number): string[][] {
  return Array.from({ length: count }, () => [...wheel.turn()]);
}

describe('the wheel of pings', () => {
  it('gives each member the second that chance says, once in an interval', () => {
    const chances = [0, 0.5, 0.999, 0.5];
    const wheel = new PingWheel<string>(4_000, () => chances.shift() ?? 0);
    for (const member of ['a', 'b', 'c', 'd']) wheel.add(member);
    expect(seconds(wheel, 8)).toEqual([[], ['b', 'd'], ['c'], ['a'], [], ['b', 'd'], ['c'], ['a']]);
  });

  it('forgets who left', () => {
    const wheel = new PingWheel<string>(2_000, () => 0.5);
    wheel.add('a');
    wheel.add('b');
    wheel.delete('a');
    expect(seconds(wheel, 2)).toEqual([['b'], []]);
  });
});
