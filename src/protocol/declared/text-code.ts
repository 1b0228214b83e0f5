import {
  DATETIME_BYTES,
  fittingDatetime,
  fittingDigits,
  fittingText,
  fittingUuid,
  UUID_BYTES,
} from '../text-checks.ts';
import {
  characterLength,
  encodeCharset,
  isCharset,
  isCharsetText,
  lenientDecoder,
  strictDecoder,
} from './charset.ts';
import type { TextContent, TextEncoding } from './declaration.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const UTF16 = {
  utf16le: new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true }),
  utf16be: new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true }),
};
/** What stands for bytes that are no character. */
const REPLACEMENT = '\ufffd';
const LENIENT = {
  utf8: new TextDecoder('utf-8', { ignoreBOM: true }),
  utf16le: new TextDecoder('utf-16le', { ignoreBOM: true }),
  utf16be: new TextDecoder('utf-16be', { ignoreBOM: true }),
};
/** Characters that may be broken in bytes that count as text where a frame is searched: noise has more of them. */
const MOST_BROKEN = 1;
const ENCODER = new TextEncoder();

/** Longer text is no quicker than what the platform does. */
export const MOST_ASCII = 64;

/** Each byte as the character of its number; undefined where one is greater. Joins eight characters at once. */
export function byteText(
  bytes: Uint8Array,
  start: number,
  end: number,
  greatest: number,
): string | undefined {
  let text = '';
  let at = start;
  let all = 0;
  for (; at + 8 <= end; at += 8) {
    const a = bytes[at] ?? 0;
    const b = bytes[at + 1] ?? 0;
    const c = bytes[at + 2] ?? 0;
    const d = bytes[at + 3] ?? 0;
    const e = bytes[at + 4] ?? 0;
    const f = bytes[at + 5] ?? 0;
    const g = bytes[at + 6] ?? 0;
    const h = bytes[at + 7] ?? 0;
    all |= a | b | c | d | e | f | g | h;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; at < end; at++) {
    const byte = bytes[at] ?? 0;
    all |= byte;
    text += String.fromCharCode(byte);
  }
  return all > greatest ? undefined : text;
}

/** Bytes of one unit of an encoding. */
export function unitOf(encoding: TextEncoding): number {
  return encoding === 'utf16le' || encoding === 'utf16be' ? 2 : 1;
}

/** Bytes of the character that begins here, at least 1; of what is broken, 1. */
export const characterBytes = (encoding: TextEncoding, bytes: Uint8Array, at: number, end: number): number =>
  isCharset(encoding) ? characterLength(encoding, bytes, at, end) : 1;

/** The text of some bytes; undefined where they are none in this encoding. */
export function decodeText(
  encoding: TextEncoding,
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  // Nearly all text is ASCII, which every encoding of single bytes shares.
  if (encoding !== 'utf16le' && encoding !== 'utf16be' && end - start <= MOST_ASCII) {
    const text = byteText(bytes, start, end, encoding === 'latin1' ? 0xff : 0x7f);
    if (text !== undefined) return text;
  }
  switch (encoding) {
    case 'ascii':
      return byteText(bytes, start, end, 0x7f);
    case 'latin1':
      return byteText(bytes, start, end, 0xff);
    case 'utf8':
      return attempt(UTF8, bytes, start, end);
    case 'utf16le':
    case 'utf16be':
      return attempt(UTF16[encoding], bytes, start, end);
    default:
      return attempt(strictDecoder(encoding), bytes, start, end);
  }
}

/** The text of bytes that are none, with U+FFFD for what is no character. */
export function lossyText(encoding: TextEncoding, bytes: Uint8Array, start: number, end: number): string {
  switch (encoding) {
    case 'ascii':
    case 'latin1': {
      let text = '';
      for (let at = start; at < end; at++) {
        const byte = bytes[at] ?? 0;
        text += byte >= 0x80 && encoding === 'ascii' ? REPLACEMENT : String.fromCharCode(byte);
      }
      return text;
    }
    case 'utf8':
    case 'utf16le':
    case 'utf16be':
      return LENIENT[encoding].decode(bytes.subarray(start, end));
    default:
      return lenientDecoder(encoding).decode(bytes.subarray(start, end));
  }
}

/** Whether bytes are text, but for one character that may be cut or damaged. */
export function isText(encoding: TextEncoding, bytes: Uint8Array, start: number, end: number): boolean {
  switch (encoding) {
    case 'latin1':
      return true;
    case 'ascii': {
      let broken = 0;
      for (let at = start; at < end; at++)
        if ((bytes[at] ?? 0) >= 0x80 && ++broken > MOST_BROKEN) return false;
      return true;
    }
    case 'utf8':
      return isUtf8(bytes, start, end);
    case 'utf16le':
    case 'utf16be':
      return isUtf16(bytes, start, end, encoding === 'utf16le' ? 1 : 0);
    default:
      return isCharsetText(encoding, bytes, start, end, MOST_BROKEN);
  }
}

function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let broken = 0;
  for (let at = start; at < end; ) {
    if ((bytes[at] ?? 0) < 0x80) {
      at++;
      continue;
    }
    const length = utf8Bytes(bytes, at, end);
    if (length > 0) {
      at += length;
      continue;
    }
    if (++broken > MOST_BROKEN) return false;
    at++;
    while (at < end && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  }
  return true;
}

/**
 * Bytes of the character of several bytes that begins here; 0 where there is none. Table 3-7 of the Unicode standard:
 * what may follow a lead byte, so that nothing is overlong or a surrogate.
 */
function utf8Bytes(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = bytes[at + 1] ?? 0;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const greatest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > greatest) return 0;
  for (let index = 2; index < length; index++) if (((bytes[at + index] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** `high` is where the high byte of a unit lies. */
function isUtf16(bytes: Uint8Array, start: number, end: number, high: 0 | 1): boolean {
  let broken = (end - start) % 2;
  let paired = false;
  for (let at = start; at + 1 < end; at += 2) {
    const kind = (bytes[at + high] ?? 0) & 0xfc;
    if ((kind === 0xdc) !== paired) broken++;
    paired = kind === 0xd8;
  }
  return broken + (paired ? 1 : 0) <= MOST_BROKEN;
}

function attempt(
  decoder: Pick<typeof UTF8, 'decode'>,
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch (error) {
    // The platform has no question to ask, only an exception for what is no text.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The bytes of a text; undefined where the encoding cannot carry it. */
export function encodeText(encoding: TextEncoding, text: string): Uint8Array | undefined {
  if (/\p{Cs}/u.test(text)) return undefined;
  switch (encoding) {
    case 'ascii':
    case 'latin1': {
      const greatest = encoding === 'ascii' ? 0x7f : 0xff;
      const bytes = new Uint8Array(text.length);
      for (let at = 0; at < text.length; at++) {
        const code = text.charCodeAt(at);
        if (code > greatest) return undefined;
        bytes[at] = code;
      }
      return bytes;
    }
    case 'utf8':
      return ENCODER.encode(text);
    case 'utf16le':
    case 'utf16be': {
      const bytes = new Uint8Array(2 * text.length);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < text.length; at++)
        view.setUint16(2 * at, text.charCodeAt(at), encoding === 'utf16le');
      return bytes;
    }
    default:
      return encodeCharset(encoding, text);
  }
}

/** What a text must look like, in words. */
export function contentInWords(content: TextContent, length?: unknown): string {
  const count = typeof length === 'number' ? `${length} ` : '';
  switch (content) {
    case 'uuid':
      return `a UUID in text form (${UUID_BYTES} characters)`;
    case 'digits':
      return `${count}digits`;
    case 'datetime':
      return 'a date and time that exist, as YYYY-MM-DD HH:MM:SS';
    case 'printable':
      return `${count}printable ASCII characters`;
  }
}

export function contentFits(content: TextContent, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  switch (content) {
    case 'uuid':
      return length === UUID_BYTES && fittingUuid(bytes, start) === length;
    case 'digits':
      return fittingDigits(bytes, start, length) === length;
    case 'datetime':
      return length === DATETIME_BYTES && fittingDatetime(bytes, start) === length;
    case 'printable':
      return fittingText(bytes, start, length) === length;
  }
}
