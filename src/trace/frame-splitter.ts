import { decodePayload } from '../protocol/codec.ts';
import type { FrameDecoder, FrameSink } from '../protocol/decoder.ts';
import type { ProtocolDefinition } from '../protocol/definition.ts';
import { PREFIX_BYTES } from '../protocol/frame.ts';
import { LineDecoder } from '../protocol/line-decoder.ts';
import type { InvalidPayload, Message } from '../protocol/message.ts';
import { StreamDecoder } from '../protocol/stream-decoder.ts';

/** A whole frame, length prefix included, or bytes that belong to none. */
export type TracedFrame =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array; readonly message: Message | InvalidPayload }
  | { readonly kind: 'discarded'; readonly bytes: Uint8Array; readonly reason: string };

/** Cuts what went one way over one connection into frames; no byte is lost. */
export class FrameSplitter {
  readonly #decoder: FrameDecoder;
  /** Bytes that the decoder has not told of. */
  #held = new Uint8Array(0);
  #found: TracedFrame[] = [];
  #faulted = false;

  constructor(definition: ProtocolDefinition, line: 'stream' | 'serial') {
    const sink: FrameSink = {
      frame: (bytes, start, end) => {
        const message = decodePayload(definition, bytes, start, end);
        this.#found.push({ kind: 'frame', bytes: this.#take(end - start + PREFIX_BYTES), message });
      },
      discarded: ({ count, reason }) =>
        this.#found.push({ kind: 'discarded', bytes: this.#take(count), reason }),
      fault: ({ reason }) => {
        this.#faulted = true;
        this.#discardRest(reason);
      },
    };
    this.#decoder =
      line === 'serial' ? new LineDecoder(definition, sink) : new StreamDecoder(definition, sink);
  }

  push(chunk: Uint8Array): TracedFrame[] {
    const held = new Uint8Array(this.#held.length + chunk.length);
    held.set(this.#held);
    held.set(chunk, this.#held.length);
    this.#held = held;
    if (this.#faulted) this.#discardRest('after_fault');
    else this.#decoder.push(chunk);
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

  #told(): TracedFrame[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #take(count: number): Uint8Array {
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }

  #discardRest(reason: string): void {
    if (this.#held.length > 0) {
      this.#found.push({ kind: 'discarded', bytes: this.#take(this.#held.length), reason });
    }
  }
}
