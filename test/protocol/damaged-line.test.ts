import { expect, test } from 'vitest';
import { measureRecovery } from '../../bench/support/damaged-line.ts';

test.each([1, 2, 3])('a line that loses 1 %% and invents 1 %% of its bytes, seed %d', (seed) => {
  const damage = { seed, frames: 3000, dropped: 0.01, inserted: 0.01, backToBack: 0.5, largestChunk: 16 };
  const recovery = measureRecovery(damage);
  expect(recovery.undamaged).toBeGreaterThan(2000);
  expect(recovery.recovered / recovery.undamaged).toBeGreaterThanOrEqual(0.95);
  expect(recovery.fabricatedHunting).toBe(0);
});

test('a line without damage loses nothing and invents nothing', () => {
  const damage = { seed: 4, frames: 2000, dropped: 0, inserted: 0, backToBack: 0.5, largestChunk: 16 };
  expect(measureRecovery(damage)).toMatchObject({
    undamaged: 2000,
    recovered: 2000,
    fabricatedHunting: 0,
    fabricatedLocked: 0,
    altered: 0,
  });
});
