import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversPattern } from '../../../src/contract/wire/covers-pattern.ts';

/** Does a pattern match a topic, read literally. */
function matches(pattern: readonly string[], topic: readonly string[]): boolean {
  const [level, ...rest] = pattern;
  if (level === '#') return true;
  const [first, ...others] = topic;
  if (level === undefined || first === undefined) return level === first;
  return (level === '+' || level === first) && matches(rest, others);
}

/** Every topic of up to so many levels from these words. */
function topics(words: readonly string[], levels: number): string[][] {
  if (levels === 0) return [];
  const shorter = topics(words, levels - 1);
  const tails = [[], ...shorter];
  return words.flatMap((word) => tails.map((tail) => [word, ...tail]));
}

describe('a pattern within others', () => {
  it.each([
    // allowed, asked, covered
    [['#'], '#', true],
    [['#'], 'devices/p1/bytes', true],
    [[], 'a', false],
    [['a/#'], 'a', true],
    [['a/#'], 'a/#', true],
    [['a/#'], 'a/+/b', true],
    [['a/#'], '#', false],
    [['a/#'], '+', false],
    [['a/+'], 'a/#', false],
    [['a/+'], 'a/b', true],
    [['a/+'], 'a', false],
    [['a/b'], 'a/+', false],
    [['+/+'], 'a/+', true],
    [['a', 'a/+/#'], 'a/#', true],
    [['a/+/#'], 'a/#', false],
    [['a/+', 'a/b/#'], 'a/b/#', true],
    [['a/b', 'a/c'], 'a/+', false],
    [['+/x', 'a/+'], 'a/x', true],
    [['devices/p1/#'], 'devices/+/state', false],
    [['devices/+/state', 'devices/+/alarms'], 'devices/p1/#', false],
    // A topic has 8 levels at most, so these are all of them.
    [
      ['a', 'a/+', 'a/+/+', 'a/+/+/+', 'a/+/+/+/+', 'a/+/+/+/+/+', 'a/+/+/+/+/+/+', 'a/+/+/+/+/+/+/+'],
      'a/#',
      true,
    ],
    [['a', 'a/+', 'a/+/+', 'a/+/+/+', 'a/+/+/+/+', 'a/+/+/+/+/+', 'a/+/+/+/+/+/+'], 'a/#', false],
    [['+', '+/+/#'], '#', true],
    [['+', '+/#'], '+/#', true],
  ] as const)('%j over %s: %s', (allowed, asked, covered) => {
    expect(coversPattern(allowed, asked)).toBe(covered);
  });

  it('is covered exactly when each of its topics is', () => {
    // Patterns of up to three levels tell no longer topics apart, and no other words than their own.
    const all = topics(['a', 'b', 'other'], 5);
    const level = fc.constantFrom('a', 'b', '+');
    const pattern = fc
      .tuple(fc.array(level, { maxLength: 3 }), fc.boolean())
      .map(([levels, open]) => (open ? [...levels, '#'] : levels))
      .filter((levels) => levels.length > 0);
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), pattern, (allowed, asked) => {
        const truth = all
          .filter((topic) => matches(asked, topic))
          .every((topic) => allowed.some((each) => matches(each, topic)));
        const text = (levels: readonly string[]) => levels.join('/');
        expect(coversPattern(allowed.map(text), text(asked))).toBe(truth);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is judged in no time, also where many are allowed', () => {
    const allowed = Array.from({ length: 64 }, (_, i) =>
      Array.from({ length: 8 }, (_, depth) => ((i >> (depth % 6)) & 1 ? '+' : `w${depth}`)).join('/'),
    );
    expect(coversPattern(allowed, '+/+/+/+/+/+/+/+')).toBe(true);
    expect(coversPattern(allowed.slice(0, -1), 'x/#')).toBe(false);
  });
});
