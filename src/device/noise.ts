import type { Discarded } from '../protocol/decoder.ts';
import type { Ending } from './conversation.ts';

/**
 * Bytes that were no frames, since the last valid one. A line that is silent by the protocol and still brought bytes
 * has the wrong speed, or somebody else at its end: what came first says most.
 */
export class Noise {
  #bytes = 0;
  #seen = '';

  heard(report: Discarded): void {
    if (this.#bytes === 0) this.#seen = report.seen;
    this.#bytes += report.count;
  }

  clear(): void {
    this.#bytes = 0;
  }

  /** The ending, with what came instead of frames. */
  explain(ending: Ending): Ending {
    if (this.#bytes === 0) return ending;
    return {
      ...ending,
      detail: `${ending.detail}; ${this.#bytes} bytes came that are no frames: ${this.#seen}`,
    };
  }
}
