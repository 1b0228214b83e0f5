import { withResolvers } from '../system/index.ts';
import type { TraceEvent } from '../trace/index.ts';

/** Bytes of links that wait for a slow reader, at most. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Events on their way to one reader, which gets all that came meanwhile at once. Beyond the bound bytes are dropped. */
export class EventQueue implements AsyncIterable<readonly TraceEvent[]> {
  #events: TraceEvent[] = [];
  #bytes = 0;
  #dropped = 0;
  #ended = false;
  #problem: unknown;
  #wake: () => void = () => undefined;
  readonly #mostBytes: number;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  push(events: readonly TraceEvent[]): void {
    for (const event of events) {
      const bytes = 'bytes' in event.fact ? event.fact.bytes.length : 0;
      // Behind the first that had no room, none has, until the reader has taken the rest.
      if (bytes > 0 && (this.#dropped > 0 || this.#bytes + bytes > this.#mostBytes)) {
        this.#dropped += bytes;
        continue;
      }
      this.#bytes += bytes;
      this.#events.push(event);
    }
    this.#wake();
  }

  /** Bytes that were dropped, once there is room again; each time they are said once. */
  dropped(): number {
    if (this.#bytes > 0) return 0;
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Nothing follows; `problem` is thrown behind what came. */
  end(problem?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#problem = problem;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly TraceEvent[]> {
    for (;;) {
      while (this.#events.length === 0) {
        if (this.#ended) {
          if (this.#problem !== undefined) throw this.#problem;
          return;
        }
        const { promise, resolve } = withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
      const events = this.#events;
      this.#events = [];
      this.#bytes = 0;
      yield events;
    }
  }
}
