import { HeartwireError } from '../errors.ts';
import type { FrameDecoder, FrameSink } from './decoder.ts';
import { DiscardTally } from './discard-tally.ts';
import { LinearBuffer } from './linear-buffer.ts';

/** Endless garbage is reported at least this often, in bytes. */
const REPORT_EVERY_BYTES = 65_536;

/**
 * A decoder that holds its bytes until they are decided: when it searches them, and when it reports what it set aside;
 * and that nothing runs within the sink, behind the end, or after the sink threw. What delimits frames is `take`.
 */
export abstract class SearchingDecoder implements FrameDecoder {
  protected readonly sink: FrameSink;
  protected readonly buffer = new LinearBuffer();
  /** What is set aside, and not reported yet. */
  protected readonly tally = new DiscardTally();
  /** Nothing is delivered any more; a search that called the sink looks at it before it goes on. */
  protected ended = false;
  #inside = false;

  constructor(sink: FrameSink) {
    this.sink = sink;
  }

  get pending(): number {
    return this.buffer.length;
  }

  push(chunk: Uint8Array): void {
    if (!this.#admits('push') || chunk.length === 0) return;
    this.hold(chunk);
    this.#run(false);
  }

  idle(): void {
    if (this.#admits('idle')) this.#run(true);
  }

  close(): void {
    if (!this.ended && !this.#inside) this.#run(true);
    this.ended = true;
    this.buffer.clear();
  }

  /** Keeps the bytes of a chunk. */
  protected hold(chunk: Uint8Array): void {
    this.buffer.append(chunk);
  }

  /** Takes what is held as far as it is decided; `final` decides all of it, for nothing follows. */
  protected abstract take(final: boolean): void;

  /** Hands over what was set aside; before every frame, so that the sink gets both in the order of the bytes. */
  protected report(): void {
    if (this.tally.count > 0 && !this.ended) this.sink.discarded(this.tally.take());
  }

  /** Whether this call is to do anything; throws where it comes from within the sink. */
  #admits(call: 'push' | 'idle'): boolean {
    if (this.#inside)
      throw new HeartwireError('decoder_reentered', `${call}() was called from within the sink`);
    return !this.ended;
  }

  #run(final: boolean): void {
    this.#inside = true;
    let done = false;
    try {
      if (final) this.report();
      if (!this.ended) this.take(final);
      if (final || this.tally.count >= REPORT_EVERY_BYTES) this.report();
      done = true;
    } finally {
      this.#inside = false;
      // After an exception of the sink it is not known which frames it has taken.
      if (!done) this.ended = true;
      if (this.ended) this.buffer.clear();
    }
  }
}
