import { CheckBudget } from '../check-budget.ts';
import type { DiscardReason, FrameSink } from '../decoder.ts';
import { SearchingDecoder } from '../searching-decoder.ts';
import { findBytes } from './find-bytes.ts';
import type { FrameMatcher } from './frame-matcher.ts';

/** One kind of frames on the line. */
export interface FrameKind {
  readonly name: string;
  readonly matcher: FrameMatcher;
}

/** Lines that nothing but their end tells from noise: what stands between the frames of all other kinds. */
export interface LineKind {
  readonly name: string;
  readonly delimiter: Uint8Array;
  readonly maxBytes: number;
  /** Frames of other kinds may stand within a line, which goes on behind them. */
  readonly resumes: boolean;
  /** Whether everything up to the first end of a line, or to a frame, is set aside. */
  readonly skipsFirst: boolean;
  /** The payload of a line; undefined where it is none. */
  open(
    bytes: Uint8Array,
    start: number,
    end: number,
    next: number,
  ): readonly [Uint8Array, number, number] | undefined;
}

export interface SeveralParts {
  makeKinds(budget: CheckBudget): readonly FrameKind[];
  readonly lines: LineKind | undefined;
  readonly line: 'stream' | 'serial';
}

const NOTHING_WAITS = -1;

/**
 * Frames of several kinds on one line. At every place the kinds are tried in their order; the first that fits is taken,
 * and where none does, the search goes on one byte further. A frame that is not all there holds the place until it is,
 * or proves wrong, or the line falls silent while a whole frame stands behind it.
 */
export class SeveralDecoder extends SearchingDecoder {
  readonly #kinds: readonly FrameKind[];
  readonly #lines: LineKind | undefined;
  readonly #serial: boolean;
  readonly #budget = new CheckBudget();
  /** Bytes held in which no frame begins. */
  #scanned = 0;
  /** Bytes of them in which no line ends. */
  #lineScanned = 0;
  /** The kind whose frame is cut behind them. */
  #waiting = NOTHING_WAITS;
  /** Bytes that came before the last silence. */
  #kept = 0;
  #skipping: boolean;
  #closing = false;
  #begun = false;

  constructor(parts: SeveralParts, sink: FrameSink) {
    super(sink);
    this.#kinds = parts.makeKinds(this.#budget);
    this.#lines = parts.lines;
    this.#serial = parts.line === 'serial';
    this.#skipping = parts.lines?.skipsFirst === true && this.#serial;
  }

  /** Without what is kept over a silence, until more comes: it may be a half frame that nothing completes. */
  override get pending(): number {
    return this.#kept === this.buffer.length ? 0 : this.buffer.length;
  }

  override close(): void {
    this.#closing = true;
    super.close();
  }

  protected override hold(chunk: Uint8Array): void {
    if (!this.#begun && this.sink.awaitsReply?.() === true) this.#skipping = false;
    this.#begun = true;
    super.hold(chunk);
    this.#budget.earn(chunk.length, this.buffer.length);
  }

  protected override take(final: boolean): void {
    if (!final) {
      if (this.#kept > 0) this.#settleKept();
      this.#search(false);
      return;
    }
    this.#search(false);
    // What waits in front of a whole frame is none.
    while (!this.ended && this.#waiting !== NOTHING_WAITS && this.#standsBehind()) this.#giveUp('no_header');
    if (!this.#closing && (!this.#serial || this.#mayGoOn())) return;
    this.#search(true);
    this.#dropRest('truncated');
    this.#kept = 0;
    this.#skipping = false;
  }

  /** Whether the silence is a pause in the frame that is held: for one silence, where it stands at the front. */
  #mayGoOn(): boolean {
    if (this.#kept > 0 || this.#waiting === NOTHING_WAITS || this.#scanned > 0) return false;
    this.#kept = this.buffer.length;
    return this.#kept > 0;
  }

  /** Sets aside what was kept where the bytes behind the silence are a frame. */
  #settleKept(): void {
    const { bytes, head, tail } = this.buffer;
    const fresh = head + this.#kept;
    if (this.#wholeAt(bytes, fresh, tail) < 0) return;
    this.#drop(head, fresh, 'truncated');
    this.#consume(fresh);
    this.#waiting = NOTHING_WAITS;
    this.#scanned = 0;
    this.#lineScanned = 0;
  }

  /** Whether a whole frame stands behind the one that waits. */
  #standsBehind(): boolean {
    const { bytes, head, tail } = this.buffer;
    for (let at = head + this.#scanned + 1; at < tail; at++)
      if (this.#wholeAt(bytes, at, tail) >= 0) return true;
    return false;
  }

  /** The kind whose whole frame begins here, -1 where none does. */
  #wholeAt(bytes: Uint8Array, at: number, tail: number): number {
    return this.#kinds.findIndex(({ matcher }) => matcher.match(bytes, at, tail, false, false) === 'frame');
  }

  /** The frame that waits is none: the search goes on behind its first byte. */
  #giveUp(reason: DiscardReason): void {
    const { head } = this.buffer;
    const at = head + this.#scanned;
    this.#waiting = NOTHING_WAITS;
    if (this.#lines === undefined) {
      this.#drop(head, at + 1, reason);
      this.#consume(at + 1);
      this.#scanned = 0;
    } else this.#scanned++;
    this.#search(false);
  }

  #search(final: boolean): void {
    const { bytes } = this.buffer;
    let { tail } = this.buffer;
    let at = this.buffer.head + this.#scanned;
    let first = Math.max(0, this.#waiting);
    let again = this.#waiting !== NOTHING_WAITS;
    this.#waiting = NOTHING_WAITS;
    const next = this.#kinds.map(() => -1);
    while (at < tail && !this.ended) {
      const place = again ? at : this.#seek(bytes, at, tail, next);
      if (place > at) at = this.#between(place);
      ({ tail } = this.buffer);
      if (at >= tail || this.ended) break;
      const outcome = this.#tryKinds(at, tail, first, again, final);
      first = 0;
      again = false;
      ({ tail } = this.buffer);
      if (outcome === 'cut') break;
      at = outcome;
    }
    if (this.ended) return;
    if (this.#waiting === NOTHING_WAITS) this.#between(this.buffer.tail);
    this.#limit();
  }

  /** The first place from `at` on where a frame of any kind may begin. */
  #seek(bytes: Uint8Array, at: number, tail: number, next: number[]): number {
    let nearest = tail;
    for (const [index, { matcher }] of this.#kinds.entries()) {
      if ((next[index] ?? -1) < at) next[index] = matcher.seek(bytes, at, tail);
      nearest = Math.min(nearest, next[index] ?? tail);
    }
    return nearest;
  }

  /** Tries the kinds at one place, in their order. Returns where the search goes on. */
  #tryKinds(at: number, tail: number, from: number, waited: boolean, final: boolean): number | 'cut' {
    const { bytes, head } = this.buffer;
    for (let index = from; index < this.#kinds.length; index++) {
      const kind = this.#kinds[index];
      if (kind === undefined) break;
      const match = kind.matcher.match(bytes, at, tail, waited && index === from, final);
      if (match === 'no') continue;
      if (match === 'cut') {
        if (final) continue;
        this.#scanned = at - head;
        this.#waiting = index;
        return 'cut';
      }
      const { end } = kind.matcher;
      if (match === 'unchecked') {
        this.#drop(head, end, 'budget');
        this.#consume(end);
      } else this.#deliver(kind, at);
      return end > this.buffer.tail ? this.buffer.tail : this.buffer.head + this.#scanned;
    }
    // No frame begins here.
    if (this.#lines === undefined) {
      this.#drop(head, at + 1, final ? 'truncated' : 'no_header');
      this.#consume(at + 1);
      return at + 1;
    }
    this.#scanned = at + 1 - head;
    return at + 1;
  }

  #deliver({ name, matcher }: FrameKind, at: number): void {
    const { head } = this.buffer;
    const { bytes, start, payloadEnd, end } = matcher;
    const rest = at - head;
    if (rest > 0 && !(this.#lines?.resumes === true && !this.#skipping && this.#budget.credit >= rest)) {
      this.#drop(head, matcher.behindNoise(this.buffer.bytes, head, at), 'no_header');
      this.#consume(at);
    }
    this.#skipping = false;
    this.report();
    if (this.ended) return;
    this.sink.frame(bytes, start, payloadEnd, name);
    if (this.ended) return;
    const kept = at - this.buffer.head;
    if (kept <= 0) return this.#consume(end);
    // The line goes on behind the frame: its front moves up to there.
    this.#budget.spend(kept);
    this.buffer.bytes.copyWithin(end - kept, at - kept, at);
    this.buffer.consumeTo(end - kept);
    this.#scanned = kept;
    this.#kept = 0;
  }

  /** No frame begins in front of `limit`: what stands there is lines, or noise. Returns where the search goes on. */
  #between(limit: number): number {
    const { head } = this.buffer;
    const lines = this.#lines;
    if (lines !== undefined) {
      this.#takeLines(lines, limit);
      this.#scanned = Math.max(0, limit - this.buffer.head);
      return limit;
    }
    const { bytes } = this.buffer;
    const clean = Math.min(
      ...this.#kinds.map(({ matcher }) => matcher.behindNoise(bytes, head, limit)),
      limit,
    );
    if (clean > head) this.#drop(head, clean, 'no_header');
    this.#consume(limit);
    return limit;
  }

  #takeLines(lines: LineKind, limit: number): void {
    const { delimiter, maxBytes } = lines;
    const { bytes } = this.buffer;
    let at = this.buffer.head;
    let from = Math.max(at, at + this.#lineScanned - delimiter.length + 1);
    while (!this.ended) {
      const found = findBytes(bytes, from, limit, delimiter);
      const next = found + delimiter.length;
      if (next > limit) break;
      if (this.#skipping || found - at > maxBytes)
        this.#drop(at, next, this.#skipping ? 'no_header' : 'too_long');
      else if (found > at) {
        const payload = lines.open(bytes, at, found, next);
        if (payload === undefined) this.#drop(at, next, 'bad_checksum');
        else {
          this.report();
          if (this.ended) return;
          this.sink.frame(...payload, lines.name);
        }
      }
      this.#skipping = false;
      at = next;
      from = next;
    }
    this.#consume(at);
    this.#lineScanned = Math.max(0, limit - at);
  }

  /** A line without an end is not held for ever. */
  #limit(): void {
    const lines = this.#lines;
    if (lines === undefined || this.#scanned <= lines.maxBytes) return;
    const { head } = this.buffer;
    this.#drop(head, head + this.#scanned, 'too_long');
    this.#consume(head + this.#scanned);
    this.#scanned = 0;
    this.#lineScanned = 0;
    this.#skipping = true;
  }

  #dropRest(reason: DiscardReason): void {
    if (this.ended) return;
    this.#drop(this.buffer.head, this.buffer.tail, reason);
    this.#consume(this.buffer.tail);
    this.#waiting = NOTHING_WAITS;
  }

  #consume(at: number): void {
    const used = at - this.buffer.head;
    this.#kept = Math.max(0, this.#kept - used);
    this.#scanned = Math.max(0, this.#scanned - used);
    this.#lineScanned = Math.max(0, this.#lineScanned - used);
    this.buffer.consumeTo(at);
  }

  #drop(from: number, to: number, reason: DiscardReason): void {
    if (to > from) this.tally.add(this.buffer.bytes, from, to, reason, this.#expected());
  }

  #expected(): string {
    const names = [
      ...this.#kinds.map(({ name }) => name),
      ...(this.#lines === undefined ? [] : [this.#lines.name]),
    ];
    return `a frame of ${names.join(' or ')}`;
  }
}
