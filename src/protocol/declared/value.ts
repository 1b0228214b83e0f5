export type { BytesValue, Value, Values } from '../../contract/index.ts';

import type { BytesValue, Value, Values } from '../../contract/index.ts';

/** Something in a message that is worth a word, though the message counts. */
export interface FieldIssue {
  /** `mode`, `channels[2]`, `status.fan`. */
  readonly field: string;
  readonly reason:
    | 'unknown_value'
    | 'out_of_range'
    | 'not_finite'
    | 'bad_text'
    | 'not_a_number'
    | 'bad_time'
    | 'empty'
    | 'unknown_key'
    | 'repeated';
  readonly detail: string;
}

export function isValues(value: unknown): value is Values {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** The value of an own key; what `Object.prototype` brings along does not count. */
export function ownValue(values: Values, name: string): Value | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SIXTH = new Map(Array.from(DIGITS, (digit, index) => [digit, index]));

/** Bytes as they appear in messages, state and commands. */
export function bytesValue(bytes: Uint8Array, start = 0, end = bytes.length): BytesValue {
  let text = '';
  for (let at = start; at < end; at += 3) {
    const left = end - at;
    const group =
      ((bytes[at] ?? 0) << 16) |
      ((left > 1 ? (bytes[at + 1] ?? 0) : 0) << 8) |
      (left > 2 ? (bytes[at + 2] ?? 0) : 0);
    text += DIGITS.charAt(group >> 18) + DIGITS.charAt((group >> 12) & 63);
    text += left > 1 ? DIGITS.charAt((group >> 6) & 63) : '=';
    text += left > 2 ? DIGITS.charAt(group & 63) : '=';
  }
  return { $bytes: text, len: end - start };
}

/** The bytes of a `BytesValue`, of a `Uint8Array`, or of hex text (`0x0a0b`); undefined for all else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return bytesOfHex(value);
  if (!isValues(value)) return undefined;
  const { $bytes: text, len } = value;
  if (
    typeof text !== 'string' ||
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
  ) {
    return undefined;
  }
  const plain = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((plain.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const digit of plain) {
    held = ((held << 6) | (SIXTH.get(digit) ?? 0)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (held >> bits) & 0xff;
  }
  return len === undefined || len === bytes.length ? bytes : undefined;
}

/** The bytes of `0x0a0b`; undefined where that is none. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2 - 1);
  for (let at = 0; at < bytes.length; at++)
    bytes[at] = Number.parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16);
  return bytes;
}
