import fc from 'fast-check';
import { expect, it } from 'vitest';
import { atOnce, sortSteps } from '../../src/system/slices.ts';

it('texts sorted in steps are in the order of code units, whatever their number', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 4 }), { maxLength: 700 }), (texts) => {
      expect(atOnce(sortSteps(texts))).toEqual(texts.toSorted());
    }),
    { numRuns: 15, seed: 4 },
  );
});

it('sorting may be interrupted before it has compared many', () => {
  const texts = Array.from({ length: 10_000 }, (_, at) => `t${(at * 7_919) % 10_000}`);
  expect([...sortSteps(texts)].length).toBeGreaterThan(200);
});
