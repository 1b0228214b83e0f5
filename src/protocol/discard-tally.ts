import { type Discarded, type DiscardReason, SAMPLE_BYTES } from './decoder.ts';
import { copyOf, hexExcerpt } from './describe.ts';
import { recogniseForeignProtocol } from './foreign-protocol.ts';

/** Gathers the bytes between two frames into one report; counts them without keeping more than a sample. */
export class DiscardTally {
  count = 0;
  #reason: DiscardReason = 'no_header';
  #expected = '';
  readonly #sample = new Uint8Array(SAMPLE_BYTES);

  /** Adds bytes `from` to `to`; the reason of the first ones stands, but for `budget`, which always shows. */
  add(bytes: Uint8Array, from: number, to: number, reason: DiscardReason, expected: string): void {
    if (this.count === 0 || (reason === 'budget' && this.#reason !== 'budget')) {
      this.#reason = reason;
      this.#expected = expected;
    }
    const room = Math.min(to - from, SAMPLE_BYTES - this.count);
    for (let index = 0; index < room; index++) this.#sample[this.count + index] = bytes[from + index] ?? 0;
    this.count += to - from;
  }

  /** The report of what was gathered; the tally starts again at zero. */
  take(): Discarded {
    const sample = copyOf(this.#sample, 0, Math.min(this.count, SAMPLE_BYTES));
    const report: Discarded = {
      count: this.count,
      reason: this.#reason,
      expected: this.#expected,
      seen: recogniseForeignProtocol(sample, 0, sample.length) ?? hexExcerpt(sample, 0, sample.length),
      sample,
    };
    this.count = 0;
    return report;
  }
}
