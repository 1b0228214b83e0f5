import { BUDGET_PER_BYTE, CheckBudget } from './check-budget.ts';
import type { DiscardReason, FrameSink } from './decoder.ts';
import type { FrameShape, ProtocolDefinition } from './definition.ts';
import { PREFIX_BYTES } from './frame.ts';
import { SearchingDecoder } from './searching-decoder.ts';

const HEADER_BYTES = PREFIX_BYTES + 1;

/** Bytes of noise behind a reply that is awaited, at most. */
const MOST_STRAY = 2;

const BUDGET_EXPECTED = `content checks within ${BUDGET_PER_BYTE} bytes per byte received`;

/**
 * Frames of a line that loses and invents bytes (serial).
 *
 * The header of a declared message, length and id, is the sync word.
 *
 *     fresh ────frame───▶ locked ──implausible header or last byte──▶ hunting
 *       └────discard────▶ hunting ──whole frame of plausible content──▶ locked
 *
 * - *Fresh* (just opened) and *hunting* take a frame only if its content is as unmistakable as its shape can make it.
 * - *Locked*, length and id suffice, unless the last byte cannot be: then a byte was lost inside, and the frame has
 *   swallowed the head of the next one. The search goes on behind the first byte of its header, and finds that one.
 * - *Hunting*, a reply of id and error code alone is too easily made of the rest of one frame and the head of the
 *   next. It counts if another header follows, or silence; so it waits for either, five bytes at most. One that is
 *   awaited counts with a stray byte or two behind it as well, such as a driver makes that is switched off: fewer than
 *   the rest of a frame whose head it had taken. Everything else is delivered at once.
 *
 * Work is linear in the bytes received: sliding looks at each position once, and content checks live on a budget.
 */
export class LineDecoder extends SearchingDecoder {
  readonly #definition: ProtocolDefinition;
  readonly #longest: number;
  readonly #headerExpected: string;
  readonly #budget = new CheckBudget();
  #state: 'fresh' | 'locked' | 'hunting' = 'fresh';

  constructor(definition: ProtocolDefinition, sink: FrameSink) {
    super(sink);
    this.#definition = definition;
    this.#longest = definition.longest;
    this.#headerExpected = `the length and id of ${definition.messages.map((each) => each.name).join(', ')}`;
  }

  protected override hold(chunk: Uint8Array): void {
    super.hold(chunk);
    this.#budget.earn(chunk.length, this.buffer.length);
  }

  /** In step: whole frames one after the other. Returns whether what is left may become one. */
  #follow(): boolean {
    const definition = this.#definition;
    const sink = this.sink;
    const longest = this.#longest;
    const { bytes, view, tail } = this.buffer;
    let at = this.buffer.head;
    let plausible = true;
    while (at < tail) {
      if (tail - at < HEADER_BYTES) {
        plausible = this.#prefixPlausible(bytes, at, tail);
        break;
      }
      // Signed, so that it stays a small integer for the engine: a negative one is 2 GiB or more.
      const length = view.getInt32(at);
      const start = at + PREFIX_BYTES;
      const end = start + length;
      if (length <= 0 || length > longest) plausible = false;
      else if (end > tail) plausible = definition.knows(view.getUint8(start), length);
      else if (definition.declares(view.getUint8(start), length, view.getUint8(end - 1))) {
        sink.frame(bytes, start, end);
        if (this.ended) return true;
        at = end;
        continue;
      } else plausible = false;
      break;
    }
    this.buffer.consumeTo(at);
    return plausible;
  }

  protected override take(final: boolean): void {
    const { bytes, view, tail } = this.buffer;
    let at = this.buffer.head;
    while (at < tail && !this.ended) {
      if (this.#state === 'locked') {
        this.buffer.consumeTo(at);
        if ((this.#follow() && !final) || this.buffer.length === 0) return;
        at = this.buffer.head;
      }
      if (tail - at < HEADER_BYTES) {
        if (!this.#prefixPlausible(bytes, at, tail))
          at = this.#drop(bytes, at, 1, 'no_header', this.#headerExpected);
        else if (final) at = this.#drop(bytes, at, 1, 'truncated', 'the rest of a header');
        else break;
        continue;
      }
      const length = view.getInt32(at);
      const start = at + PREFIX_BYTES;
      const shape = this.#shape(view.getUint8(start), length);
      if (shape === undefined) {
        at = this.#drop(bytes, at, 1, 'no_header', this.#headerExpected);
        continue;
      }
      const end = start + length;
      if (end > tail) {
        if (!final) break;
        at = this.#drop(
          bytes,
          at,
          1,
          'truncated',
          `a whole ${shape.message} ${shape.kind} of ${length} bytes`,
        );
        continue;
      }
      const judgement = this.#judge(shape, bytes, at, end, tail, final);
      if (judgement === 'wait') break;
      if (judgement === 'reject') {
        at = this.#drop(bytes, at, 1, 'bad_content', `${shape.message} ${shape.kind}: ${shape.content}`);
      } else if (judgement === 'skip') {
        at = this.#drop(bytes, at, PREFIX_BYTES + length, 'budget', BUDGET_EXPECTED);
      } else {
        this.report();
        if (this.ended) return;
        this.#state = 'locked';
        this.sink.frame(bytes, start, end);
        at = end;
      }
    }
    this.buffer.consumeTo(at);
  }

  #shape(id: number, length: number): FrameShape | undefined {
    return length > 0 && length <= this.#longest ? this.#definition.shape(id, length) : undefined;
  }

  #judge(
    shape: FrameShape,
    bytes: Uint8Array,
    at: number,
    end: number,
    tail: number,
    final: boolean,
  ): 'take' | 'reject' | 'skip' | 'wait' {
    const start = at + PREFIX_BYTES;
    // In step it was looked at already, and ends as it cannot.
    if (this.#state === 'locked') return 'reject';
    if (this.#budget.credit < (end - start) * (shape.passes ?? 1)) return 'skip';
    if (!this.#plausible(shape, bytes, start, end)) return 'reject';
    if (this.#state !== 'hunting' || !shape.weak || shape.kind !== 'reply') return 'take';
    const stray = this.sink.awaitsReply?.(shape.message) === true ? MOST_STRAY : 0;
    for (let from = end; from <= end + stray; from++) {
      if (from >= tail) return final ? 'take' : 'wait';
      const next = this.#next(bytes, from, tail);
      if (next === 'whole' || (next === 'possible' && final)) return 'take';
      if (next === 'possible') return 'wait';
    }
    return 'reject';
  }

  /** Checks the content; the caller has seen to it that the credit suffices. */
  #plausible(shape: FrameShape, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#budget.spend(shape.check(bytes, start, end));
  }

  /** Whether a declared header begins at `at`: it does, it does not, or more bytes would tell. */
  #next(bytes: Uint8Array, at: number, tail: number): 'whole' | 'possible' | 'none' {
    if (tail - at < HEADER_BYTES) return this.#prefixPlausible(bytes, at, tail) ? 'possible' : 'none';
    const view = this.buffer.view;
    return this.#shape(view.getUint8(at + PREFIX_BYTES), view.getInt32(at)) === undefined ? 'none' : 'whole';
  }

  /** Whether the fewer than five bytes before `tail` may be the beginning of a declared header. */
  #prefixPlausible(bytes: Uint8Array, at: number, tail: number): boolean {
    let value = 0;
    for (let index = at; index < tail; index++) value = (value << 8) | (bytes[index] ?? 0);
    if (value < 0) return false;
    const missing = PREFIX_BYTES - (tail - at);
    return missing === 0 ? this.#definition.lengthPossible(value) : value <= this.#longest >>> (8 * missing);
  }

  #drop(bytes: Uint8Array, at: number, count: number, reason: DiscardReason, expected: string): number {
    this.#state = 'hunting';
    this.tally.add(bytes, at, at + count, reason, expected);
    return at + count;
  }
}
