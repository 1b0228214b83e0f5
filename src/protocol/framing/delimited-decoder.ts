import type { DiscardReason, FrameSink } from '../decoder.ts';
import { SearchingDecoder } from '../searching-decoder.ts';
import { findByte, findBytes, startsWith } from './find-bytes.ts';

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
  open(bytes: Uint8Array, start: number, end: number): Opened;
  /** Lets go of memory that one long frame made it take. */
  release(): void;
}

export interface DelimitedShape {
  readonly delimiter: Uint8Array;
  /** The byte behind this one is never part of a delimiter. */
  readonly literalEscape: number | undefined;
  /** Most bytes that may stand between two delimiters. */
  readonly maxBytes: number;
  /** Whether everything up to the first delimiter, or silence, is set aside; what comes after we have asked is an answer. */
  readonly skipFirst: 'always' | 'never' | 'unless-asked';
}

/**
 * Frames that end with a delimiter. It comes into step at every delimiter and at every silence, so damage costs the
 * frame that it hits, or the two between which a delimiter was lost. Every byte is looked at a fixed number of times.
 */
export class DelimitedDecoder extends SearchingDecoder {
  readonly #shape: DelimitedShape;
  readonly #envelope: Envelope;
  /** Bytes held in which no delimiter begins. */
  #scanned = 0;
  /** Something came. */
  #begun = false;
  /** Why nothing counts before the next delimiter or silence. */
  #skipping: DiscardReason | undefined;

  constructor(shape: DelimitedShape, envelope: Envelope, sink: FrameSink) {
    super(sink);
    this.#shape = shape;
    this.#envelope = envelope;
    this.#skipping = shape.skipFirst === 'never' ? undefined : 'no_header';
  }

  protected override hold(chunk: Uint8Array): void {
    const first = !this.#begun && this.#shape.skipFirst === 'unless-asked';
    if (first && this.sink.awaitsReply?.() === true) this.#skipping = undefined;
    this.#begun = true;
    super.hold(chunk);
  }

  protected override take(final: boolean): void {
    if (final) this.#giveUp();
    else this.#split();
  }

  #split(): void {
    const { delimiter, literalEscape, maxBytes } = this.#shape;
    const { bytes, tail } = this.buffer;
    let at = this.buffer.head;
    let from = at + this.#scanned;
    while (!this.ended) {
      from = this.#seek(bytes, from, tail);
      if (from + delimiter.length > tail || bytes[from] === literalEscape) break;
      const next = from + delimiter.length;
      this.#piece(bytes, at, from, next);
      at = next;
      from = next;
    }
    if (this.ended) return;
    // Whatever follows, no delimiter can begin early enough any more. What is let go of holds none.
    if (this.#skipping !== undefined || from - at > maxBytes) {
      this.#skipping ??= 'too_long';
      this.#drop(at, from, this.#skipping);
      at = from;
    }
    this.#scanned = from - at;
    this.buffer.consumeTo(at);
  }

  /** Where a delimiter, or the beginning of one at the end, stands; or an escape whose byte is yet to come. */
  #seek(bytes: Uint8Array, at: number, tail: number): number {
    const { delimiter, literalEscape } = this.#shape;
    if (literalEscape === undefined) {
      return delimiter.length === 1
        ? findByte(bytes, at, tail, delimiter[0] ?? 0)
        : findBytes(bytes, at, tail, delimiter);
    }
    let from = at;
    while (from < tail) {
      if (bytes[from] === literalEscape) {
        if (from + 1 === tail) return from;
        from += 2;
      } else if (startsWith(bytes, from, tail, delimiter)) return from;
      else from++;
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
    if (rawEnd - at > this.#shape.maxBytes) {
      this.#drop(at, next, 'too_long');
      return;
    }
    const opened = this.#envelope.open(raw, at, rawEnd);
    if (opened === 'empty') return;
    if (opened !== 'payload') {
      this.#drop(at, next, opened);
      return;
    }
    this.report();
    if (this.ended) return;
    const { bytes, start, end } = this.#envelope;
    this.sink.frame(bytes, start, end);
  }

  /** Nothing follows: what is held is no frame, and the next byte begins one. */
  #giveUp(): void {
    const { head, tail } = this.buffer;
    this.#drop(head, tail, this.#skipping ?? 'truncated');
    this.buffer.consumeTo(tail);
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
