import type { FrameDecoder, FrameSink } from '../protocol/decoder.ts';
import { LinearBuffer } from '../protocol/linear-buffer.ts';
import type { InvalidPayload, Message } from '../protocol/message.ts';
import type { FrameReading } from './frame-reading.ts';

/** A whole frame as it was on the wire, or bytes that belong to none. */
export type TracedFrame =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array; readonly message: Message | InvalidPayload }
  | { readonly kind: 'discarded'; readonly bytes: Uint8Array; readonly reason: string };

/** Cuts what went one way over one connection into frames; no byte is lost. */
export class FrameSplitter {
  readonly #decoder: FrameDecoder;
  readonly #byteByByte: boolean;
  /** Bytes that the decoder has not told of. */
  readonly #held = new LinearBuffer();
  #found: TracedFrame[] = [];
  #faulted = false;

  constructor(reading: FrameReading) {
    const sink: FrameSink = {
      frame: (bytes, start, end) => {
        const message = reading.decode(bytes, start, end);
        const count = reading.frameBytes(bytes, start, end) ?? this.#held.length;
        this.#found.push({ kind: 'frame', bytes: this.#take(count), message });
      },
      discarded: ({ count, reason }) =>
        this.#found.push({ kind: 'discarded', bytes: this.#take(count), reason }),
      fault: ({ reason }) => {
        this.#faulted = true;
        this.#discardRest(reason);
      },
    };
    this.#byteByByte = reading.escapes;
    this.#decoder = reading.makeDecoder(sink);
  }

  push(chunk: Uint8Array): TracedFrame[] {
    if (this.#byteByByte) for (let at = 0; at < chunk.length; at++) this.#push(chunk.subarray(at, at + 1));
    else this.#push(chunk);
    return this.#told();
  }

  idle(): TracedFrame[] {
    if (!this.#faulted) this.#decoder.idle();
    return this.#told();
  }

  /** The connection is over. */
  close(): TracedFrame[] {
    this.#decoder.close();
    this.#discardRest('truncated');
    return this.#told();
  }

  #push(chunk: Uint8Array): void {
    this.#held.append(chunk);
    if (this.#faulted) this.#discardRest('after_fault');
    else this.#decoder.push(chunk);
  }

  #told(): TracedFrame[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #take(count: number): Uint8Array {
    const { bytes, head, tail } = this.#held;
    const end = Math.min(head + count, tail);
    const taken = bytes.slice(head, end);
    this.#held.consumeTo(end);
    return taken;
  }

  #discardRest(reason: string): void {
    if (this.#held.length > 0) {
      this.#found.push({ kind: 'discarded', bytes: this.#take(this.#held.length), reason });
    }
  }
}
