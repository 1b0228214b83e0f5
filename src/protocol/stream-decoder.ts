import { HeartwireError } from '../errors.ts';
import type { DecoderFault, FaultReason, FrameDecoder, FrameSink } from './decoder.ts';
import { SAMPLE_BYTES } from './decoder.ts';
import type { ProtocolDefinition } from './definition.ts';
import { lengthsInWords } from './definition.ts';
import { copyOf, hexExcerpt, quotedText, readU32 } from './describe.ts';
import { PREFIX_BYTES } from './frame.ts';
import { recogniseIntruder, startsTelnet } from './intruder.ts';
import { LinearBuffer } from './linear-buffer.ts';

/** Chunks up to this size are copied behind a half frame whole: one copy is cheaper than two exact ones. */
const SMALL_CHUNK_BYTES = 1024;

/**
 * Frames of a byte stream that loses nothing (TCP). Whole frames are delivered straight from the chunk that holds
 * them; only what a chunk leaves unfinished is copied. The first header that cannot be ends it with one fault, as
 * early as the bytes can tell: a stream that is out of step once is never in step again.
 */
export class StreamDecoder implements FrameDecoder {
  /** Upper bound of a payload in bytes, from the next header on. */
  maxFrame: number;
  readonly #definition: ProtocolDefinition;
  readonly #sink: FrameSink;
  readonly #buffer = new LinearBuffer();
  #ended = false;
  #inside = false;

  constructor(definition: ProtocolDefinition, sink: FrameSink) {
    this.#definition = definition;
    this.#sink = sink;
    this.maxFrame = definition.maxFrame;
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
    const { bytes, head, tail } = this.#buffer;
    const length = tail - head >= PREFIX_BYTES ? readU32(bytes, head) : undefined;
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
    const size = chunk.length;
    let from = 0;
    while (buffer.length > 0 && from < size) {
      const to = size <= SMALL_CHUNK_BYTES ? size : Math.min(size, from + this.#missing());
      buffer.append(chunk, from, to);
      from = to;
      buffer.consumeTo(this.#take(buffer.bytes, buffer.head, buffer.tail));
      if (this.#ended) return;
    }
    if (from === size) return;
    from = this.#take(chunk, from, size);
    if (!this.#ended && from < size) buffer.append(chunk, from, size);
  }

  /** Bytes that the half frame in the buffer lacks, or its header. */
  #missing(): number {
    const { bytes, head, length } = this.#buffer;
    return length < PREFIX_BYTES ? PREFIX_BYTES - length : PREFIX_BYTES + readU32(bytes, head) - length;
  }

  /** Delivers the whole frames between `at` and `to`; returns where the first unfinished one begins. */
  #take(bytes: Uint8Array, at: number, to: number): number {
    const definition = this.#definition;
    while (to - at >= PREFIX_BYTES) {
      const length = readU32(bytes, at);
      const start = at + PREFIX_BYTES;
      if (length === 0) return this.#fault('zero_length', bytes, at, to);
      if (length > this.maxFrame) return this.#fault('too_long', bytes, at, to);
      if (start === to) break;
      const id = bytes[start] ?? 0;
      if (definition.shape(id, length) === undefined && definition.message(id) !== undefined) {
        return this.#fault('impossible_length', bytes, at, to);
      }
      const end = start + length;
      if (end > to) break;
      this.#sink.frame(bytes, start, end);
      if (this.#ended) return to;
      at = end;
    }
    // Telnet opens with three bytes and waits for the answer: a fourth may never come.
    if (to - at === 3 && startsTelnet(bytes, at, to)) return this.#fault('intruder', bytes, at, to);
    return at;
  }

  #fault(reason: FaultReason, bytes: Uint8Array, at: number, to: number): number {
    // Of a header cut after three bytes the last one counts as 0.
    const length = to - at >= PREFIX_BYTES ? readU32(bytes, at) : (readU32(bytes, at) & 0xffff_ff00) >>> 0;
    const intruder = reason === 'zero_length' ? undefined : recogniseIntruder(bytes, at, to);
    const message =
      reason === 'impossible_length' ? this.#definition.message(bytes[at + PREFIX_BYTES] ?? 0) : undefined;
    const report: DecoderFault = {
      reason: intruder === undefined ? reason : 'intruder',
      length,
      expected:
        message === undefined
          ? `a length of 1 to ${this.maxFrame} bytes`
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
