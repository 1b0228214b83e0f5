/** Between raw numbers and values: value = raw * scale + offset. */
export interface Scaling {
  toValue(raw: number): number;
  /** Rounded to the nearest raw number. */
  toRaw(value: number): number;
  /** The raw number of a float, which is not rounded. */
  toFloat(value: number): number;
}

/** A decimal as a whole number and a power of ten: 0.25 is 25 and 100. */
function asDecimal(value: number): { readonly whole: number; readonly power: number } | undefined {
  const [, sign = '', digits = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  if (digits === '') return undefined;
  const places = fraction.length - Number(exponent);
  const whole = Number(`${sign}${digits}${fraction}`) * (places < 0 ? 10 ** -places : 1);
  const power = places > 0 ? 10 ** places : 1;
  return places <= 22 && Number.isSafeInteger(whole) ? { whole, power } : undefined;
}

/**
 * Decimal scales are divided, so that 2314 at 0.01 is 23.14 and not 23.140000000000001: scale and offset become whole
 * numbers over one power of ten, and only the last division rounds. `largest` is the greatest raw number by amount.
 */
export function makeScaling(scale: number, offset: number, largest: number): Scaling {
  const [a, b] = [asDecimal(scale), asDecimal(offset)];
  if (a !== undefined && b !== undefined) {
    const power = Math.max(a.power, b.power);
    const factor = a.whole * (power / a.power);
    const shift = b.whole * (power / b.power);
    if (Math.abs(factor) * largest + Math.abs(shift) <= Number.MAX_SAFE_INTEGER && power <= 1e15) {
      if (factor === 1 && shift === 0) {
        const toFloat = (value: number) => value * power;
        return { toValue: (raw) => raw / power, toRaw: (value) => Math.round(toFloat(value)), toFloat };
      }
      const toFloat = (value: number) => (value * power - shift) / factor;
      return {
        toValue: (raw) => (raw * factor + shift) / power,
        toRaw: (value) => Math.round(toFloat(value)),
        toFloat,
      };
    }
  }
  const parts = Math.round(1 / scale);
  if (offset === 0 && parts > 1 && Math.abs(parts * scale - 1) <= 2 * Number.EPSILON) {
    // A part of one, such as 1 / 1,800,000, is divided as well.
    const toFloat = (value: number) => value * parts;
    return { toValue: (raw) => raw / parts, toRaw: (value) => Math.round(toFloat(value)), toFloat };
  }
  const toFloat = (value: number) => (value - offset) / scale;
  const divisor = Math.round(1 / scale);
  return {
    // A scale such as 1/1800000 has no short decimal; the division rounds once, and gives 10 and not 10.000000000000002.
    toValue:
      Math.abs(divisor * scale - 1) < 4 * Number.EPSILON
        ? (raw) => raw / divisor + offset
        : (raw) => raw * scale + offset,
    toRaw: (value) => Math.round(toFloat(value)),
    toFloat,
  };
}
