import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  forkedRandom,
  luhnDigit,
  randomIdentity,
  randomInteger,
  seededRandom,
} from '../../src/simulator/random.ts';

const take = (random: () => number, count: number): number[] => Array.from({ length: count }, () => random());

describe('random', () => {
  test('gives the published sequence of mulberry32', () => {
    // First outputs of the reference implementation for seed 1.
    expect(take(seededRandom(1), 3)).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522]);
  });

  test('the same seed gives the same numbers, another seed others, all in [0, 1)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(1000), (seed, index) => {
        const numbers = take(forkedRandom(seed, index), 8);
        expect(take(forkedRandom(seed, index), 8)).toEqual(numbers);
        expect(take(forkedRandom(seed, index + 1), 8)).not.toEqual(numbers);
        expect(numbers.every((each) => each >= 0 && each < 1)).toBe(true);
      }),
    );
  });

  test('forks of one seed share no run of numbers', () => {
    const seen = new Set<number>();
    for (let index = 0; index < 200; index += 1) {
      for (const number of take(forkedRandom(7, index), 50)) seen.add(number);
    }
    expect(seen.size).toBeGreaterThan(9_990);
  });

  test('whole numbers reach both ends and nothing beyond', () => {
    const random = seededRandom(3);
    const drawn = new Set(Array.from({ length: 200 }, () => randomInteger(random, 2, 5)));
    expect([...drawn].sort()).toEqual([2, 3, 4, 5]);
  });
});

describe('identity', () => {
  test.each([
    ['49015420323751', '8'],
    ['86985803072069', '3'],
    ['00000000000000', '0'],
  ])('the check digit of %s is %s', (digits, digit) => {
    expect(luhnDigit(digits)).toBe(digit);
  });

  test('every identity is a UUID of version 4 and an IMEI that passes Luhn, and no two are the same', () => {
    const imeis = new Set<string>();
    for (let index = 0; index < 500; index += 1) {
      const { appid, imei } = randomIdentity(forkedRandom(1, index));
      expect(appid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(imei).toMatch(/^\d{15}$/);
      expect(luhnDigit(imei.slice(0, 14))).toBe(imei.slice(14));
      imeis.add(imei);
    }
    expect(imeis.size).toBe(500);
    expect(randomIdentity(forkedRandom(1, 0))).toEqual(randomIdentity(forkedRandom(1, 0)));
  });
});
