import type { DiscardReason, FrameSink } from '../decoder.ts';
import { SearchingDecoder } from '../searching-decoder.ts';
import { DEFAULT_MAX_PAYLOAD, type GapFraming } from './declaration.ts';
import type { Framing } from './framing.ts';
import { SealedPayload } from './sealed-payload.ts';
import { inWords } from './words.ts';

/** Bytes of noise in front of a frame that are looked past: what a line driver makes when it is switched on. */
const MOST_NOISE = 4;

/** Least width of a checksum, in bits, that may decide where in a burst a frame begins and ends. */
const DECISIVE_BITS = 16;

/** Frames that are told apart by the silence between them, like those of Modbus RTU. */
export function makeGapFraming(declaration: GapFraming): Framing {
  const maxPayload = declaration.maxFrame ?? DEFAULT_MAX_PAYLOAD.gap;
  const sealed = new SealedPayload(declaration.checksum, maxPayload);
  return {
    describe: inWords(declaration, []),
    needsSilence: true,
    maxPayload,
    makeDecoder: (sink) => new GapDecoder(sealed, sink),
    encode: (payload) => new Uint8Array(sealed.seal(payload)),
  };
}

/**
 * The burst between two silences is a frame. One whose checksum is wrong may still be one behind a little noise, or
 * two that came too close for the silence to be seen; both are tried where the checksum is wide enough to tell.
 */
class GapDecoder extends SearchingDecoder {
  readonly #sealed: SealedPayload;
  /** Whether the checksum may tell where a frame begins and ends. */
  readonly #decisive: boolean;
  readonly #maxBurst: number;
  #overlong = false;

  constructor(sealed: SealedPayload, sink: FrameSink) {
    super(sink);
    this.#sealed = sealed;
    this.#decisive = (sealed.checksum?.bits ?? 0) >= DECISIVE_BITS;
    this.#maxBurst = this.#decisive ? 2 * sealed.maxBytes + MOST_NOISE : sealed.maxBytes;
  }

  protected override hold(chunk: Uint8Array): void {
    if (this.#overlong) return this.#drop(chunk, 0, chunk.length, 'too_long');
    super.hold(chunk);
    const { bytes, head, tail } = this.buffer;
    if (tail - head <= this.#maxBurst) return;
    this.#overlong = true;
    this.#drop(bytes, head, tail, 'too_long');
    this.buffer.clear();
  }

  /** Only a silence decides. */
  protected override take(final: boolean): void {
    if (!final) return;
    this.#overlong = false;
    this.#takeBurst();
    this.buffer.consumeTo(this.buffer.tail);
  }

  #takeBurst(): void {
    const { bytes, head, tail } = this.buffer;
    if (head === tail) return;
    const end = this.#payloadEnd(bytes, head, tail);
    if (end > head) {
      this.#deliver(bytes, head, end);
      return;
    }
    if (this.#decisive) {
      if (this.#takeAll(bytes, head, tail)) return;
      for (let noise = 1; noise <= MOST_NOISE; noise++) {
        const behindNoise = this.#payloadEnd(bytes, head + noise, tail);
        if (behindNoise <= head + noise) continue;
        this.#drop(bytes, head, head + noise, 'no_header');
        this.#deliver(bytes, head + noise, behindNoise);
        return;
      }
    }
    const tooLong = tail - head > this.#sealed.maxBytes;
    this.#drop(bytes, head, tail, tooLong ? 'too_long' : 'bad_checksum');
  }

  /** Where the payload ends if these bytes are one frame, else -1. */
  #payloadEnd(bytes: Uint8Array, start: number, tail: number): number {
    return tail - start > this.#sealed.maxBytes ? -1 : this.#sealed.endOf(bytes, start, tail);
  }

  /** Takes a burst that is nothing but frames, one behind the other. */
  #takeAll(bytes: Uint8Array, head: number, tail: number): boolean {
    const { checksum, maxBytes } = this.#sealed;
    if (checksum === undefined) return false;
    const ends: number[] = [];
    for (let at = head; at < tail; ) {
      const end = checksum.firstEnd(bytes, at, Math.min(tail, at + maxBytes));
      if (end < 0) return false;
      ends.push(end);
      at = end + checksum.bytes;
    }
    let at = head;
    for (const end of ends) {
      this.#deliver(bytes, at, end);
      at = end + checksum.bytes;
    }
    return true;
  }

  #deliver(bytes: Uint8Array, start: number, end: number): void {
    this.report();
    if (!this.ended) this.sink.frame(bytes, start, end);
  }

  #drop(bytes: Uint8Array, from: number, to: number, reason: DiscardReason): void {
    const expected =
      reason === 'too_long'
        ? `at most ${this.#sealed.maxBytes} bytes between silences`
        : this.#sealed.expected;
    this.tally.add(bytes, from, to, reason, expected);
  }
}
