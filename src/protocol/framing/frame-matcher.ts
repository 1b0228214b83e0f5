import type { CheckBudget } from '../check-budget.ts';
import type { SingleFraming } from './declaration.ts';
import type { Envelope } from './delimited-decoder.ts';
import { delimitedEnvelope } from './delimiter.ts';
import { type DelimiterFraming, delimitersOf, doublesEscape, startWord } from './delimiter-marks.ts';
import { findBytes, startsWith } from './find-bytes.ts';
import type { PayloadJudge } from './framing.ts';
import type { FrameLayout } from './layout.ts';
import { behindNoise, claimedBytes, payloadPlaceIn } from './layout-decoder.ts';
import { INCOMPLETE } from './length-place.ts';
import { CR, LF, lineEndOf } from './line-ends.ts';

/**
 * What stands at a place: no frame of this kind (`no`), one that is not all there (`cut`), one that could not be checked
 * any more (`unchecked`), or a right one (`frame`). With the last two, `end` is where it ends.
 */
export type Match = 'no' | 'cut' | 'unchecked' | 'frame';

/** Looks for the frames of one kind among those of others. After `match`, the frame is in its fields. */
export interface FrameMatcher {
  /** The payload: a range of `bytes`, valid until the next call. */
  bytes: Uint8Array;
  start: number;
  payloadEnd: number;
  /** Where the whole frame ends in the bytes that were looked at. */
  end: number;
  /** Where a frame may begin first, from `at` on; `tail` where none does. */
  seek(bytes: Uint8Array, at: number, tail: number): number;
  /** `again`: this place was looked at before, and `cut`. `final`: nothing follows. */
  match(bytes: Uint8Array, at: number, tail: number, again: boolean, final: boolean): Match;
  /** Where bytes begin that are passed over in front of a frame at `found`. */
  behindNoise(bytes: Uint8Array, at: number, found: number): number;
}

/** Frames with a layout. */
export class LayoutMatcher implements FrameMatcher {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  payloadEnd = 0;
  end = 0;
  readonly #layout: FrameLayout;
  readonly #judge: PayloadJudge | undefined;
  readonly #budget: CheckBudget;

  constructor(layout: FrameLayout, judge: PayloadJudge | undefined, budget: CheckBudget) {
    this.#layout = layout;
    this.#judge = judge;
    this.#budget = budget;
  }

  seek(bytes: Uint8Array, at: number, tail: number): number {
    return this.#layout.sync.seek(bytes, at, tail);
  }

  match(bytes: Uint8Array, at: number, tail: number): Match {
    const { headerBytes, minBytes, maxBytes, trailer, tailBytes, checksum } = this.#layout;
    if (!this.#layout.sync.stands(bytes, at, tail)) return 'no';
    if (tail - at < headerBytes) return 'cut';
    const total = claimedBytes(this.#layout, bytes, at, tail, this.#judge);
    if (total === INCOMPLETE) return 'cut';
    if (total < minBytes || total > maxBytes) return 'no';
    const end = at + total;
    if (end > tail) return 'cut';
    if (!startsWith(bytes, end - trailer.length, end, trailer)) return 'no';
    this.end = end;
    this.bytes = bytes;
    this.start = payloadPlaceIn(this.#layout, bytes, at);
    this.payloadEnd = end - tailBytes;
    // What nothing else proves is a frame where it is a declared message.
    const judge = checksum === undefined && trailer.length === 0 ? this.#judge : undefined;
    const steps = checksum === undefined ? total * (judge?.passes ?? 0) : total;
    if (this.#budget.credit < steps) return 'unchecked';
    if (checksum !== undefined) {
      this.#budget.spend(total);
      return checksum.matches(bytes, at, this.payloadEnd) ? 'frame' : 'no';
    }
    if (judge === undefined) return 'frame';
    return this.#budget.spend(judge.check(bytes, this.start, this.payloadEnd)) ? 'frame' : 'no';
  }

  behindNoise(bytes: Uint8Array, at: number, found: number): number {
    return behindNoise(this.#layout.preamble, bytes, at, found);
  }
}

/** Frames between a start word and a delimiter. */
export class MarkedMatcher implements FrameMatcher {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  payloadEnd = 0;
  end = 0;
  readonly #start: Uint8Array;
  readonly #ends: readonly Uint8Array[];
  readonly #escape: number | undefined;
  readonly #doubles: boolean;
  readonly #behind: number;
  readonly #maxBytes: number;
  readonly #anyLineEnd: boolean;
  readonly #envelope: Envelope;
  readonly #budget: CheckBudget;
  /** How far the frame that is `cut` was looked through, from its start. */
  #scanned = 0;

  constructor(declaration: DelimiterFraming, budget: CheckBudget) {
    const { escape: escaping, encoding = 'raw', checksum, prompt } = declaration;
    const { envelope, behind, maxBytes } = delimitedEnvelope(declaration);
    this.#start = startWord(declaration);
    this.#ends = delimitersOf(declaration).toSorted((a, b) => b.length - a.length);
    this.#escape = (escaping?.xor ?? 0) === 0 ? escaping?.byte : undefined;
    this.#doubles = doublesEscape(declaration);
    this.#behind = behind;
    this.#maxBytes = maxBytes;
    const [end = this.#start] = this.#ends;
    const inText = checksum?.encoding === 'hex' || (checksum !== undefined && encoding !== 'raw');
    this.#anyLineEnd =
      inText &&
      behind === 0 &&
      prompt === undefined &&
      this.#ends.length === 1 &&
      lineEndOf(end) !== undefined;
    this.#envelope = envelope;
    this.#budget = budget;
  }

  seek(bytes: Uint8Array, at: number, tail: number): number {
    return findBytes(bytes, at, tail, this.#start);
  }

  match(bytes: Uint8Array, at: number, tail: number, again: boolean, final: boolean): Match {
    if (!startsWith(bytes, at, tail, this.#start)) return 'no';
    if (!again) this.#scanned = this.#start.length;
    for (let from = at + this.#scanned; from < tail; from++) {
      if (from - at > this.#maxBytes) return 'no';
      this.#scanned = from - at;
      const byte = bytes[from];
      if (byte === this.#escape && !(this.#doubles && bytes[from + 1] !== byte)) {
        if (from + 1 === tail) return 'cut';
        from++;
        continue;
      }
      const length = this.#endAt(bytes, from, tail, final);
      if (length < 0) return 'cut';
      if (length === 0) {
        // The end was lost: a later start belongs to another frame.
        if (from + this.#start.length <= tail && startsWith(bytes, from, tail, this.#start)) return 'no';
        continue;
      }
      if (from + length + this.#behind > tail) return 'cut';
      const opened = this.#open(bytes, at, from, from + length + this.#behind);
      if (opened === 'no' && this.#anyLineEnd && !this.#isDeclared(bytes, from, tail)) continue;
      return opened;
    }
    this.#scanned = tail - at;
    return this.#scanned > this.#maxBytes ? 'no' : 'cut';
  }

  behindNoise(_: Uint8Array, __: number, found: number): number {
    return found;
  }

  #open(bytes: Uint8Array, at: number, contentEnd: number, next: number): Match {
    this.end = next;
    if (this.#budget.credit < next - at) return 'unchecked';
    this.#budget.spend(next - at);
    if (this.#envelope.open(bytes, at, contentEnd, next) !== 'payload') return 'no';
    this.bytes = this.#envelope.bytes;
    this.start = this.#envelope.start;
    this.payloadEnd = this.#envelope.end;
    return 'frame';
  }

  #isDeclared(bytes: Uint8Array, at: number, tail: number): boolean {
    return this.#ends.some((end) => at + end.length <= tail && startsWith(bytes, at, tail, end));
  }

  /** Bytes of the end that stands here; 0 where none does, -1 where more bytes must come to tell. */
  #endAt(bytes: Uint8Array, at: number, tail: number, final: boolean): number {
    for (const end of this.#ends) {
      if (!startsWith(bytes, at, tail, end)) continue;
      if (at + end.length <= tail) return end.length;
      if (!final) return -1;
    }
    const byte = bytes[at];
    return this.#anyLineEnd && (byte === CR || byte === LF) ? 1 : 0;
  }
}

/** What looks for the frames of a framing among those of others; undefined where it knows them by their ends alone. */
export function makeMatcher(
  framing: SingleFraming,
  layout: FrameLayout | undefined,
  judge: PayloadJudge | undefined,
  budget: CheckBudget,
): FrameMatcher | undefined {
  if (framing.type === 'delimiter') {
    return startWord(framing).length === 0 ? undefined : new MarkedMatcher(framing, budget);
  }
  return layout === undefined ? undefined : new LayoutMatcher(layout, judge, budget);
}
