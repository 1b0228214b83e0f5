import type { DecoderFault, Discarded, FrameDecoder, FrameSink } from '../../../src/protocol/decoder.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import type { FramingOptions } from '../../../src/protocol/framing/framing.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';

/** Writes down what a decoder of any framing finds: payloads as hex, the rest in words. */
export class CollectingSink implements FrameSink {
  readonly events: string[] = [];
  readonly frames: string[] = [];
  readonly discards: Discarded[] = [];
  readonly faults: DecoderFault[] = [];
  /** Bytes in all discards. */
  discardedBytes = 0;

  frame(bytes: Uint8Array, start: number, end: number): void {
    if (start >= end) throw new Error('an empty payload was delivered');
    const hex = hexText(bytes, start, end);
    this.frames.push(hex);
    this.events.push(hex);
  }

  discarded(report: Discarded): void {
    this.discards.push(report);
    this.discardedBytes += report.count;
    this.events.push(`discarded ${report.count} ${report.reason}`);
  }

  fault(report: DecoderFault): void {
    this.faults.push(report);
    this.events.push(`fault ${report.reason}`);
  }
}

/** What arrives: bytes, or the silence of a line. */
export type Arrival = Uint8Array | 'idle';

/** A decoder with its sink; `idle` is passed on as silence. */
export function decoderOf(
  declaration: FramingDeclaration,
  options: FramingOptions = { line: 'serial' },
): { sink: CollectingSink; decoder: FrameDecoder; feed: (...arrivals: Arrival[]) => CollectingSink } {
  const sink = new CollectingSink();
  const decoder = makeFraming(declaration).makeDecoder(sink, options);
  const feed = (...arrivals: Arrival[]) => {
    for (const each of arrivals) {
      if (each === 'idle') decoder.idle();
      else decoder.push(each);
    }
    return sink;
  };
  return { sink, decoder, feed };
}

/** Bytes that a text says in hex, and in quotes as they are. */
export function bytesOf(text: string): Uint8Array {
  const parts = [...text.matchAll(/"([^"]*)"|([0-9a-f]{2})/gi)].map(([, quoted, hex]) =>
    quoted === undefined ? [Number.parseInt(hex ?? '', 16)] : [...new TextEncoder().encode(quoted)],
  );
  return Uint8Array.from(parts.flat());
}
