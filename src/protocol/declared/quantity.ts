import { FieldError, shown } from './writing.ts';

const QUANTITY = /^(?!0x)([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:\s+|(?=[^\d\s.]))(\S.*)$/i;
const LONGEST = 80;

/** Spellings of one unit, each made into that on the right; a prefix or a power is never converted. */
const SPELLINGS: ReadonlyArray<readonly [pattern: RegExp, unit: string]> = [
  // The ordinal indicator stands beside the degree sign on many keyboards.
  [/^[°º]\s*|^deg(?:ree)?s?\s*(?=[CF]?$)/, '°'],
  // Keyboards without Greek letters write uA and kohm.
  [/^u(?=[A-Za-z])/, 'μ'],
  [/^([kMGmμ]?)[oO]hms?$/, '$1Ω'],
];

/** A unit by which all its spellings are the same: `degC`, `℃` and `°C`; `uA`, `µA` and `μA`; `m2` and `m²`. */
function unitKey(unit: string): string {
  let key = unit.trim().replace(/\s+/g, ' ').replaceAll('º', '°').normalize('NFKC');
  for (const [pattern, instead] of SPELLINGS) key = key.replace(pattern, instead);
  return key;
}

/**
 * The number of a text such as `21.5 °C`, where its unit is the declared one; what is no number with a unit comes back
 * as it is. Nothing is converted: what was typed is what the device gets.
 * @throws FieldError where the unit is another one, or none is declared
 */
export function numberOf(value: unknown, unit: string | undefined): unknown {
  if (typeof value !== 'string' || value.length > LONGEST) return value;
  const [, digits, said] = QUANTITY.exec(value.trim()) ?? [];
  if (digits === undefined || said === undefined) return value;
  if (unit === undefined) throw new FieldError('has no unit: give the number alone', shown(value));
  if (unitKey(said) !== unitKey(unit)) {
    throw new FieldError(`is given in ${unit}, and nothing is converted`, shown(value));
  }
  const number = Number(digits);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? digits : number;
}

/**
 * How far two values may be apart, of a number or of text such as `0.5 °C`.
 * @throws FieldError where that is no number from 0 on, or its unit is another one
 */
export function marginOf(value: number | string, unit: string | undefined): number {
  const number = Number(numberOf(value, unit));
  if (Number.isFinite(number) && number >= 0 && value !== '') return number;
  throw new FieldError('is no number from 0 on', shown(value));
}
