import { type Random, randomInteger } from './random.ts';

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
