import type { FrameDecoder, FrameSink } from '../protocol/decoder.ts';
import type { ProtocolDefinition } from '../protocol/definition.ts';
import { PREFIX_BYTES } from '../protocol/frame.ts';
import { writeUnsigned } from '../protocol/framing/byte-order.ts';
import type { FramingDeclaration } from '../protocol/framing/declaration.ts';
import type { PayloadJudge } from '../protocol/framing/framing.ts';
import { isStandardFraming, makeFraming } from '../protocol/framing/make-framing.ts';
import { LineDecoder } from '../protocol/line-decoder.ts';
import { StreamDecoder } from '../protocol/stream-decoder.ts';
import type { WireCodec } from './wire.ts';

/** Silence that ends a half frame of a serial line behind a serial server, in ms. */
export const SERIAL_SERVER_GAP_MS = 200;

/** What decides how the bytes of a device are read. */
export interface CodecParts {
  /** The messages that the decoders of the standard framing know. */
  readonly definition: ProtocolDefinition;
  readonly line: 'stream' | 'serial';
  /** How frames are told apart; absent: by four bytes of length. */
  readonly framing?: FramingDeclaration | undefined;
  /** What a payload says, where it is not one of the definition. */
  readonly decode?: WireCodec['decode'] | undefined;
  /** Tells a frame from noise where a line has nothing else to tell it by. */
  readonly judge?: PayloadJudge | undefined;
}

/** How the bytes of a device's wire are read and written. Throws `bad_argument` for an impossible framing. */
export function makeWireCodec({ definition, line, framing, decode, judge }: CodecParts): WireCodec {
  const own = decode === undefined ? {} : { decode };
  if (framing === undefined || isStandardFraming(framing)) {
    return {
      ...own,
      definition,
      makeDecoder: (known: ProtocolDefinition, sink: FrameSink): FrameDecoder =>
        line === 'serial' ? new LineDecoder(known, sink) : new StreamDecoder(known, sink),
      frame: standardFrame,
    };
  }
  const made = makeFraming(framing);
  return {
    ...own,
    definition,
    makeDecoder: (_, sink, awaited) => made.makeDecoder(sink, { line, judge, awaited }),
    frame: (payload) => made.encode(payload),
  };
}

/** Whether frames end with silence, so that the link must report it, on TCP too. */
export function framingNeedsSilence(framing: FramingDeclaration | undefined): boolean {
  return framing !== undefined && makeFraming(framing).needsSilence;
}

function standardFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + payload.length);
  writeUnsigned(frame, 0, PREFIX_BYTES, 'big', payload.length);
  frame.set(payload, PREFIX_BYTES);
  return frame;
}
