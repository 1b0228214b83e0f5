import { HeartwireError } from '../errors.ts';
import type { DecoderFault, FaultReason, FrameDecoder, FrameSink } from './decoder.ts';
import { SAMPLE_BYTES } from './decoder.ts';
import type { ProtocolDefinition } from './definition.ts';
import { lengthsInWords } from './definition.ts';
import { copyOf, hexExcerpt, quotedText } from './describe.ts';
import { PREFIX_BYTES } from './frame.ts';
import { recogniseIntruder, startsTelnet } from './intruder.ts';
import { LinearBuffer } from './linear-buffer.ts';

/** Chunks up to this size are copied whole: that is cheaper than to make views of a chunk and copy what it leaves. */
const SMALL_CHUNK_BYTES = 1024;

/**
 * Frames of a byte stream that loses nothing (TCP). Whole frames are delivered straight from a large chunk;
 * only what it leaves unfinished is copied. The first header that cannot be ends it with one fault, as
 * early as the bytes can tell: a stream that is out of step once is never in step again.
 */
export class StreamDecoder implements FrameDecoder {
  #definition: ProtocolDefinition;
  readonly #sink: FrameSink;
  readonly #buffer = new LinearBuffer();
  #ended = false;
  #inside = false;

  constructor(definition: ProtocolDefinition, sink: FrameSink) {
    this.#definition = definition;
    this.#sink = sink;
  }

  define(definition: ProtocolDefinition): void {
    this.#definition = definition;
  }

  get pending(): number {
    return this.#buffer.length;
  }

  push(chunk: Uint8Array): void {
    if (this.#inside) throw new HeartwireError('decoder_reentered', 'push() was called from within the sink');
    if (this.#ended || chunk.length === 0) return;
    this.#inside = true;
    let done = false;
    try {
      this.#receive(chunk);
      done = true;
    } finally {
      this.#inside = false;
      // After an exception of the sink nobody knows which frames it has taken.
      if (!done) this.#ended = true;
      if (this.#ended) this.#buffer.clear();
    }
  }

  /** Silence means nothing on a stream. */
  idle(): void {}

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#inside || this.#buffer.length === 0) return;
    const { bytes, view, head, tail } = this.#buffer;
    const length = tail - head >= PREFIX_BYTES ? view.getUint32(head) : undefined;
    const report = {
      count: tail - head,
      reason: 'truncated',
      expected: length === undefined ? 'a length of 4 bytes' : `${length} bytes of payload`,
      seen: `the end of the link after ${hexExcerpt(bytes, head, tail)}`,
      sample: copyOf(bytes, head, Math.min(tail, head + SAMPLE_BYTES)),
    } as const;
    this.#buffer.clear();
    this.#sink.discarded(report);
  }

  #receive(chunk: Uint8Array): void {
    const buffer = this.#buffer;
    if (chunk.length <= SMALL_CHUNK_BYTES) {
      buffer.append(chunk);
      buffer.consumeTo(this.#take(buffer.bytes, buffer.view, buffer.head, buffer.tail));
    } else {
      this.#receiveLarge(chunk);
    }
  }

  #receiveLarge(chunk: Uint8Array): void {
    const buffer = this.#buffer;
    let from = 0;
    // The half frame first: with what it lacks, and no more, it is whole.
    while (buffer.length > 0 && from < chunk.length && !this.#ended) {
      const to = Math.min(chunk.length, from + this.#missing());
      buffer.append(chunk.subarray(from, to));
      buffer.consumeTo(this.#take(buffer.bytes, buffer.view, buffer.head, buffer.tail));
      from = to;
    }
    if (this.#ended || from === chunk.length) return;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    from = this.#take(chunk, view, from, chunk.length);
    if (!this.#ended && from < chunk.length) buffer.append(chunk.subarray(from));
  }

  /** Bytes that the half frame in the buffer lacks, or its header. */
  #missing(): number {
    const { view, head, length } = this.#buffer;
    return length < PREFIX_BYTES ? PREFIX_BYTES - length : PREFIX_BYTES + view.getUint32(head) - length;
  }

  /** Delivers the whole frames between `at` and `to`; returns where the first unfinished one begins. */
  #take(bytes: Uint8Array, view: DataView, at: number, to: number): number {
    let definition = this.#definition;
    const sink = this.#sink;
    while (to - at >= PREFIX_BYTES) {
      // Signed, so that it stays a small integer for the engine: a negative one is 2 GiB or more.
      const length = view.getInt32(at);
      const start = at + PREFIX_BYTES;
      if (length <= 0 || length > definition.maxFrame) {
        return this.#fault(length === 0 ? 'zero_length' : 'too_long', bytes, at, to);
      }
      if (start === to) break;
      if (!definition.admits(view.getUint8(start), length))
        return this.#fault('impossible_length', bytes, at, to);
      const end = start + length;
      if (end > to) break;
      sink.frame(bytes, start, end);
      if (this.#ended) return to;
      definition = this.#definition;
      at = end;
    }
    // Telnet opens with three bytes and waits for the answer: a fourth may never come.
    if (to - at === 3 && startsTelnet(bytes, at, to)) return this.#fault('intruder', bytes, at, to);
    return at;
  }

  #fault(reason: FaultReason, bytes: Uint8Array, at: number, to: number): number {
    const length = headerLength(bytes, at, to);
    const intruder = reason === 'zero_length' ? undefined : recogniseIntruder(bytes, at, to);
    const message =
      reason === 'impossible_length' ? this.#definition.message(bytes[at + PREFIX_BYTES] ?? 0) : undefined;
    const report: DecoderFault = {
      reason: intruder === undefined ? reason : 'intruder',
      length,
      expected:
        message === undefined
          ? `a length of 1 to ${this.#definition.maxFrame} bytes`
          : `${lengthsInWords(message)} for ${message.name}`,
      seen:
        intruder ??
        `a length of ${length}: ${hexExcerpt(bytes, at, to)} ${quotedText(bytes, at, Math.min(to, at + 16))}`,
      sample: copyOf(bytes, at, Math.min(to, at + SAMPLE_BYTES)),
    };
    this.#ended = true;
    this.#sink.fault(report);
    return to;
  }
}

/** The length in a header, unsigned; of one that is cut short the missing bytes count as 0. */
function headerLength(bytes: Uint8Array, at: number, to: number): number {
  let length = 0;
  for (let index = at; index < at + PREFIX_BYTES; index++)
    length = length * 256 + (index < to ? (bytes[index] ?? 0) : 0);
  return length;
}
