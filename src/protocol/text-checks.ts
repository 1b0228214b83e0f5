// Each check returns how many bytes from `at` on fit, and stops at the first that does not: the caller learns whether
// the text is right (all of them fit) and how many bytes were touched.

/** Bytes of a UUID in text form. */
export const UUID_BYTES = 36;

/** Bytes of `YYYY-MM-DD HH:MM:SS`. */
export const DATETIME_BYTES = 19;

const DATETIME_PATTERN = 'dddd-dd-dd dd:dd:dd';
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

/** Bytes that fit a UUID text (8-4-4-4-12 hex digits of either case): 36 where it is one. */
export function fittingUuid(bytes: Uint8Array, at: number): number {
  for (let index = 0; index < UUID_BYTES; index++) {
    const byte = bytes[at + index] ?? 0;
    const dash = index === 8 || index === 13 || index === 18 || index === 23;
    if (dash ? byte !== 0x2d : !isHexDigit(byte)) return index;
  }
  return UUID_BYTES;
}

/** Leading decimal digits, at most `count`. */
export function fittingDigits(bytes: Uint8Array, at: number, count: number): number {
  for (let index = 0; index < count; index++) if (!isDigit(bytes[at + index])) return index;
  return count;
}

/** Leading printable ASCII characters, at most `count`. */
export function fittingText(bytes: Uint8Array, at: number, count: number): number {
  for (let index = 0; index < count; index++) {
    const byte = bytes[at + index] ?? 0;
    if (byte < 0x20 || byte > 0x7e) return index;
  }
  return count;
}

/** Bytes that fit `YYYY-MM-DD HH:MM:SS`: 19 where it is a date and time that exist, 18 where only the pattern is right. */
export function fittingDatetime(bytes: Uint8Array, at: number): number {
  for (let index = 0; index < DATETIME_BYTES; index++) {
    const wanted = DATETIME_PATTERN.charCodeAt(index);
    const byte = bytes[at + index];
    if (wanted === 0x64 ? !isDigit(byte) : byte !== wanted) return index;
  }
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  const leapDay = month === 2 && ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0) ? 1 : 0;
  const real =
    year >= 1 &&
    day >= 1 &&
    day <= (DAYS[month - 1] ?? 0) + leapDay &&
    twoDigits(bytes, at + 11) <= 23 &&
    twoDigits(bytes, at + 14) <= 59 &&
    twoDigits(bytes, at + 17) <= 59;
  return real ? DATETIME_BYTES : DATETIME_BYTES - 1;
}

function twoDigits(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) - 0x30) * 10 + (bytes[at + 1] ?? 0) - 0x30;
}

/** Whether the last digit of an IMEI is the Luhn check digit of those before it; a wrong one deserves a warning, no more. */
export function luhnValid(imei: string): boolean {
  if (!/^\d{2,}$/.test(imei)) return false;
  let sum = 0;
  for (let index = 0; index < imei.length; index++) {
    const digit = imei.charCodeAt(imei.length - 1 - index) - 0x30;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
