import { HeartwireError } from '../../errors.ts';
import { DEFAULT_MAX_PAYLOAD, type DelimiterFraming } from './declaration.ts';
import type { Envelope, Opened } from './delimited-decoder.ts';
import { delimitedFraming } from './delimited-framing.ts';
import { findByte, findBytes, startsWith } from './find-bytes.ts';
import type { Framing } from './framing.ts';
import { NO_BYTES } from './layout.ts';
import { lineEndOf } from './line-ends.ts';
import { Scratch } from './scratch.ts';
import { SealedPayload } from './sealed-payload.ts';
import { bytesInWords } from './words.ts';

/** Frames that end with some bytes: lines of text, NMEA 0183, Modbus ASCII, asynchronous HDLC. */
export function makeDelimiterFraming(declaration: DelimiterFraming): Framing {
  const maxPayload = declaration.maxFrame ?? DEFAULT_MAX_PAYLOAD.delimiter;
  const sealed = new SealedPayload(declaration.checksum, maxPayload, { id: declaration.id });
  const { delimiter, escape: escaping } = declaration;
  const start = startWord(declaration);
  return delimitedFraming(declaration, {
    sealed,
    delimiter,
    literalEscape: (escaping?.xor ?? 0) === 0 ? escaping?.byte : undefined,
    maxBytes: start.length + sealed.maxBytes * (escaping === undefined ? 1 : 2),
    words: [
      bytesInWords(delimiter),
      ...(start.length === 0 ? [] : [`start ${bytesInWords(start)}`]),
      ...(isFlag(declaration) ? ['in front too'] : []),
      ...(escaping === undefined ? [] : [`escape ${bytesInWords(Uint8Array.of(escaping.byte))}`]),
    ],
    proves: sealed.checksum !== undefined || start.length > 0,
    endsLines: escaping === undefined ? lineEndOf(delimiter) : undefined,
    anyLineEnd:
      escaping === undefined &&
      lineEndOf(delimiter) !== undefined &&
      declaration.checksum?.encoding === 'hex',
    opens: sealed.checksum === undefined && declaration.start !== undefined && isFlag(declaration),
    makeEnvelope: () => new PlainEnvelope(declaration, sealed),
    wrap: (payload) => wrap(declaration, payload),
  });
}

/** The flag of HDLC-like framing (RFC 1662), and the byte that escapes it. */
const HDLC_FLAG = 0x7e;
const HDLC_ESCAPE = 0x7d;

/**
 * Whether the delimiter is a flag: it opens frames as well as it ends them, and one between two frames may do for both.
 * A receiver of HDLC passes over the empty frame that one flag too many makes.
 */
export function isFlag({ delimiter, start, escape: escaping }: DelimiterFraming): boolean {
  if (start === undefined) {
    const { byte, xor = 0 } = escaping ?? {};
    return delimiter.length === 1 && delimiter[0] === HDLC_FLAG && byte === HDLC_ESCAPE && xor !== 0;
  }
  return start.length === delimiter.length && startsWith(start, 0, start.length, delimiter);
}

/** What must stand in front of a payload to be read. A flag need not: it may be that of the frame before. */
export function startWord(declaration: DelimiterFraming): Uint8Array {
  return isFlag(declaration) ? NO_BYTES : (declaration.start ?? NO_BYTES);
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
  readonly #scratch = new Scratch();

  constructor(declaration: DelimiterFraming, sealed: SealedPayload) {
    const { escape: escaping } = declaration;
    const start = startWord(declaration);
    this.#sealed = sealed;
    this.#startWord = start;
    this.#escape = escaping?.byte;
    this.#xor = escaping?.xor ?? 0;
    this.expected = `${sealed.expected}${start.length === 0 ? '' : ` that begins with ${bytesInWords(start)}`}`;
  }

  open(bytes: Uint8Array, start: number, end: number): Opened {
    const from = this.#behindStart(bytes, start, end);
    if (from < 0) return 'no_header';
    const escapeAt = this.#escape === undefined ? end : findByte(bytes, from, end, this.#escape);
    let length = end - from;
    if (escapeAt === end) {
      this.bytes = bytes;
      this.start = from;
    } else {
      length = this.#unescape(bytes, from, end);
      if (length < 0) return 'bad_encoding';
      this.bytes = this.#scratch.bytes;
      this.start = 0;
    }
    if (length === 0) return 'empty';
    if (length > this.#sealed.maxBytes) return 'too_long';
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
      if (literal !== undefined && bytes[at] === literal) at++;
      else if (startsWith(bytes, at, end, word)) found = at + word.length;
    }
    return found;
  }

  #unescape(bytes: Uint8Array, start: number, end: number): number {
    const target = this.#scratch.reserve(end - start);
    let to = 0;
    for (let at = start; at < end; at++) {
      let byte = bytes[at] ?? 0;
      if (byte === this.#escape) {
        if (++at === end) return -1;
        byte = (bytes[at] ?? 0) ^ this.#xor;
      }
      target[to++] = byte;
    }
    return to;
  }
}

function wrap(declaration: DelimiterFraming, sealed: Uint8Array): Uint8Array {
  const { delimiter, escape: escaping } = declaration;
  const start = isFlag(declaration) ? delimiter : (declaration.start ?? NO_BYTES);
  const body =
    escaping === undefined ? sealed : escaped(declaration, sealed, escaping.byte, escaping.xor ?? 0);
  const frame = new Uint8Array(start.length + body.length + delimiter.length);
  frame.set(start);
  frame.set(body, start.length);
  frame.set(delimiter, start.length + body.length);
  if (escaping === undefined) refuseMarks(delimiter, start, frame);
  return frame;
}

function escaped(declaration: DelimiterFraming, sealed: Uint8Array, byte: number, xor: number): Uint8Array {
  // The first byte of a mark stands for it: without that one the rest is none.
  const special = new Set([byte, declaration.delimiter[0], declaration.start?.[0]]);
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
  throw new HeartwireError('bad_argument', 'The payload holds a delimiter, and the framing has no escape', {
    seen: bytesInWords(frame.subarray(0, 32)),
  });
}
