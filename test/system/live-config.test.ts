import { describe, expect, it } from 'vitest';
import { LiveConfig } from '../../src/system/live-config.ts';

describe('a live value', () => {
  it('is read as it is now', () => {
    const live = new LiveConfig(1);
    live.set(2);
    expect(live.value).toBe(2);
  });

  it('calls its watchers with every later value, in their order', () => {
    const live = new LiveConfig(1);
    const seen: string[] = [];
    live.watch((value) => void seen.push(`a${value}`));
    live.watch((value) => void seen.push(`b${value}`));
    live.set(2);
    live.set(3);
    expect(seen).toEqual(['a2', 'b2', 'a3', 'b3']);
  });

  it('has parts, which are computed once for each value', () => {
    const live = new LiveConfig({ n: 1 });
    let computed = 0;
    const part = live.map(({ n }) => {
      computed += 1;
      return n * 10;
    });
    const seen: number[] = [];
    part.watch((value) => void seen.push(value));
    live.set({ n: 2 });
    expect([part.value, part.value, computed, seen]).toEqual([20, 20, 2, [20]]);
  });
});
