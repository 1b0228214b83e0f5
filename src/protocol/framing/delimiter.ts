import { HeartwireError } from '../../errors.ts';
import { hexText } from '../describe.ts';
import { delimiter as checkDelimiter } from './check-delimiter.ts';
import { hexDigit } from './checksum-field.ts';
import type { Envelope, Opened } from './delimited-decoder.ts';
import { delimitedFraming } from './delimited-framing.ts';
import { locateDelimited } from './delimiter-location.ts';
import { luaDelimited } from './delimiter-lua.ts';
import {
  DELIMITER_KEYS,
  type DelimiterFraming,
  delimitersOf,
  doublesEscape,
  isFlag,
  MAX_PAYLOAD,
  startWord,
} from './delimiter-marks.ts';
import { findByte, findBytes, startsWith } from './find-bytes.ts';
import type { Framing } from './framing.ts';
import type { FramingType } from './framing-type.ts';
import { NO_BYTES } from './layout.ts';
import { lineEndOf } from './line-ends.ts';
import { Scratch } from './scratch.ts';
import { SealedPayload } from './sealed-payload.ts';
import { bytesInWords } from './words.ts';

/** What undoes the marks and escapes of a framing with delimiters, and how long what stands between them may be. */
export function delimitedEnvelope(declaration: DelimiterFraming) {
  const { escape: escaping, encoding = 'raw', checksum, preamble, trailer } = declaration;
  const [delimiter = NO_BYTES] = delimitersOf(declaration);
  const maxPayload = declaration.maxFrame ?? MAX_PAYLOAD;
  const sealed = new SealedPayload(checksum, maxPayload, {
    id: declaration.id,
    front: checksum?.includes?.includes('start') ? (declaration.start ?? NO_BYTES) : NO_BYTES,
    back: checksum?.includes?.includes('delimiter') ? delimiter : NO_BYTES,
  });
  const factor = escaping === undefined && encoding === 'raw' ? 1 : 2;
  const isBehind = checksum?.place === 'behind';
  return {
    sealed,
    envelope: new PlainEnvelope(declaration, sealed) as Envelope,
    behind: isBehind ? (sealed.checksum?.bytes ?? 0) + (trailer?.length ?? 0) : 0,
    maxBytes: startWord(declaration).length + (preamble?.length ?? 0) + sealed.maxBytes * factor,
  };
}

/** Frames that end with some bytes: lines of text, NMEA 0183, Modbus ASCII, asynchronous HDLC. */
export function makeDelimiterFraming(declaration: DelimiterFraming): Framing {
  const { escape: escaping, encoding = 'raw', checksum, prompt } = declaration;
  const [delimiter = NO_BYTES, ...others] = delimitersOf(declaration);
  const start = startWord(declaration);
  const { sealed, behind, maxBytes } = delimitedEnvelope(declaration);
  const plainLines = escaping === undefined && others.length === 0 && behind === 0 && prompt === undefined;
  const inText = checksum?.encoding === 'hex' || (checksum !== undefined && encoding !== 'raw');
  return delimitedFraming(declaration, {
    sealed,
    delimiter,
    others,
    literalEscape: (escaping?.xor ?? 0) === 0 ? escaping?.byte : undefined,
    doubles: doublesEscape(declaration),
    prompt,
    behind,
    maxBytes,
    words: [
      [delimiter, ...others].map(bytesInWords).join(' or '),
      ...(start.length === 0 ? [] : [`start ${bytesInWords(start)}`]),
      ...(isFlag(declaration) ? ['in front too'] : []),
      ...(escaping === undefined ? [] : [`escape ${bytesInWords(Uint8Array.of(escaping.byte))}`]),
      ...(encoding === 'raw' ? [] : ['in hex digits']),
    ],
    proves: sealed.checksum !== undefined || start.length > 0,
    endsLines: plainLines ? lineEndOf(delimiter) : undefined,
    anyLineEnd: plainLines && lineEndOf(delimiter) !== undefined && inText,
    opens: sealed.checksum === undefined && declaration.start !== undefined && isFlag(declaration),
    makeEnvelope: () => new PlainEnvelope(declaration, sealed),
    wrap: (payload) => wrap(declaration, payload, behind > 0 ? (sealed.checksum?.bytes ?? 0) : 0),
  });
}

class PlainEnvelope implements Envelope {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  readonly expected: string;
  readonly #sealed: SealedPayload;
  readonly #startWord: Uint8Array;
  readonly #escape: number | undefined;
  readonly #xor: number;
  readonly #doubles: boolean;
  readonly #encoding: 'raw' | 'hex' | 'nibble_hex';
  /** The payload stands as it is, but for escapes, and nothing behind the delimiter. */
  readonly #isPlain: boolean;
  readonly #trailer: Uint8Array;
  /** Bytes of a checksum behind the delimiter. */
  readonly #behind: number;
  readonly #scratch = new Scratch();

  constructor(declaration: DelimiterFraming, sealed: SealedPayload) {
    const { escape: escaping, encoding = 'raw', checksum, trailer = NO_BYTES } = declaration;
    const start = startWord(declaration);
    this.#sealed = sealed;
    this.#startWord = start;
    this.#escape = escaping?.byte;
    this.#xor = escaping?.xor ?? 0;
    this.#doubles = doublesEscape(declaration);
    this.#encoding = encoding;
    this.#behind = checksum?.place === 'behind' ? (sealed.checksum?.bytes ?? 0) : 0;
    this.#trailer = this.#behind > 0 ? trailer : NO_BYTES;
    this.#isPlain = encoding === 'raw' && this.#behind === 0;
    this.expected = `${sealed.expected}${start.length === 0 ? '' : ` that begins with ${bytesInWords(start)}`}`;
  }

  open(bytes: Uint8Array, start: number, end: number, next: number): Opened {
    const from = this.#behindStart(bytes, start, end);
    if (from < 0) return 'no_header';
    const escapeAt = this.#escape === undefined ? end : findByte(bytes, from, end, this.#escape);
    let length = end - from;
    let isTrailed = true;
    if (escapeAt === end && this.#isPlain) {
      this.bytes = bytes;
      this.start = from;
    } else {
      length =
        this.#encoding === 'raw'
          ? this.#unescape(bytes, from, escapeAt, end)
          : this.#fromHex(bytes, from, end);
      if (length < 0) return 'bad_encoding';
      if (length > 0 && this.#behind > 0) {
        const at = next - this.#trailer.length - this.#behind;
        isTrailed = startsWith(bytes, next - this.#trailer.length, next, this.#trailer);
        this.#scratch.bytes.set(bytes.subarray(at, at + this.#behind), length);
        length += this.#behind;
      }
      this.bytes = this.#scratch.bytes;
      this.start = 0;
    }
    if (length === 0) return 'empty';
    if (length > this.#sealed.maxBytes) return 'too_long';
    if (!isTrailed) return 'bad_checksum';
    this.end = this.#sealed.endOf(this.bytes, this.start, this.start + length);
    return this.end < 0 ? 'bad_checksum' : 'payload';
  }

  release(): void {
    this.bytes = NO_BYTES;
    this.#scratch.release();
  }

  /** Behind the last start word: one that a lost delimiter left in front of it belongs to another frame. */
  #behindStart(bytes: Uint8Array, start: number, end: number): number {
    const word = this.#startWord;
    if (word.length === 0) return start;
    const literal = this.#xor === 0 ? this.#escape : undefined;
    let found = -1;
    for (let at = start; at + word.length <= end; at++) {
      if (literal !== undefined && bytes[at] === literal && !(this.#doubles && bytes[at + 1] !== literal))
        at++;
      else if (startsWith(bytes, at, end, word)) found = at + word.length;
    }
    return found;
  }

  /** Into the scratch, with room for a checksum behind it; how many bytes, or -1. */
  #unescape(bytes: Uint8Array, start: number, firstEscape: number, end: number): number {
    const target = this.#scratch.reserve(end - start + this.#behind);
    const mark = this.#escape;
    const xor = this.#xor;
    let to = 0;
    for (let at = start; at < firstEscape; at++) target[to++] = bytes[at] ?? 0;
    for (let at = firstEscape; at < end; at++) {
      let byte = bytes[at] ?? 0;
      if (byte === mark) {
        if (++at === end) return -1;
        byte = (bytes[at] ?? 0) ^ xor;
        if (this.#doubles && byte !== mark) return -1;
      }
      target[to++] = byte;
    }
    return to;
  }

  /** The same for a payload in hex digits. */
  #fromHex(bytes: Uint8Array, start: number, end: number): number {
    const target = this.#scratch.reserve(end - start + this.#behind);
    return fromHex(bytes, start, end, target, this.#encoding === 'nibble_hex');
  }
}

/** The bytes that digits stand for; -1 where they stand for none. */
function fromHex(bytes: Uint8Array, start: number, end: number, target: Uint8Array, nibble: boolean): number {
  let to = 0;
  let at = start;
  if (nibble && at < end) {
    const first = hexDigit(bytes[at++] ?? 0);
    if (first < 0) return -1;
    target[to++] = first;
  }
  if ((end - at) % 2 !== 0) return -1;
  for (; at < end; at += 2) {
    const high = hexDigit(bytes[at] ?? 0);
    const low = hexDigit(bytes[at + 1] ?? 0);
    if (high < 0 || low < 0) return -1;
    target[to++] = high * 16 + low;
  }
  return to;
}

function toHex(bytes: Uint8Array, nibble: boolean): Uint8Array {
  const [first = 0] = bytes;
  if (nibble && first > 0xf) {
    throw new HeartwireError('bad_argument', 'The first byte is one digit on the wire', {
      seen: String(first),
      fix: 'Use a number from 0 to 15.',
    });
  }
  const digits = hexText(bytes).toUpperCase();
  return new TextEncoder().encode(nibble ? digits.slice(1) : digits);
}

function wrap(declaration: DelimiterFraming, sealed: Uint8Array, behind: number): Uint8Array {
  const { escape: escaping, encoding = 'raw', preamble = NO_BYTES } = declaration;
  const [delimiter = NO_BYTES, ...others] = delimitersOf(declaration);
  const trailer = behind > 0 ? (declaration.trailer ?? NO_BYTES) : NO_BYTES;
  const start = isFlag(declaration) ? delimiter : (declaration.start ?? NO_BYTES);
  const content = sealed.subarray(0, sealed.length - behind);
  const body =
    encoding !== 'raw'
      ? toHex(content, encoding === 'nibble_hex')
      : escaping === undefined
        ? content
        : escaped(declaration, content, escaping.byte, escaping.xor ?? 0);
  const marked = concat(start, body, delimiter);
  if (escaping === undefined) {
    refuseMarks(delimiter, start, marked);
    for (const other of others) refuseOther(other, start, body);
  }
  if (preamble.length + behind + trailer.length === 0) return marked;
  return concat(preamble, marked, sealed.subarray(sealed.length - behind), trailer);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function escaped(declaration: DelimiterFraming, sealed: Uint8Array, byte: number, xor: number): Uint8Array {
  // The first byte of a mark stands for it: without that one the rest is none.
  const special = new Set([
    byte,
    declaration.start?.[0],
    ...delimitersOf(declaration).map(([first]) => first),
  ]);
  const body: number[] = [];
  for (const each of sealed) {
    if (special.has(each)) body.push(byte, each ^ xor);
    else body.push(each);
  }
  return Uint8Array.from(body);
}

/** Without escapes a delimiter or start word among the content would make another frame of it. */
function refuseMarks(delimiter: Uint8Array, start: Uint8Array, frame: Uint8Array): void {
  const end = frame.length - delimiter.length;
  const delimiterAt = findBytes(frame, start.length, frame.length, delimiter);
  const startAt = start.length === 0 ? frame.length : findBytes(frame, 1, end, start);
  if (delimiterAt === end && startAt + start.length > end) return;
  throw holdsMark(frame);
}

function refuseOther(other: Uint8Array, start: Uint8Array, body: Uint8Array): void {
  const at = findBytes(body, 0, body.length, other);
  if (at + other.length <= body.length) throw holdsMark(concat(start, body));
}

const holdsMark = (frame: Uint8Array): HeartwireError =>
  new HeartwireError('bad_argument', 'The payload holds a delimiter, and the framing has no escape', {
    seen: bytesInWords(frame.subarray(0, 32)),
  });

export const DELIMITER = {
  keys: DELIMITER_KEYS,
  make: makeDelimiterFraming,
  check: checkDelimiter,
  isAmongOthers: true,
  locate: locateDelimited,
  luaUnwrap: luaDelimited,
} as const satisfies FramingType<DelimiterFraming>;
