/** What comes next in a stream of JSON texts. */
export type Scanned =
  /** One object, or one line that is none; valid until the next call, so to be decoded at once. */
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  /** More bytes than a message may have, and no end of it; nothing is read any more. */
  | { readonly kind: 'too_large' }
  /** The very first byte is not that of an object; nothing is read any more. */
  | { readonly kind: 'foreign' };

const LF = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LETTER_E = 0x65;
/** Every number of so many digits is less than the greatest double. */
const SAFE_DIGITS = 308;
/** Some programs begin a stream of UTF-8 with it. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

const NOTHING = new Uint8Array(0);
const LEAST_HELD = 256;

/**
 * Cuts a stream of bytes into JSON texts, wherever the stream itself is cut. An object ends with its last brace, with or
 * without a newline behind it; a newline always ends what there is, so that damage lasts for one line. Nothing is
 * parsed: brackets are counted outside of strings, in time linear in the bytes, and no more than one text is held.
 *
 *     between ──{──▶ object ──its last brace, or newline──▶ between
 *        └────else────▶ line ──────────newline────────────▶ between
 */
export class JsonScanner {
  readonly #maxBytes: number;
  #chunk: Uint8Array = NOTHING;
  /** The next byte of the chunk to be looked at. */
  #at = 0;
  /** What earlier chunks brought of an unfinished text. */
  #held: Uint8Array = NOTHING;
  #heldLength = 0;
  #state: 'between' | 'object' | 'line' = 'between';
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Bytes of a byte order mark seen at the start. */
  #mark = 0;
  #begun = false;
  /** Texts given out, as far as they matter to `lines`. */
  #texts = 0;
  #lines = false;
  #over: Scanned | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held of an unfinished text. */
  get pending(): number {
    return this.#heldLength;
  }

  /** A newline came before the second text, be it right behind the first one: this peer ends lines with newlines. */
  get lines(): boolean {
    return this.#lines;
  }

  /** Hands in the next bytes, once `next` has returned undefined for those before. They are not copied until then. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next text, or undefined where it takes more bytes. */
  next(): Scanned | undefined {
    if (this.#over === undefined && this.#state === 'between') this.#begin();
    if (this.#over !== undefined || this.#state === 'between') return this.#over;
    const start = this.#at;
    const room = this.#maxBytes - this.#heldLength;
    const last = Math.min(this.#chunk.length, start + room + 1);
    const end = this.#state === 'object' ? this.#endOfObject(last) : this.#endOfLine(last);
    if ((end ?? last) - start > room) {
      this.#over = { kind: 'too_large' };
      this.#held = NOTHING;
      return this.#over;
    }
    this.#at = end ?? last;
    if (end === undefined) {
      this.#hold(start, last);
      return undefined;
    }
    this.#state = 'between';
    if (this.#texts === 0) this.#lines ||= this.#newlineFollows();
    this.#texts = Math.min(2, this.#texts + 1);
    return { kind: 'text', bytes: this.#take(start, end) };
  }

  /** Goes to the first byte of a text, and remembers of what kind it is. */
  #begin(): void {
    for (; this.#at < this.#chunk.length; this.#at++) {
      const byte = this.#chunk[this.#at];
      if (byte === LF && this.#texts < 2) this.#lines = true;
      if (byte === LF || isBlank(byte)) continue;
      if (!this.#begun && byte === BYTE_ORDER_MARK[this.#mark]) {
        this.#mark++;
        continue;
      }
      if (!this.#begun && byte !== OPEN_BRACE) {
        this.#over = { kind: 'foreign' };
        return;
      }
      this.#begun = true;
      this.#state = byte === OPEN_BRACE ? 'object' : 'line';
      this.#depth = 0;
      this.#inString = false;
      this.#escaped = false;
      return;
    }
  }

  #newlineFollows(): boolean {
    let at = this.#at;
    while (isBlank(this.#chunk[at])) at++;
    return this.#chunk[at] === LF;
  }

  #endOfObject(last: number): number | undefined {
    const chunk = this.#chunk;
    for (let at = this.#at; at < last; at++) {
      const byte = chunk[at];
      if (byte === LF) return at;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++;
      else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --this.#depth === 0) return at + 1;
    }
    return undefined;
  }

  #endOfLine(last: number): number | undefined {
    const at = this.#chunk.indexOf(LF, this.#at);
    return at === -1 || at >= last ? undefined : at;
  }

  #hold(start: number, end: number): void {
    const length = this.#heldLength + end - start;
    if (length > this.#held.length) {
      const larger = new Uint8Array(
        Math.min(this.#maxBytes, Math.max(LEAST_HELD, length, this.#held.length * 2)),
      );
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    this.#held.set(this.#chunk.subarray(start, end), this.#heldLength);
    this.#heldLength = length;
  }

  #take(start: number, end: number): Uint8Array {
    if (this.#heldLength === 0) return this.#chunk.subarray(start, end);
    this.#hold(start, end);
    const whole = this.#held.subarray(0, this.#heldLength);
    this.#held = NOTHING;
    this.#heldLength = 0;
    return whole;
  }
}

/** White space of JSON that is no newline. */
function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

/** What a scan finds in a JSON text before it is parsed. */
export type Survey = 'fine' | 'too_deep' | 'huge_numbers';

/**
 * `too_deep`: its brackets nest deeper than `most`, and it is not worth parsing. `huge_numbers`: some number of it may be
 * greater than every double, because it has an exponent or very many digits; parsing would make it infinite.
 */
export function surveyJson(text: string, most: number): Survey {
  let depth = 0;
  let inString = false;
  let survey: Survey = 'fine';
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (inString) {
      if (unit === BACKSLASH) at++;
      else if (unit === QUOTE) inString = false;
    } else if (unit === QUOTE) inString = true;
    else if (isDigit(unit)) {
      const first = at;
      while (isDigit(text.charCodeAt(at + 1))) at++;
      if (at - first >= SAFE_DIGITS || (text.charCodeAt(at + 1) | 0x20) === LETTER_E) survey = 'huge_numbers';
    } else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      if (++depth > most) return 'too_deep';
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) depth--;
  }
  return survey;
}

const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;
