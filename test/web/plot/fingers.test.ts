import { expect, it } from 'vitest';
import { spanUnder } from '../../../web/src/plot/fingers.ts';

const SPAN = { from: 1_000, to: 2_000 };

it.each([
  ['no finger leaves it as it is', [], SPAN],
  ['one finger moves it', [{ at: 1_500, x: 400 }], { from: 1_100, to: 2_100 }],
  ['a finger that stays holds it', [{ at: 1_500, x: 500 }], SPAN],
  [
    'two fingers that part show less',
    [
      { at: 1_400, x: 300 },
      { at: 1_600, x: 700 },
    ],
    { from: 1_250, to: 1_750 },
  ],
  [
    'two fingers that close show more, whichever came first',
    [
      { at: 1_600, x: 550 },
      { at: 1_400, x: 450 },
    ],
    { from: 500, to: 2_500 },
  ],
])('a span of 1,000 px: %s', (_, held, expected) => {
  expect(spanUnder(held, 1_000, SPAN)).toEqual(expected);
});

it('fingers that meet, or cross, show a span that is finite and runs forward', () => {
  for (const x of [500, 499, 100, 900]) {
    const { from, to } = spanUnder(
      [
        { at: 1_400, x: 500 },
        { at: 1_600, x },
      ],
      1_000,
      SPAN,
    );
    expect(to).toBeGreaterThan(from);
    expect(Number.isFinite(from) && Number.isFinite(to)).toBe(true);
  }
});
