import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEAST_BACK_OFF_MS } from '../../../src/contract/settings.ts';
import { backOffMs } from '../../../src/devices/core/dial-plan.ts';

const usual = { initialMs: 1_000, maxMs: 30_000, multiplier: 2, jitter: 'full' } as const;
const steady = { ...usual, jitter: 'none' } as const;

describe('the pause before the next try', () => {
  it.each([
    // reconnect, attempt, random, ms
    [steady, 1, 0.5, 1_000],
    [steady, 2, 0.5, 2_000],
    [steady, 5, 0.5, 16_000],
    [steady, 6, 0.5, 30_000],
    [steady, 10_000, 0.5, 30_000],
    [steady, 0, 0.5, 1_000],
    [usual, 1, 0, 100],
    [usual, 1, 0.5, 550],
    [usual, 6, 0.5, 15_050],
    [usual, 10_000, 0, 100],
    [{ ...steady, multiplier: 1 }, 50, 0, 1_000],
    [{ ...steady, initialMs: 0 }, 1, 0, 100],
    [{ ...steady, initialMs: 0 }, 10_000, 0, 30_000],
    [{ ...steady, initialMs: 10, maxMs: 20 }, 9, 0, 100],
    [{ ...usual, initialMs: 10, maxMs: 20 }, 9, 0.9, 100],
  ])('%j, failure %d in a row, random %d: %d ms', (reconnect, attempt, random, expected) => {
    expect(backOffMs(reconnect, attempt, random)).toBeCloseTo(expected, 6);
  });

  it('lies between the least one and the ceiling, which never shrinks', () => {
    const settings = fc.record({
      initialMs: fc.integer({ min: 0, max: 1e6 }),
      maxMs: fc.integer({ min: 0, max: 1e9 }),
      multiplier: fc.double({ min: 1, max: 100, noNaN: true }),
    });
    const entropy = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(settings, fc.integer({ min: 1, max: 10_000 }), entropy, (shape, attempt, random) => {
        const ceiling = backOffMs({ ...shape, jitter: 'none' }, attempt, random);
        const pause = backOffMs({ ...shape, jitter: 'full' }, attempt, random);
        expect(pause).toBeGreaterThanOrEqual(LEAST_BACK_OFF_MS);
        expect(pause).toBeLessThanOrEqual(ceiling);
        expect(ceiling).toBeLessThanOrEqual(Math.max(LEAST_BACK_OFF_MS, shape.maxMs));
        expect(backOffMs({ ...shape, jitter: 'none' }, attempt + 1, random)).toBeGreaterThanOrEqual(ceiling);
      }),
    );
  });
});
