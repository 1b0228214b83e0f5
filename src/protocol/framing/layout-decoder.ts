import { BUDGET_PER_BYTE, CheckBudget } from '../check-budget.ts';
import { type DiscardReason, type FaultReason, type FrameSink, SAMPLE_BYTES } from '../decoder.ts';
import { copyOf, hexExcerpt } from '../describe.ts';
import { recogniseForeignProtocol } from '../foreign-protocol.ts';
import { SearchingDecoder } from '../searching-decoder.ts';
import { takeOff } from './added-bytes.ts';
import { readUnsigned } from './byte-order.ts';
import { findBytes, startsWith } from './find-bytes.ts';
import type { PayloadJudge } from './framing.ts';
import type { FrameLayout } from './layout.ts';
import { IMPOSSIBLE, INCOMPLETE, type LengthPlace, readLength, varintBytes } from './length-place.ts';
import { Scratch } from './scratch.ts';

/** Bytes of noise in front of a reply on a stream, at most: what a gateway sends to keep its connection alive. */
const MOST_STRAY = 8;

const BUDGET_EXPECTED = `checks within ${BUDGET_PER_BYTE} bytes per byte received`;

/**
 * What becomes of a place where no frame can be:
 * - `slide`: the search goes on one byte further, for the frame can prove itself;
 * - `silence`: nothing could prove a frame, so the next one is what follows a silence;
 * - `close`: the stream lost nothing, so its sender speaks something else: one fault ends it.
 */
export type Recovery = 'slide' | 'silence' | 'close';

/**
 * Frames of a layout, with whatever it has to prove them: sync word, bounds of the length, checksum, trailer, and a
 * judge of payloads. Work is linear in the bytes received: sliding looks at each position once, and what touches a
 * whole candidate lives on a budget.
 */
export class LayoutDecoder extends SearchingDecoder {
  readonly #layout: FrameLayout;
  readonly #recovery: Recovery;
  readonly #judge: PayloadJudge | undefined;
  readonly #sizes: PayloadJudge | undefined;
  /** What is simple about the layout, so that each frame costs no look at what it does not declare. */
  readonly #word: Uint8Array | undefined;
  readonly #number: LengthPlace | undefined;
  readonly #fixed: number | undefined;
  readonly #overhead: number;
  readonly #payloadOffset: number | undefined;
  readonly #headerExpected: string;
  readonly #budget = new CheckBudget();
  /** A payload to whose bytes something is added on the wire. */
  readonly #scratch = new Scratch();
  /** What is whole is proven by more than a sync word. */
  readonly #proves: boolean;
  /** Nothing counts before the next silence. */
  #lost = false;
  /** Bytes at the front of the buffer that came before the last silence: half a frame, or the sender's pause in one. */
  #kept = 0;
  #closing = false;
  /** Nothing was set aside since the last frame or silence: a header stands where one must. */
  #inStep = true;

  /** `sizes` says how long a message is where only its id tells. */
  constructor(
    layout: FrameLayout,
    sink: FrameSink,
    recovery: Recovery,
    judge?: PayloadJudge,
    sizes?: PayloadJudge,
  ) {
    super(sink);
    this.#sizes = sizes;
    this.#layout = layout;
    this.#recovery = recovery;
    this.#judge = judge;
    const { length, sync, overhead, payloadAt } = layout;
    this.#word = sync.plain;
    this.#number = isPlainNumber(layout) ? length : undefined;
    this.#fixed = length === undefined && layout.id === undefined ? overhead : undefined;
    this.#overhead = overhead;
    this.#payloadOffset = layout.behindVarint ? undefined : payloadAt;
    this.#headerExpected = headerInWords(layout);
    this.#proves = layout.checksum !== undefined || layout.trailer.length > 0 || judge !== undefined;
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
    super.hold(chunk);
    this.#budget.earn(chunk.length, this.buffer.length);
  }

  override idle(): void {
    // Silence means nothing on a stream.
    if (this.#recovery !== 'close') super.idle();
  }

  protected override take(final: boolean): void {
    if (this.#kept > 0 && !final) this.#settleKept();
    if (final && this.#mayGoOn()) {
      this.#kept = this.buffer.length;
      return;
    }
    this.#search(final);
    if (!final) return;
    this.#lost = false;
    this.#inStep = true;
  }

  /**
   * Whether the silence is a pause in the frame that is held: for one silence, where a frame can prove itself or begins
   * with a sync word, its header stands where one must, and no whole frame stands behind that.
   */
  #mayGoOn(): boolean {
    if (this.#closing || this.#kept > 0 || this.#lost || !this.#inStep) return false;
    if (this.#recovery !== 'slide') return false;
    this.#search(false);
    const { bytes, head, tail } = this.buffer;
    for (let at = head + 1; at < tail; at++) {
      at = this.#syncFrom(bytes, at, tail);
      if (this.#isWhole(bytes, at, tail)) return false;
    }
    return tail > head;
  }

  /** Sets aside what was kept where the bytes behind the silence begin another frame. */
  #settleKept(): void {
    const { bytes, head, tail } = this.buffer;
    const fresh = head + this.#kept;
    if (!this.#proves) {
      const end = Math.min(tail, head + this.#layout.maxBytes);
      if (this.#syncFrom(bytes, fresh, end) === end) return;
    } else if (!this.#isWhole(bytes, fresh, tail)) return;
    this.#drop(head, fresh, 'truncated', 'the rest of a frame');
    this.#consumeTo(fresh);
  }

  /** Whether a frame that is all there, and right, begins here. */
  #isWhole(bytes: Uint8Array, at: number, tail: number): boolean {
    const { headerBytes, sync, trailer, tailBytes, checksum } = this.#layout;
    if (tail - at < headerBytes || this.#syncFrom(bytes, at, tail) !== at) return false;
    const total = this.#frameBytes(bytes, at, tail);
    const end = at + total;
    if (total < 0 || end > tail || !this.#possible(bytes, at, tail, total)) return false;
    if (!startsWith(bytes, end - trailer.length, end, trailer)) return false;
    if (checksum !== undefined) {
      if (this.#budget.credit < total) return false;
      this.#budget.spend(total);
      return checksum.matches(bytes, at, end - tailBytes);
    }
    if (this.#judge === undefined) return sync.length + trailer.length > 0;
    if (this.#budget.credit < total * (this.#judge.passes ?? 1)) return false;
    return this.#budget.spend(this.#judge.check(bytes, this.#payloadAt(bytes, at), end - tailBytes));
  }

  #consumeTo(at: number): void {
    this.#kept = Math.max(0, this.#kept - (at - this.buffer.head));
    this.buffer.consumeTo(at);
  }

  #search(final: boolean): void {
    const { headerBytes } = this.#layout;
    const { bytes, tail } = this.buffer;
    let at = this.buffer.head;
    while (at < tail && !this.ended) {
      if (this.#lost) {
        at = this.#drop(at, tail, 'no_header', 'silence before the next frame');
        break;
      }
      const found = this.#syncFrom(bytes, at, tail);
      if (found > at) {
        at = this.#pass(bytes, at, found);
        continue;
      }
      if (tail - at < headerBytes) {
        if (!final) break;
        at = this.#giveUp(at, tail, 'truncated', 'the rest of a header');
        continue;
      }
      const total = this.#frameBytes(bytes, at, tail);
      if (total === INCOMPLETE) {
        if (!final) break;
        at = this.#giveUp(at, tail, 'truncated', 'the rest of a header');
        continue;
      }
      const stray = this.#recovery === 'close' ? this.#stray(bytes, at, tail, total) : 0;
      if (stray < 0) {
        if (!final) break;
        at = this.#drop(at, tail, 'no_header', this.#headerExpected);
        continue;
      }
      if (stray > 0) {
        at = this.#drop(at, at + stray, 'no_header', this.#headerExpected);
        continue;
      }
      if (!this.#possible(bytes, at, tail, total)) {
        at = this.#recovery === 'close' ? this.#fault(at, tail, total) : this.#reject(at, tail);
        continue;
      }
      if (at + total > tail) {
        if (!final) break;
        at = this.#giveUp(at, tail, 'truncated', `a whole frame of ${total} bytes`);
        continue;
      }
      at = this.#judgeWhole(bytes, at, tail, total);
    }
    this.#consumeTo(at);
  }

  /** Sets aside what stands in front of a sync word, but for a preamble. */
  #pass(bytes: Uint8Array, at: number, found: number): number {
    const end = behindNoise(this.#layout.preamble, bytes, at, found);
    if (end > at) this.#drop(at, end, 'no_header', this.#headerExpected);
    return found;
  }

  /** Where the sync word, or what is left of it at the end, begins. */
  #syncFrom(bytes: Uint8Array, at: number, tail: number): number {
    const word = this.#word;
    if (word === undefined) return this.#layout.sync.seek(bytes, at, tail);
    return word.length === 0 ? at : findBytes(bytes, at, tail, word);
  }

  /** Bytes of the whole frame at `at`, as it claims, unbounded; `INCOMPLETE` where more bytes must say it. */
  #frameBytes(bytes: Uint8Array, at: number, tail: number): number {
    const number = this.#number;
    if (number !== undefined)
      return this.#overhead + readUnsigned(bytes, at + number.at, number.width, number.order);
    return this.#fixed ?? claimedBytes(this.#layout, bytes, at, tail, this.#sizes);
  }

  /** Where the payload of the frame at `at` begins. */
  #payloadAt(bytes: Uint8Array, at: number): number {
    const offset = this.#payloadOffset;
    return offset === undefined ? payloadPlaceIn(this.#layout, bytes, at) : at + offset;
  }

  #possible(bytes: Uint8Array, at: number, tail: number, total: number): boolean {
    const { minBytes, maxBytes, tailBytes } = this.#layout;
    if (total < minBytes || total > maxBytes) return false;
    if (this.#judge === undefined) return true;
    const start = this.#payloadAt(bytes, at);
    const length = total - (start - at) - tailBytes;
    return this.#judge.possible(bytes, start, Math.max(0, Math.min(tail - start, length)), length);
  }

  /**
   * A stream loses nothing, but a gateway may add bytes of its own between two frames. While a reply is awaited, as many
   * bytes are looked past as bring a declared message to light; negative where more bytes must come to tell.
   */
  #stray(bytes: Uint8Array, at: number, tail: number, total: number): number {
    const judge = this.#judge;
    if (judge === undefined || this.sink.awaitsReply?.() !== true) return 0;
    const first = this.#begins(judge, bytes, at, tail, total);
    if (first === 'yes' || first === 'unknown' || (first === 'cut' && this.#hasLength(judge, total)))
      return 0;
    if (recogniseForeignProtocol(bytes, at, tail) !== undefined) return 0;
    let undecided = 0;
    for (let from = at + 1; from <= at + MOST_STRAY && from < tail; from++) {
      const whole = tail - from >= this.#layout.headerBytes ? this.#frameBytes(bytes, from, tail) : tail;
      const found = this.#begins(judge, bytes, from, tail, whole);
      if (found === 'yes') return from - at;
      if (found === 'cut') undecided = -1;
    }
    // What may be a message by its length is delivered, or waited for, as any other.
    return this.#possible(bytes, at, tail, total) && this.#hasLength(judge, total) ? 0 : undecided;
  }

  #hasLength(judge: PayloadJudge, total: number): boolean {
    const { payloadAt, tailBytes } = this.#layout;
    const length = total - payloadAt - tailBytes;
    return judge.spans?.some(([least, most]) => length >= least && length <= most) ?? true;
  }

  /** Whether a declared message begins here; `cut` where it is not all there, `unknown` where too much was looked at. */
  #begins(
    judge: PayloadJudge,
    bytes: Uint8Array,
    at: number,
    tail: number,
    total: number,
  ): 'yes' | 'no' | 'cut' | 'unknown' {
    const { tailBytes, headerBytes } = this.#layout;
    if (tail - at < headerBytes || total === INCOMPLETE) return 'cut';
    if (!this.#possible(bytes, at, tail, total)) return 'no';
    if (at + total > tail) return 'cut';
    if (this.#budget.credit < total * (judge.passes ?? 1)) return 'unknown';
    return this.#budget.spend(judge.check(bytes, this.#payloadAt(bytes, at), at + total - tailBytes))
      ? 'yes'
      : 'no';
  }

  /** A frame that is all there. Returns where the search goes on. */
  #judgeWhole(bytes: Uint8Array, at: number, tail: number, total: number): number {
    const { checksum, trailer, tailBytes } = this.#layout;
    const end = at + total;
    const payloadEnd = end - tailBytes;
    for (let index = 0; index < trailer.length; index++) {
      if (bytes[end - trailer.length + index] === trailer[index]) continue;
      if (this.#recovery === 'close') return this.#fault(at, tail, total);
      return this.#giveUp(at, tail, 'bad_checksum', 'the trailer of a frame');
    }
    if (checksum !== undefined || (this.#judge !== undefined && this.#recovery !== 'close')) {
      if (this.#budget.credit < total * (checksum === undefined ? (this.#judge?.passes ?? 1) : 1))
        return this.#drop(at, end, 'budget', BUDGET_EXPECTED);
      if (checksum !== undefined) {
        this.#budget.spend(total);
        if (!checksum.matches(bytes, at, payloadEnd)) {
          // A stream loses nothing: the frame is damaged, the next one is not.
          if (this.#recovery === 'close')
            return this.#drop(at, end, 'bad_checksum', `a frame with ${checksum.name}`);
          return this.#giveUp(at, tail, 'bad_checksum', `a frame with ${checksum.name}`);
        }
      } else if (this.#judge !== undefined && this.#recovery !== 'close') {
        if (!this.#budget.spend(this.#judge.check(bytes, this.#payloadAt(bytes, at), payloadEnd)))
          return this.#giveUp(at, tail, 'bad_content', 'the content of a declared message');
      }
    }
    this.report();
    if (this.ended) return tail;
    this.#inStep = true;
    const start = this.#payloadAt(bytes, at);
    const { added } = this.#layout;
    if (added === undefined) this.sink.frame(bytes, start, payloadEnd);
    else {
      const length = takeOff(added, bytes, at, start, payloadEnd, this.#scratch);
      this.sink.frame(this.#scratch.bytes, 0, length);
      this.#scratch.release();
    }
    return end;
  }

  /** No frame can begin here. */
  #reject(at: number, tail: number): number {
    return this.#giveUp(at, tail, 'no_header', this.#headerExpected);
  }

  /** Sets the first byte aside, or all of them where no search could tell a frame. */
  #giveUp(at: number, tail: number, reason: DiscardReason, expected: string): number {
    if (this.#recovery === 'slide') return this.#drop(at, at + 1, reason, expected);
    this.#lost = true;
    return this.#drop(at, tail, reason, expected);
  }

  #drop(from: number, to: number, reason: DiscardReason, expected: string): number {
    this.#inStep = false;
    this.tally.add(this.buffer.bytes, from, to, reason, expected);
    return to;
  }

  #fault(at: number, tail: number, total: number): number {
    const { minBytes, maxBytes, length, overhead, payloadAt, tailBytes } = this.#layout;
    const { bytes } = this.buffer;
    const claimed = length === undefined ? total : total - overhead;
    const foreignProtocol = claimed === 0 ? undefined : recogniseForeignProtocol(bytes, at, tail);
    const reason: FaultReason =
      claimed === 0 ? 'zero_length' : total > maxBytes ? 'too_long' : 'impossible_length';
    this.report();
    this.ended = true;
    this.sink.fault({
      reason: foreignProtocol === undefined ? reason : 'intruder',
      length: claimed,
      expected: `${this.#headerExpected}, and a payload of ${minBytes - payloadAt - tailBytes} to ${maxBytes - payloadAt - tailBytes} bytes`,
      seen: foreignProtocol ?? `a length of ${claimed}: ${hexExcerpt(bytes, at, tail)}`,
      sample: copyOf(bytes, at, Math.min(tail, at + SAMPLE_BYTES)),
    });
    return tail;
  }
}

/** Whether the length is one number in bytes that stands once. */
function isPlainNumber({ length, again, behindVarint }: FrameLayout): boolean {
  return (
    length?.kind === 'binary' && length.unit === 1 && length.mask === undefined && again < 0 && !behindVarint
  );
}

/** Where the payload of the frame at `at` begins. */
export function payloadPlaceIn(
  { payloadAt, behindVarint, length }: FrameLayout,
  bytes: Uint8Array,
  at: number,
): number {
  if (!behindVarint || length === undefined) return at + payloadAt;
  return at + payloadAt + varintBytes(bytes, at + length.at) - 1;
}

/** Bytes of the whole frame at `at`, as its length or its id claims. */
export function claimedBytes(
  layout: FrameLayout,
  bytes: Uint8Array,
  at: number,
  tail: number,
  judge: PayloadJudge | undefined,
): number {
  const { length, again, overhead, id, payloadAt, tailBytes, sizes } = layout;
  if (length !== undefined) {
    const value = readLength(length, bytes, at + length.at, tail);
    if (value < 0) return value;
    if (again >= 0 && readLength(length, bytes, at + again, tail) !== value) return IMPOSSIBLE;
    const more = layout.behindVarint || length.kind === 'varint' ? varintBytes(bytes, at + length.at) - 1 : 0;
    return overhead + value + more;
  }
  if (id === undefined || layout.minBytes === layout.maxBytes) return overhead;
  const start = at + payloadAt;
  const size =
    sizes === undefined
      ? (judge?.lengthOf?.(bytes, start, tail) ?? IMPOSSIBLE)
      : (sizes.get(readUnsigned(bytes, start + id.at, id.bytes, id.order)) ?? IMPOSSIBLE);
  return size < 0 ? size : payloadAt + size + tailBytes;
}

/** Where a preamble begins that ends at `found`; `found` where none does. */
export function behindNoise(preamble: Uint8Array, bytes: Uint8Array, at: number, found: number): number {
  if (preamble.length === 0) return found;
  const [byte] = preamble;
  let end = found;
  while (end > at && bytes[end - 1] === byte) end--;
  return end;
}

function headerInWords({ sync, length, id }: FrameLayout): string {
  const parts = [
    ...(sync.length === 0 ? [] : [`the sync word ${sync.inWords}`]),
    ...(length === undefined ? [] : [`a possible length of ${length.width} bytes at ${length.at}`]),
    ...(length !== undefined || id === undefined ? [] : ['the id of a message']),
  ];
  return parts.length === 0 ? 'a frame' : parts.join(' and ');
}
