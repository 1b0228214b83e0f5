import { CheckBudget } from '../check-budget.ts';
import type { DiscardReason, FrameSink } from '../decoder.ts';
import type { KeyTable } from '../keys.ts';
import { SearchingDecoder } from '../searching-decoder.ts';
import { type BurstReading, BurstSearch, NEAR_BYTES } from './burst-search.ts';
import { ChecksumField } from './checksum-field.ts';
import type { Framing, FramingOptions, PayloadJudge } from './framing.ts';
import { checksum, type FramingOf, maxFrame } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { part, plainStarts } from './locate.ts';
import { checksumBytes } from './lua.ts';
import { SealedPayload } from './sealed-payload.ts';
import { inWords } from './words.ts';

/** The longest payload in bytes, where a declaration says none. */
const MAX_PAYLOAD = 4096;

const KEYS = { checksum, max_frame: maxFrame(MAX_PAYLOAD) } as const satisfies KeyTable;

export type GapFraming = FramingOf<'gap', typeof KEYS>;

/** Least width of a checksum, in bits, that may decide by itself where in a burst a frame begins and ends. */
const DECISIVE_BITS = 16;

/** Frames that are delimited by the silence between them, like those of Modbus RTU. */
function makeGapFraming(declaration: GapFraming): Framing {
  const maxPayload = declaration.maxFrame ?? MAX_PAYLOAD;
  const sealed = new SealedPayload(declaration.checksum, maxPayload, { id: declaration.id });
  return {
    describe: inWords(declaration, []),
    needsSilence: true,
    varies: false,
    maxPayload,
    makeDecoder: (sink, options) => new GapDecoder(sealed, sink, options),
    encode: (payload) => new Uint8Array(sealed.seal(payload)),
  };
}

/**
 * The burst between two silences is a frame. One that is none, or may be one only because zero bytes keep its checksum
 * right, is searched for frames; see `BurstSearch`. One that begins a declared message stays for the next burst: the
 * silence was a pause of the sender.
 *
 * A reply that is awaited and says itself where it ends does not wait for the silence: it is delivered once its last byte
 * is there, with a little noise in front of it or none. What follows up to the silence is the rest of that burst.
 */
class GapDecoder extends SearchingDecoder {
  readonly #sealed: SealedPayload;
  readonly #judge: PayloadJudge | undefined;
  /** The checksum at the end of every frame, of the framing or of the messages. */
  readonly #checksum: ChecksumField | undefined;
  /** Bytes of that checksum that are no part of the payload. */
  readonly #outside: number;
  readonly #search: BurstSearch | undefined;
  readonly #maxBurst: number;
  /** Bytes at the front that came before the last silence. */
  #kept = 0;
  /** The burst is longer than what is held. */
  #overlong = false;
  readonly #awaited: () => string | undefined;
  readonly #budget = new CheckBudget();
  /** A frame of this burst was delivered before the silence. */
  #followed = false;

  constructor(sealed: SealedPayload, sink: FrameSink, { judge, awaited }: FramingOptions) {
    super(sink);
    this.#sealed = sealed;
    this.#judge = judge;
    this.#checksum =
      sealed.checksum ?? (judge?.seal === undefined ? undefined : new ChecksumField(judge.seal));
    this.#outside = sealed.checksum?.bytes ?? 0;
    const decisive = (this.#checksum?.bits ?? 0) >= DECISIVE_BITS;
    const checksumBits = sealed.checksum?.bits ?? 0;
    this.#awaited =
      decisive && awaited !== undefined && judge?.ends !== undefined ? awaited : () => undefined;
    this.#search =
      decisive || judge?.proof !== undefined
        ? new BurstSearch({ judge, checksumBits, awaited: awaited ?? (() => undefined) })
        : undefined;
    this.#maxBurst = this.#search === undefined ? sealed.maxBytes : 2 * sealed.maxBytes + NEAR_BYTES;
  }

  /** Without what is kept over a silence: no more of it may come. */
  override get pending(): number {
    return this.buffer.length - this.#kept;
  }

  protected override hold(chunk: Uint8Array): void {
    if (this.#overlong && !this.#slides) return this.#drop(chunk, 0, chunk.length, 'too_long');
    // Where a reply is awaited again, it is no rest of the frame before.
    if (this.#followed && this.buffer.length === 0 && this.#awaited() !== undefined) this.#followed = false;
    super.hold(chunk);
    this.#budget.earn(chunk.length, this.buffer.length);
  }

  /** Only a silence decides, or a reply that is awaited, or a burst that is too long for one frame. */
  protected override take(final: boolean): void {
    if (final) {
      this.#takeBurst();
      this.#overlong = false;
      this.#followed = false;
      return;
    }
    if (this.#takeAwaited()) return;
    if (this.buffer.length <= this.#maxBurst) return;
    this.#overlong = true;
    this.#kept = 0;
    if (this.#slides) return this.#slide();
    const { bytes, head, tail } = this.buffer;
    this.#drop(bytes, head, tail, 'too_long');
    this.buffer.clear();
  }

  override close(): void {
    // Nothing follows that could complete it.
    if (this.#kept > 0 && this.#kept === this.buffer.length && !this.ended) this.#dropKept();
    super.close();
  }

  /** Frames are found in bytes without an end, because the messages say which they are. */
  get #slides(): boolean {
    return this.#search !== undefined && this.#judge?.proof !== undefined;
  }

  /** Delivers what is whole in a burst that goes on, and keeps as much as the beginning of a frame can have. */
  #slide(): void {
    const { bytes, head, tail } = this.buffer;
    const from = Math.max(head, tail - this.#sealed.maxBytes - 2);
    let at = head;
    for (const frame of this.#read(bytes, head, tail, { right: false, cut: true })?.frames ?? []) {
      if (frame.start >= from || this.ended) break;
      this.#drop(bytes, at, frame.start, 'too_long');
      this.#deliver(bytes, frame.start, frame.payloadEnd);
      at = frame.end;
    }
    const next = Math.max(at, from);
    if (!this.ended) this.#drop(bytes, at, next, 'too_long');
    this.buffer.consumeTo(next);
  }

  /** Delivers what is held where it is the reply that is awaited, whole and right. */
  #takeAwaited(): boolean {
    const name = this.#overlong ? undefined : this.#awaited();
    if (name === undefined) return false;
    const { bytes, head, tail } = this.buffer;
    const fresh = head + this.#kept;
    for (let start = head; start <= fresh + NEAR_BYTES && start < tail; start = Math.max(start + 1, fresh)) {
      const end = this.#awaitedEnd(bytes, start, tail, name);
      if (end < 0) continue;
      if (start >= fresh && this.#kept > 0) this.#dropKept();
      this.#drop(bytes, this.buffer.head, start, 'no_header');
      this.#deliver(bytes, start, end);
      this.#kept = 0;
      this.#followed = true;
      this.buffer.consumeTo(tail);
      return true;
    }
    return false;
  }

  /** Where the payload of the awaited reply ends, if these bytes are it; else -1. */
  #awaitedEnd(bytes: Uint8Array, start: number, tail: number, name: string): number {
    const judge = this.#judge;
    const length = tail - start - this.#outside;
    if (!(judge?.spans ?? []).some(([least, most]) => length >= least && length <= most)) return -1;
    if (this.#budget.credit < 2 * (tail - start)) return -1;
    this.#budget.spend(tail - start);
    const end = this.#rightEnd(bytes, start, tail);
    if (end < 0 || judge?.proof === undefined) return -1;
    const { bits, touched } = judge.proof(bytes, start, end, name);
    this.#budget.spend(touched);
    return bits >= 0 && judge.ends?.(bytes, start, end, name) === true ? end : -1;
  }

  #takeBurst(): void {
    const { bytes, head, tail } = this.buffer;
    const fresh = head + this.#kept;
    if (fresh === tail) return;
    if (fresh > head && this.#wholeEnd(bytes, fresh, tail) > fresh) this.#dropKept();
    if (!this.#takeFrames(bytes, this.buffer.head, tail)) return this.#keep(fresh);
    this.#kept = 0;
    this.buffer.consumeTo(tail);
  }

  /** False where the bytes are no frame yet. */
  #takeFrames(bytes: Uint8Array, head: number, tail: number): boolean {
    const whole = this.#overlong ? -1 : this.#wholeEnd(bytes, head, tail);
    if (whole > head) {
      this.#deliver(bytes, head, whole);
      return true;
    }
    const right = !this.#overlong && this.#checksum !== undefined && this.#rightEnd(bytes, head, tail) > head;
    const outcome = this.#read(bytes, head, tail, { right, cut: this.#overlong });
    const frames = outcome?.frames ?? [];
    if (frames.length === 0 && this.#isRest(tail - head)) {
      this.#drop(bytes, head, tail, 'no_header');
      return true;
    }
    if (frames.length === 0) return this.#takeUnknown(bytes, head, tail, right, outcome?.exhausted === true);
    let at = head;
    for (const { start, payloadEnd, end } of frames) {
      if (this.ended) return true;
      this.#drop(bytes, at, start, 'no_header');
      this.#deliver(bytes, start, payloadEnd);
      at = end;
    }
    if (!this.ended) this.#drop(bytes, at, tail, 'no_header');
    return true;
  }

  /** Whether so many bytes are what stood behind a frame that was delivered before the silence. */
  #isRest(length: number): boolean {
    return this.#followed && (length <= NEAR_BYTES || this.#awaited() === undefined);
  }

  /** No frame was found: what is right by itself counts all the same, and without a checksum everything is. */
  #takeUnknown(bytes: Uint8Array, head: number, tail: number, right: boolean, exhausted: boolean): boolean {
    if (!right && !this.#overlong && this.#begins(bytes, head, tail)) return false;
    if (this.#kept > 0) {
      if (!right && this.#begins(bytes, head + this.#kept, tail)) return false;
      if (!right && this.#outside === 0) this.#dropKept();
    }
    const from = this.buffer.head;
    const fits = !this.#overlong && tail - from <= this.#sealed.maxBytes;
    if (fits && (right || this.#outside === 0)) this.#deliver(bytes, from, tail - this.#outside);
    else this.#drop(bytes, from, tail, fits ? (exhausted ? 'budget' : 'bad_checksum') : 'too_long');
    return true;
  }

  /** The bytes from `fresh` on are the beginning of a frame, or those in front of them are it too. */
  #keep(fresh: number): void {
    const { bytes, head, tail } = this.buffer;
    if (fresh > head && !this.#begins(bytes, head, tail)) this.#dropKept();
    this.#kept = this.buffer.length;
  }

  #begins(bytes: Uint8Array, start: number, tail: number): boolean {
    const judge = this.#judge;
    if (judge?.begins === undefined || tail - start >= this.#sealed.maxBytes) return false;
    return judge.begins(bytes, start, tail) || this.#lacksChecksum(bytes, start, tail);
  }

  /** A whole payload of which the checksum is still to come; not where the messages leave its length open. */
  #lacksChecksum(bytes: Uint8Array, start: number, tail: number): boolean {
    let known = 0;
    for (let missing = 0; missing <= this.#outside && start < tail - missing; missing++) {
      if ((this.#judge?.proof?.(bytes, start, tail - missing).bits ?? -1) < 0) continue;
      if (missing === this.#outside) return false;
      known++;
    }
    return known === 1;
  }

  #dropKept(): void {
    const { bytes, head } = this.buffer;
    this.tally.add(bytes, head, head + this.#kept, 'truncated', 'the rest of a frame');
    this.buffer.consumeTo(head + this.#kept);
    this.#kept = 0;
  }

  /** Where the payload ends if these bytes are one frame and no shorter one can be meant, else -1. */
  #wholeEnd(bytes: Uint8Array, start: number, tail: number): number {
    const end = this.#rightEnd(bytes, start, tail);
    const judge = this.#judge;
    if (end < 0 || judge?.proof === undefined) return end;
    // Behind a zero byte a checksum of most kinds stays right, and in front of one some do.
    const checksum = this.#checksum;
    if (checksum !== undefined && bytes[tail - 1] !== 0 && !checksum.ignoresLeadingZeros) return end;
    if (judge.proof(bytes, start, end).bits < 0) return -1;
    return checksum !== undefined && bytes[tail - 1] === 0 && bytes[tail - 2] === 0 ? -1 : end;
  }

  /** Where the payload ends if these bytes are one frame, as far as a checksum can tell, else -1. */
  #rightEnd(bytes: Uint8Array, start: number, tail: number): number {
    if (tail - start > this.#sealed.maxBytes) return -1;
    const checksum = this.#checksum;
    if (checksum === undefined) return tail;
    const at = tail - checksum.bytes;
    return at > start && checksum.matches(bytes, start, at) ? tail - this.#outside : -1;
  }

  #read(
    bytes: Uint8Array,
    head: number,
    tail: number,
    whole: { readonly right: boolean; readonly cut: boolean },
  ): BurstReading | undefined {
    const checksum = this.#checksum;
    const most = this.#sealed.maxBytes;
    return this.#search?.read(bytes, head, tail, whole, (take) => {
      if (checksum !== undefined) {
        return checksum.findRanges(bytes, head, tail, most - checksum.bytes, (start, _, end) =>
          take(start, end - this.#outside, end),
        );
      }
      for (let start = tail - 1; start >= head; start--) {
        for (const [least, greatest] of this.#judge?.spans ?? []) {
          const last = Math.min(tail, start + greatest, start + most);
          for (let end = start + Math.max(1, least); end <= last; end++) if (!take(start, end, end)) return;
        }
      }
    });
  }

  #deliver(bytes: Uint8Array, start: number, end: number): void {
    this.report();
    if (!this.ended) this.sink.frame(bytes, start, end);
  }

  #drop(bytes: Uint8Array, from: number, to: number, reason: DiscardReason): void {
    if (to === from) return;
    const expected =
      reason === 'too_long'
        ? `at most ${this.#sealed.maxBytes} bytes between silences`
        : this.#checksum === undefined
          ? 'a declared message'
          : `a frame with ${this.#checksum.name}`;
    this.tally.add(bytes, from, to, reason, expected);
  }
}

export const GAP = {
  keys: KEYS,
  make: makeGapFraming,
  isAmongOthers: false,
  locate(_: GapFraming, wire, payload) {
    const starts = plainStarts(0, payload, wire);
    return starts && { starts, parts: [part('checksum', payload.length, wire.length)] };
  },
  luaUnwrap: ({ checksum: declared }: GapFraming) => {
    const tail = checksumBytes(declared);
    return [`if buf:len() <= ${tail} then return end`, `return buf, 0, buf:len() - ${tail}`];
  },
} as const satisfies FramingType<GapFraming>;
