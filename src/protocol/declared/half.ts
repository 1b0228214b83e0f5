/** IEEE 754 half precision: 1 bit of sign, 5 of exponent, 10 of fraction. */

/** The number of 16 bits. */
export function halfOf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the nearest half; of two as near, the even one. */
export function halfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24);
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  let exponent = Math.floor(Math.log2(size));
  // The logarithm of a number just below a power of two may be that power.
  if (2 ** exponent > size) exponent--;
  if (exponent > 15) return sign | 0x7c00;
  // A fraction that is rounded up to the next power of two carries into the exponent.
  return sign | Math.min(((exponent + 15) << 10) + roundEven((size / 2 ** exponent - 1) * 1024), 0x7c00);
}

/** The half that is nearest to a number. */
export const roundHalf = (value: number): number => halfOf(halfBits(value));

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const above = value - floor;
  if (above !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
