import type { FieldDeclaration } from './declaration.ts';
import type { Raw } from './raw-number.ts';

/** A conversion of `printf`: `%+.3E`, `%08.2f`, `%04X`, with text around it. */
export interface NumberFormat {
  readonly before: string;
  readonly after: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly kind: string;
}

const LONGEST_FIELD = 64;

/** Undefined where a format is none, or has more than one conversion. */
export function parseNumberFormat(format: string): NumberFormat | undefined {
  const parts = /^([^%]*)%([-+ 0#]*)(\d{0,2})(?:\.(\d{1,2}))?([dfeEgGxX])([^%]*)$/.exec(format);
  if (parts === null) return undefined;
  const [, before = '', flags = '', width = '', precision, kind = 'f', after = ''] = parts;
  const least = Number(width);
  if (least > LONGEST_FIELD || Number(precision ?? 0) > 20) return undefined;
  return {
    before,
    after,
    flags,
    width: least,
    precision: precision === undefined ? undefined : Number(precision),
    kind,
  };
}

/** A number as `printf` of C writes it. */
export function printed({ before, after, flags, width, precision, kind }: NumberFormat, raw: Raw): string {
  const minus = raw < 0 || Object.is(raw, -0);
  const digits = digitsOf(minus ? -raw : raw, kind, precision);
  const sign = minus ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const prefix = sign + (flags.includes('#') && /[xX]/.test(kind) ? `0${kind}` : '');
  const left = width - prefix.length - digits.length;
  if (left <= 0) return before + prefix + digits + after;
  if (flags.includes('-')) return before + prefix + digits + ' '.repeat(left) + after;
  const body = flags.includes('0') ? prefix + '0'.repeat(left) + digits : ' '.repeat(left) + prefix + digits;
  return before + body + after;
}

function digitsOf(amount: Raw, kind: string, precision: number | undefined): string {
  const number = Number(amount);
  switch (kind) {
    case 'd':
      return typeof amount === 'bigint' ? amount.toString() : BigInt(Math.round(amount)).toString();
    case 'x':
    case 'X': {
      const text = BigInt(typeof amount === 'bigint' ? amount : Math.round(amount))
        .toString(16)
        .padStart(precision ?? 1, '0');
      return kind === 'X' ? text.toUpperCase() : text;
    }
    case 'e':
    case 'E':
      return withCase(exponential(number, precision ?? 6), kind);
    case 'g':
    case 'G':
      return withCase(general(number, precision ?? 6), kind);
    default:
      return fixed(number, precision ?? 6);
  }
}

const withCase = (text: string, kind: string): string =>
  kind === 'E' || kind === 'G' ? text.toUpperCase() : text;

/** `toFixed` goes over to exponents at 1e21; `printf` does not. */
export const fixed = (number: number, precision: number): string =>
  Math.abs(number) < 1e21
    ? number.toFixed(precision)
    : BigInt(number).toString() + (precision > 0 ? `.${'0'.repeat(precision)}` : '');

/** At least two digits of exponent, as C has them. */
const exponential = (number: number, precision: number): string =>
  number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');

function general(number: number, precision: number): string {
  const digits = Math.max(precision, 1);
  const exponent = number === 0 ? 0 : Number(number.toExponential(digits - 1).split('e')[1]);
  const text =
    exponent < -4 || exponent >= digits
      ? exponential(number, digits - 1)
      : number.toFixed(Math.max(digits - 1 - exponent, 0));
  return text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '');
}

/** Digits of a hexadecimal number that has always as many. */
export const fixedDigits = ({ length }: FieldDeclaration): number | undefined =>
  typeof length === 'number' && length > 0 ? Math.min(length, 16) : undefined;
