import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/system/pace.ts';

const { signal } = new AbortController();

describe('a pace', () => {
  it('begins with its first wait, and waits for nothing that is past', () => {
    const pace = new Pace({ speed: 1, signal });
    expect(pace.until(0)).toBeUndefined();
    expect(pace.until(-5)).toBeUndefined();
  });

  it('waits for played time at its speed, and says how far it is meanwhile', async () => {
    const reached: number[] = [];
    const pace = new Pace({ speed: 100, signal, reached: (playedMs) => void reached.push(playedMs) });
    const startedAt = performance.now();
    await pace.until(3_000);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
    expect(reached.length).toBeGreaterThan(0);
    expect(Math.max(...reached)).toBeLessThan(3_000);
  });

  it('ends a wait at once when it is aborted', async () => {
    const controller = new AbortController();
    const waiting = new Pace({ speed: 1, signal: controller.signal }).until(3_600_000);
    controller.abort();
    await waiting;
  });
});
