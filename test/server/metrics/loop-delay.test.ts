import { describe, expect, it } from 'vitest';
import { LoopDelayWatch } from '../../../src/server/metrics/bridge-families.ts';

describe('the delay of the event loop', () => {
  it('shows a stall for a minute at least, to everybody who asks, and forgets it in the end', async () => {
    const watch = new LoopDelayWatch();
    expect(watch.read(0)).toEqual({ p50: 0, p99: 0, max: 0 });
    watch.start();
    const turned = () => new Promise((resolve) => setImmediate(resolve));
    // The histogram begins with the first tick of its own timer.
    await expect.poll(() => watch.read(0).max, { interval: 10 }).toBeGreaterThanOrEqual(0);
    await expect
      .poll(
        async () => {
          const until = performance.now() + 200;
          while (performance.now() < until);
          await turned();
          return watch.read(0).max;
        },
        { interval: 60 },
      )
      .toBeGreaterThan(0.1);
    const { max } = watch.read(59_999);
    expect(max).toBeGreaterThan(0.1);
    expect(watch.read(60_000).max).toBeGreaterThan(0.1);
    watch.stop();
    // The two histograms have taken turns twice.
    expect(watch.read(120_000).max).toBe(0);
  });
});
