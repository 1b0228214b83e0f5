import { CheckBudget } from '../check-budget.ts';
import type { DiscardReason, FrameSink, LineRemark } from '../decoder.ts';
import { SearchingDecoder } from '../searching-decoder.ts';
import { findByte, findBytes, startsWith } from './find-bytes.ts';
import { CR, LF, type LineEnd, LineEndWatch } from './line-ends.ts';

/** What became of the bytes between two delimiters: a payload, nothing at all, or a reason to set them aside. */
export type Opened = 'payload' | 'empty' | DiscardReason;

/** Undoes what was done to a payload so that no delimiter stands in it. After `open`, the payload is in its fields. */
export interface Envelope {
  /** The payload that `open` found: a range of `bytes`, valid until the next call. */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** What would have been taken, in words. */
  readonly expected: string;
  /** `next` is where the next frame begins: a checksum may stand between the delimiter and that. */
  open(bytes: Uint8Array, start: number, end: number, next: number): Opened;
  /** Lets go of memory that one long frame made it take. */
  release(): void;
}

export interface DelimitedShape {
  readonly delimiter: Uint8Array;
  /** Other bytes that end a frame as well. */
  readonly others?: readonly Uint8Array[] | undefined;
  /** The byte behind this one is never part of a delimiter. */
  readonly literalEscape: number | undefined;
  /** That byte begins the delimiter, and stands twice where it is content. */
  readonly doubles?: boolean | undefined;
  /** Bytes of a checksum behind the delimiter. */
  readonly behind?: number | undefined;
  /** Stands at the front of a line, and is no frame. */
  readonly prompt?: Uint8Array | undefined;
  /** Most bytes that may stand between two delimiters. */
  readonly maxBytes: number;
  /** Whether everything up to the first delimiter, or silence, is set aside; what comes after we have asked is an answer. */
  readonly skipFirst: 'always' | 'never' | 'unless-asked';
  /** The delimiter ends lines of text, so that another end than the declared one is noticed. */
  readonly endsLines?: LineEnd | undefined;
  /** A line proves itself by a checksum in text, whatever ends it. */
  readonly anyLineEnd?: boolean | undefined;
  /** Whether a payload proves itself behind noise that no delimiter parts from it; absent: nothing can prove one. */
  readonly proves?: ((bytes: Uint8Array, start: number, end: number) => boolean) | undefined;
}

/** Bytes of noise in front of a frame that are looked past: what a line driver makes when it is switched on. */
const MOST_NOISE = 4;

/**
 * Frames that end with a delimiter. It comes into step at every delimiter and at every silence, so damage costs the
 * frame that it hits, or the two between which a delimiter was lost. Every byte is looked at a fixed number of times.
 */
export class DelimitedDecoder extends SearchingDecoder {
  readonly #shape: DelimitedShape;
  /** The words that end a frame, the longest first. */
  readonly #ends: readonly Uint8Array[];
  readonly #behind: number;
  /** One delimiter ends a frame, nothing that belongs to it follows, and no prompt stands in front. */
  readonly #plain: boolean;
  /** The rest of a longer end than that which a line was delivered for. */
  #rest: Uint8Array | undefined;
  readonly #envelope: Envelope;
  /** Bytes held in which no delimiter begins. */
  #scanned = 0;
  /** Something came. */
  #begun = false;
  /** Why nothing counts before the next delimiter or silence. */
  #skipping: DiscardReason | undefined;
  /** Looks at how the first lines end. */
  #lineEnds: LineEndWatch | undefined;
  /** Lines end with something else than declared, and prove it. */
  #otherEnds = false;
  #delivered = false;
  /** What the first lines said, as long as it is not known whether it matters. */
  #remark: LineRemark | undefined;
  readonly #budget = new CheckBudget();

  constructor(shape: DelimitedShape, envelope: Envelope, sink: FrameSink) {
    super(sink);
    this.#shape = shape;
    this.#ends = [shape.delimiter, ...(shape.others ?? [])].toSorted((a, b) => b.length - a.length);
    this.#behind = shape.behind ?? 0;
    const { doubles, prompt } = shape;
    this.#plain = this.#ends.length === 1 && this.#behind === 0 && doubles !== true && prompt === undefined;
    this.#envelope = envelope;
    this.#skipping = shape.skipFirst === 'never' ? undefined : 'no_header';
    this.#lineEnds = shape.endsLines === undefined ? undefined : new LineEndWatch(shape.endsLines);
  }

  protected override hold(chunk: Uint8Array): void {
    const first = !this.#begun && this.#shape.skipFirst === 'unless-asked';
    if (first && this.sink.awaitsReply?.() === true) this.#skipping = undefined;
    this.#begun = true;
    super.hold(chunk);
    if (this.#lineEnds !== undefined) {
      this.#remark ??= this.#lineEnds.received(chunk, 0, chunk.length);
      if (this.#lineEnds.settled) this.#lineEnds = undefined;
    }
    if (this.#shape.anyLineEnd === true) this.#budget.earn(chunk.length, this.buffer.length);
  }

  /** Says that lines end otherwise than declared, but where they prove themselves all the same. */
  #say(): void {
    const matters = this.#shape.anyLineEnd !== true || !this.#delivered;
    if (this.#remark !== undefined && matters && !this.ended) this.sink.remark?.(this.#remark);
    this.#remark = undefined;
  }

  protected override take(final: boolean): void {
    if (final) this.#giveUp();
    else if (this.#shape.anyLineEnd === true) this.#splitLines();
    else if (this.#plain) this.#split();
    else this.#splitMarked();
    if (this.#remark !== undefined) this.#say();
  }

  #split(): void {
    const { delimiter, literalEscape } = this.#shape;
    const first = delimiter[0] ?? 0;
    const { bytes, tail } = this.buffer;
    let at = this.buffer.head;
    let from = at + this.#scanned;
    while (!this.ended) {
      if (literalEscape !== undefined) from = this.#seekUnescaped(bytes, from, tail, literalEscape);
      else if (delimiter.length === 1) from = findByte(bytes, from, tail, first);
      else from = findBytes(bytes, from, tail, delimiter);
      const next = from + delimiter.length;
      if (next > tail || bytes[from] === literalEscape) break;
      this.#piece(bytes, at, from, next);
      at = next;
      from = next;
    }
    if (!this.ended) this.#keep(at, from);
  }

  /** The same where several words end a frame, a checksum follows that, or a prompt may stand in front. */
  #splitMarked(): void {
    const { prompt } = this.#shape;
    const { bytes, tail } = this.buffer;
    let at = this.buffer.head;
    let from = at + this.#scanned;
    while (!this.ended) {
      if (from === at && (prompt !== undefined || this.#rest !== undefined)) {
        at = this.#pass(bytes, at, tail);
        from = at;
        if (at === tail || this.#holdsPrompt(bytes, at, tail)) break;
      }
      from = this.#seek(bytes, from, tail);
      const end = this.#endAt(bytes, from, tail);
      const next = from + end + this.#behind;
      if (end === 0 || next > tail) break;
      this.#piece(bytes, at, from, next);
      this.#rest = this.#ends.length === 1 ? undefined : this.#longerThan(bytes, from, end);
      at = next;
      from = next;
    }
    if (!this.ended) this.#keep(at, from);
  }

  /** Keeps the bytes from `start` on; up to `from` no delimiter begins in them. */
  #keep(start: number, from: number): void {
    const { maxBytes, proves } = this.#shape;
    let at = start;
    // Whatever follows, no delimiter can begin early enough any more. What is let go of holds none.
    if (this.#skipping !== undefined || from - at > maxBytes + (proves === undefined ? 0 : MOST_NOISE)) {
      this.#skipping ??= 'too_long';
      this.#drop(at, from, this.#skipping);
      at = from;
    }
    this.#scanned = from - at;
    this.buffer.consumeTo(at);
  }

  /**
   * The same for lines that prove themselves: CR, LF and CR LF all end one that is right. What is wrong goes on up to
   * the declared end, unless lines of this link are known to end otherwise.
   */
  #splitLines(): void {
    const { delimiter, maxBytes } = this.#shape;
    const { bytes, tail } = this.buffer;
    let at = this.buffer.head;
    let from = at + this.#scanned;
    for (; from < tail && !this.ended; from++) {
      const byte = bytes[from];
      if (byte !== LF && byte !== CR) continue;
      if (from === at && this.#skipping === undefined) {
        at = from + 1;
        continue;
      }
      const begun = startsWith(bytes, from, tail, delimiter);
      const declared = begun && from + delimiter.length <= tail;
      // The next byte says whether it is the declared end.
      if (begun && !declared && !this.#otherEnds) break;
      if (!declared && this.#skipping === undefined && !this.#otherEnds) {
        if (!this.#isRight(bytes, at, from)) continue;
        this.#otherEnds = true;
      }
      const next = declared ? from + delimiter.length : from + 1;
      this.#piece(bytes, at, from, next);
      at = next;
      from = next - 1;
    }
    if (this.ended) return;
    if (this.#skipping !== undefined || from - at > maxBytes) {
      this.#skipping ??= 'too_long';
      this.#drop(at, from, this.#skipping);
      at = from;
    }
    this.#scanned = from - at;
    this.buffer.consumeTo(at);
  }

  #isRight(bytes: Uint8Array, at: number, end: number): boolean {
    const length = end - at;
    if (length === 0 || length > this.#shape.maxBytes || this.#budget.credit < length) return false;
    this.#budget.spend(length);
    return this.#envelope.open(bytes, at, end, end) === 'payload';
  }

  /** Passes over prompts, and over what is left of the end of a line. */
  #pass(bytes: Uint8Array, start: number, tail: number): number {
    const { prompt } = this.#shape;
    let at = start;
    const rest = this.#rest;
    if (rest !== undefined && at < tail) {
      if (startsWith(bytes, at, at + rest.length, rest) && at + rest.length <= tail) at += rest.length;
      this.#rest = undefined;
    }
    if (prompt === undefined || this.#skipping !== undefined) return at;
    while (at + prompt.length <= tail && startsWith(bytes, at, tail, prompt)) at += prompt.length;
    return at;
  }

  /** Whether a prompt begins here of which more is to come. */
  #holdsPrompt(bytes: Uint8Array, at: number, tail: number): boolean {
    const { prompt } = this.#shape;
    return prompt !== undefined && tail - at < prompt.length && startsWith(bytes, at, tail, prompt);
  }

  /** Bytes of the delimiter that is all there at `at`; 0 where none is. */
  #endAt(bytes: Uint8Array, at: number, tail: number): number {
    const { literalEscape, doubles } = this.#shape;
    if (at === tail || (bytes[at] === literalEscape && doubles !== true)) return 0;
    // What was found begins the one delimiter that there is.
    if (this.#ends.length === 1)
      return at + this.#shape.delimiter.length <= tail ? this.#shape.delimiter.length : 0;
    for (const end of this.#ends) {
      if (at + end.length <= tail && startsWith(bytes, at, tail, end)) return end.length;
    }
    return 0;
  }

  /** What would make a longer end of the one that stands at `at`. */
  #longerThan(bytes: Uint8Array, at: number, length: number): Uint8Array | undefined {
    return this.#ends
      .find((end) => end.length > length && startsWith(bytes, at, at + length, end))
      ?.subarray(length);
  }

  /** Where a delimiter, or the beginning of one at the end, stands; or an escape whose byte is yet to come. */
  #seek(bytes: Uint8Array, at: number, tail: number): number {
    const { delimiter, literalEscape, doubles } = this.#shape;
    if (literalEscape === undefined) {
      if (this.#ends.length > 1) return this.#seekAny(bytes, at, tail);
      return delimiter.length === 1
        ? findByte(bytes, at, tail, delimiter[0] ?? 0)
        : findBytes(bytes, at, tail, delimiter);
    }
    if (doubles === true) return this.#seekDoubled(bytes, at, tail, literalEscape);
    return this.#seekUnescaped(bytes, at, tail, literalEscape);
  }

  #seekUnescaped(bytes: Uint8Array, at: number, tail: number, literalEscape: number): number {
    const { delimiter } = this.#shape;
    const first = delimiter[0];
    let from = at;
    while (from < tail) {
      const byte = bytes[from];
      if (byte === literalEscape) {
        if (from + 1 === tail) return from;
        from += 2;
      } else if (byte === first && startsWith(bytes, from, tail, delimiter)) return from;
      else from++;
    }
    return tail;
  }

  #seekDoubled(bytes: Uint8Array, at: number, tail: number, doubled: number): number {
    const { delimiter } = this.#shape;
    let from = at;
    while (from < tail) {
      if (bytes[from] !== doubled) from++;
      else if (bytes[from + 1] !== doubled && startsWith(bytes, from, tail, delimiter)) return from;
      else if (from + 1 === tail) return from;
      else from += 2;
    }
    return tail;
  }

  #seekAny(bytes: Uint8Array, at: number, tail: number): number {
    for (let from = at; from < tail; from++) {
      for (const end of this.#ends) if (startsWith(bytes, from, tail, end)) return from;
    }
    return tail;
  }

  /** The bytes from `at` to `rawEnd`, with a delimiter behind them up to `next`. */
  #piece(raw: Uint8Array, at: number, rawEnd: number, next: number): void {
    if (this.#skipping !== undefined) {
      // A delimiter that opens the first frame is nothing that was lost.
      if (rawEnd > at || this.tally.count > 0) this.#drop(at, next, this.#skipping);
      this.#skipping = undefined;
      return;
    }
    if (at === rawEnd) return;
    const opened =
      rawEnd - at > this.#shape.maxBytes ? 'too_long' : this.#envelope.open(raw, at, rawEnd, next);
    if (opened === 'empty') return;
    if (opened !== 'payload') {
      const noise = this.#noiseBefore(raw, at, rawEnd, next);
      this.#drop(at, noise === 0 ? next : at + noise, noise === 0 ? opened : 'no_header');
      if (noise === 0) return;
    }
    this.report();
    if (this.ended) return;
    const { bytes, start, end } = this.#envelope;
    this.#delivered = true;
    this.sink.frame(bytes, start, end);
  }

  /** How many bytes stand in front of a frame that proves itself, which then is open; 0 where there is none. */
  #noiseBefore(raw: Uint8Array, at: number, rawEnd: number, next: number): number {
    const { proves, maxBytes } = this.#shape;
    if (proves === undefined) return 0;
    for (let noise = 1; noise <= MOST_NOISE && at + noise < rawEnd; noise++) {
      if (rawEnd - at - noise > maxBytes) continue;
      if (this.#envelope.open(raw, at + noise, rawEnd, next) !== 'payload') continue;
      const { bytes, start, end } = this.#envelope;
      if (proves(bytes, start, end)) return noise;
    }
    return 0;
  }

  /** Nothing follows: what is held is no frame, and the next byte begins one. */
  #giveUp(): void {
    const { bytes, tail } = this.buffer;
    // A CR that no LF follows any more.
    if (bytes[tail - 1] === CR && this.#shape.anyLineEnd === true) {
      if (this.#isRight(bytes, this.buffer.head, tail - 1)) {
        this.#otherEnds = true;
        this.#piece(bytes, this.buffer.head, tail - 1, tail);
        this.buffer.consumeTo(tail);
      }
    }
    if (this.ended) return;
    this.#remark ??= this.#lineEnds?.silent();
    const { head } = this.buffer;
    this.#drop(head, this.buffer.tail, this.#skipping ?? 'truncated');
    this.buffer.consumeTo(this.buffer.tail);
    this.#scanned = 0;
    this.#skipping = undefined;
    this.#envelope.release();
  }

  #drop(from: number, to: number, reason: DiscardReason): void {
    if (to > from) this.tally.add(this.buffer.bytes, from, to, reason, this.#expected(reason));
  }

  #expected(reason: DiscardReason): string {
    switch (reason) {
      case 'too_long':
        return `at most ${this.#shape.maxBytes} bytes before a delimiter`;
      case 'truncated':
        return 'a delimiter';
      case 'no_header':
      case 'bad_content':
      case 'budget':
      case 'bad_checksum':
      case 'bad_encoding':
      case 'echo':
        return this.#envelope.expected;
    }
  }
}
