/** The next number of a sequence, in [0, 1). */
export type Random = () => number;

/** A small, fast and repeatable source of numbers (mulberry32): the same seed gives the same sequence; never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A sequence of its own for the `index`-th of several that share a seed; neighbours are unrelated. */
export function forkedRandom(seed: number, index: number): Random {
  // One round of splitting: without it, neighbouring seeds of a counter-based generator overlap shifted by one step.
  const spread = Math.imul((seed >>> 0) ^ Math.imul(index + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
  return seededRandom(spread ^ (spread >>> 13));
}

/** A whole number from `low` to `high`, both included. */
export function randomInteger(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}
