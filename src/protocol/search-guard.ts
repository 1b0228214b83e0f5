import { HeartwireError } from '../errors.ts';
import type { FrameSink } from './decoder.ts';
import type { DiscardTally } from './discard-tally.ts';
import type { LinearBuffer } from './linear-buffer.ts';

/** Endless garbage is reported at least this often, in bytes. */
const REPORT_EVERY_BYTES = 65_536;

/** Looks for frames in the bytes that a decoder holds. */
export interface FrameSearch {
  /** Takes what is held as far as it is decided; `final` decides all of it, for nothing follows. */
  take(final: boolean): void;
}

/**
 * When a decoder that holds its bytes searches them, and when it reports what it set aside; and that nothing runs within
 * the sink, behind the end, or after the sink threw. A part and no base class: what every chunk passes has one shape
 * for the engine, whatever the framing.
 */
export class SearchGuard {
  readonly #buffer: LinearBuffer;
  readonly #tally: DiscardTally;
  readonly #sink: FrameSink;
  /** Nothing is delivered any more; a search that called the sink looks at it before it goes on. */
  ended = false;
  #inside = false;

  constructor(buffer: LinearBuffer, tally: DiscardTally, sink: FrameSink) {
    this.#buffer = buffer;
    this.#tally = tally;
    this.#sink = sink;
  }

  /** Whether this call is to do anything; throws where it comes from within the sink. */
  admits(call: 'push' | 'idle'): boolean {
    if (this.#inside)
      throw new HeartwireError('decoder_reentered', `${call}() was called from within the sink`);
    return !this.ended;
  }

  run(search: FrameSearch, final: boolean): void {
    this.#inside = true;
    let done = false;
    try {
      if (final) this.report();
      if (!this.ended) search.take(final);
      if (final || this.#tally.count >= REPORT_EVERY_BYTES) this.report();
      done = true;
    } finally {
      this.#inside = false;
      // After an exception of the sink nobody knows which frames it has taken.
      if (!done) this.ended = true;
      if (this.ended) this.#buffer.clear();
    }
  }

  close(search: FrameSearch): void {
    if (!this.ended && !this.#inside) this.run(search, true);
    this.ended = true;
    this.#buffer.clear();
  }

  /** Hands over what was set aside; before every frame, so that the sink hears of both in the order of the bytes. */
  report(): void {
    if (this.#tally.count > 0 && !this.ended) this.#sink.discarded(this.#tally.take());
  }
}
