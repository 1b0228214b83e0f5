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

/** What a device registers as. */
export interface DeviceIdentity {
  /** A UUID as text, 36 characters. */
  readonly appid: string;
  /** 15 digits, the last one by Luhn. */
  readonly imei: string;
}

/** Makes up a valid identity; the same sequence of numbers gives the same one. */
export function randomIdentity(random: Random): DeviceIdentity {
  return { appid: randomUuid(random), imei: randomImei(random) };
}

function randomUuid(random: Random): string {
  const digit = (): string => randomInteger(random, 0, 15).toString(16);
  // The fixed 4 is the version (random), the digit from 8 to b the variant.
  return 'xxxxxxxx-xxxx-4xxx-Vxxx-xxxxxxxxxxxx'.replace(/[xV]/g, (place) =>
    place === 'x' ? digit() : randomInteger(random, 8, 11).toString(16),
  );
}

function randomImei(random: Random): string {
  // 35 is the prefix of a reporting body that real devices carry.
  const digits = `35${Array.from({ length: 12 }, () => randomInteger(random, 0, 9)).join('')}`;
  return digits + luhnDigit(digits);
}

/** The check digit to put behind `digits`. */
export function luhnDigit(digits: string): string {
  let sum = 0;
  let doubled = true;
  for (const character of [...digits].reverse()) {
    const digit = Number(character) * (doubled ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
    doubled = !doubled;
  }
  return String((10 - (sum % 10)) % 10);
}
