import { HeartwireError } from '../errors.ts';
import {
  type DecoderFault,
  type FaultReason,
  type FrameDecoder,
  type FrameSink,
  SAMPLE_BYTES,
} from './decoder.ts';
import { lengthsInWords, type ProtocolDefinition } from './definition.ts';
import { copyOf, hexExcerpt, quotedText } from './describe.ts';
import { recogniseForeignProtocol, startsTelnet } from './foreign-protocol.ts';
import { PREFIX_BYTES } from './frame.ts';
import { LinearBuffer } from './linear-buffer.ts';

/** Behind a half frame, chunks up to this size are copied whole: that is cheaper than to copy what it lacks by itself. */
const SMALL_CHUNK_BYTES = 1024;

/**
 * Frames of a byte stream that loses nothing (TCP). Whole frames are delivered straight from their chunk; only what it
 * leaves unfinished is copied, so that a device which sends whole frames has no buffer at all. The first header that
 * cannot be ends it with one fault, as early as the bytes can tell: a stream that is out of step once is never in step
 * again.
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
      // After an exception of the sink it is not known which frames it has taken.
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
    const length = tail - head >= PREFIX_BYTES ? lengthAt(bytes, head) : undefined;
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
    let from = 0;
    if (buffer.length > 0) {
      if (chunk.length <= SMALL_CHUNK_BYTES) {
        buffer.append(chunk);
        buffer.consumeTo(this.#take(buffer.bytes, buffer.head, buffer.tail));
        return;
      }
      from = this.#complete(chunk);
      if (this.#ended || from === chunk.length) return;
    }
    const rest = this.#take(chunk, from, chunk.length);
    if (!this.#ended && rest < chunk.length) buffer.append(chunk, rest);
  }

  /** The half frame first: with what it lacks, and no more, it is whole. Returns where the rest of the chunk begins. */
  #complete(chunk: Uint8Array): number {
    const buffer = this.#buffer;
    let from = 0;
    while (buffer.length > 0 && from < chunk.length && !this.#ended) {
      const to = Math.min(chunk.length, from + this.#missing());
      buffer.append(chunk.subarray(from, to));
      buffer.consumeTo(this.#take(buffer.bytes, buffer.head, buffer.tail));
      from = to;
    }
    return from;
  }

  /** Bytes that the half frame in the buffer lacks, or its header. */
  #missing(): number {
    const { bytes, head, length } = this.#buffer;
    return length < PREFIX_BYTES ? PREFIX_BYTES - length : PREFIX_BYTES + lengthAt(bytes, head) - length;
  }

  /** Delivers the whole frames between `at` and `to`; returns where the first unfinished one begins. */
  #take(bytes: Uint8Array, at: number, to: number): number {
    let definition = this.#definition;
    const sink = this.#sink;
    while (to - at >= PREFIX_BYTES) {
      // Signed, so that it stays a small integer for the engine: a negative one is 2 GiB or more.
      const length = lengthAt(bytes, at);
      const start = at + PREFIX_BYTES;
      if (length <= 0 || length > definition.maxFrame) {
        return this.#fault(length === 0 ? 'zero_length' : 'too_long', bytes, at, to);
      }
      if (start === to) break;
      if (!definition.admits(bytes[start] ?? 0, length))
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
    const foreignProtocol = reason === 'zero_length' ? undefined : recogniseForeignProtocol(bytes, at, to);
    const message =
      reason === 'impossible_length' ? this.#definition.message(bytes[at + PREFIX_BYTES] ?? 0) : undefined;
    const report: DecoderFault = {
      reason: foreignProtocol === undefined ? reason : 'intruder',
      length,
      expected:
        message === undefined
          ? `a length of 1 to ${this.#definition.maxFrame} bytes`
          : `${lengthsInWords(message)} for ${message.name}`,
      seen:
        foreignProtocol ??
        `a length of ${length}: ${hexExcerpt(bytes, at, to)} ${quotedText(bytes, at, Math.min(to, at + 16))}`,
      sample: copyOf(bytes, at, Math.min(to, at + SAMPLE_BYTES)),
    };
    this.#ended = true;
    this.#sink.fault(report);
    return to;
  }
}

/** The length in a header that is whole, signed. */
function lengthAt(bytes: Uint8Array, at: number): number {
  // Reading four bytes costs less than to make a view of every chunk.
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

/** The length in a header, unsigned; of one that is cut short the missing bytes count as 0. */
function headerLength(bytes: Uint8Array, at: number, to: number): number {
  let length = 0;
  for (let index = at; index < at + PREFIX_BYTES; index++)
    length = length * 256 + (index < to ? (bytes[index] ?? 0) : 0);
  return length;
}
