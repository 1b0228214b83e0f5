import {
  builtinMessages,
  DEFAULT_MAX_FRAME,
  type DeclaredProtocol,
  decodePayload,
  type FrameDecoder,
  type FrameSink,
  type Framing,
  type InvalidPayload,
  isStandardFraming,
  LinearBuffer,
  LineDecoder,
  type Message,
  makeFraming,
  PREFIX_BYTES,
  ProtocolDefinition,
  payloadJudge,
  StreamDecoder,
} from '../protocol/index.ts';
import type { TraceHead } from '../trace/index.ts';

/** How the bytes that went one way over a link are read. */
export interface FrameReading {
  makeDecoder(sink: FrameSink): FrameDecoder;
  decode(bytes: Uint8Array, start: number, end: number, kind?: string): Message | InvalidPayload;
  /**
   * Escapes hide how long a frame was: the decoder is to be given byte by byte, and a frame is all that came since what
   * was reported before.
   */
  readonly escapes: boolean;
  /** Bytes of the whole frame around a payload; undefined with `escapes`. */
  frameBytes(bytes: Uint8Array, start: number, end: number): number | undefined;
}

type Line = 'stream' | 'serial';

/** How a trace is read: its `#meta` says what is built in, `messages` what was declared besides, or instead. */
export function frameReading(
  { meta }: TraceHead,
  messages: DeclaredProtocol | undefined,
  direction: 'in' | 'out',
): FrameReading {
  const line: Line =
    (meta.line ?? (meta.transport === 'serial' ? 'serial' : 'stream')) === 'serial' ? 'serial' : 'stream';
  const from = direction === 'in' ? 'device' : 'host';
  const declared = messages?.hasBuiltinIds === true ? messages.definition([], from).messages : [];
  const bare = meta.session === 'none' || meta.session === 'declared';
  const builtin = !bare || messages === undefined;
  if (builtin) {
    const own = builtinMessages(meta.identity === 'any' ? 'any' : 'standard');
    return standard(new ProtocolDefinition([...own, ...declared], maxFrameOf(meta)), line);
  }
  const { framing } = messages.declaration;
  const decode: FrameReading['decode'] = (bytes, start, end, kind) =>
    messages.decode(bytes, start, end, from, undefined, kind);
  if (isStandardFraming(framing) && messages.hasBuiltinIds) {
    return { ...standard(new ProtocolDefinition(declared, maxFrameOf(meta)), line), decode };
  }
  const made = makeFraming(framing, direction === 'in' ? 'host' : 'device');
  const judge = payloadJudge(messages, from);
  return {
    makeDecoder: (sink) => made.makeDecoder(sink, { line, judge }),
    decode,
    ...extentOf(made),
  };
}

function standard(definition: ProtocolDefinition, line: Line): FrameReading {
  return {
    makeDecoder: (sink) =>
      line === 'serial' ? new LineDecoder(definition, sink) : new StreamDecoder(definition, sink),
    decode: (bytes, start, end) => decodePayload(definition, bytes, start, end),
    escapes: false,
    frameBytes: (_, start, end) => end - start + PREFIX_BYTES,
  };
}

function extentOf(framing: Framing): Pick<FrameReading, 'escapes' | 'frameBytes'> {
  if (framing.varies) return { escapes: true, frameBytes: () => undefined };
  // What surrounds a payload is as long in every frame.
  let around: number | undefined;
  const frameBytes: FrameReading['frameBytes'] = (bytes, start, end) => {
    around ??= framing.encode(bytes.slice(start, end)).length - (end - start);
    return end - start + around;
  };
  return { escapes: false, frameBytes };
}

function maxFrameOf(meta: TraceHead['meta']): number {
  const given = Number(meta.max_frame ?? DEFAULT_MAX_FRAME);
  return Number.isInteger(given) && given > 0 ? given : DEFAULT_MAX_FRAME;
}

/** A whole frame as it was on the wire, or bytes that belong to none. */
export type TracedFrame =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array; readonly message: Message | InvalidPayload }
  | {
      readonly kind: 'discarded';
      readonly bytes: Uint8Array;
      readonly reason: string;
      /** What would have been taken, and what stood there instead, in words. */
      readonly expected: string;
      readonly seen: string;
    };

/** Cuts what went one way over one connection into frames; no byte is lost. */
export class FrameSplitter {
  readonly #decoder: FrameDecoder;
  readonly #byteByByte: boolean;
  /** Bytes that the decoder has not reported. */
  readonly #held = new LinearBuffer();
  #found: TracedFrame[] = [];
  #faulted = false;

  /** `awaits`: whether a reply may come now, to the message of this name or to any; absent where that is not known. */
  constructor(reading: FrameReading, awaits?: (message?: string) => boolean) {
    const sink: FrameSink = {
      ...(awaits === undefined ? {} : { awaitsReply: awaits }),
      frame: (bytes, start, end, kind) => {
        const message = reading.decode(bytes, start, end, kind);
        const count = reading.frameBytes(bytes, start, end) ?? this.#held.length;
        this.#found.push({ kind: 'frame', bytes: this.#take(count), message });
      },
      discarded: ({ count, reason, expected, seen }) =>
        this.#found.push({ kind: 'discarded', bytes: this.#take(count), reason, expected, seen }),
      fault: ({ reason, expected, seen }) => {
        this.#faulted = true;
        this.#discardRest(reason, expected, seen);
      },
    };
    this.#byteByByte = reading.escapes;
    this.#decoder = reading.makeDecoder(sink);
  }

  push(chunk: Uint8Array): TracedFrame[] {
    if (this.#byteByByte) for (let at = 0; at < chunk.length; at++) this.#push(chunk.subarray(at, at + 1));
    else this.#push(chunk);
    return this.#takeReported();
  }

  idle(): TracedFrame[] {
    if (!this.#faulted) this.#decoder.idle();
    return this.#takeReported();
  }

  /** The connection is over. */
  close(): TracedFrame[] {
    this.#decoder.close();
    this.#discardRest('truncated');
    return this.#takeReported();
  }

  #push(chunk: Uint8Array): void {
    this.#held.append(chunk);
    if (this.#faulted) this.#discardRest('after_fault');
    else this.#decoder.push(chunk);
  }

  #takeReported(): TracedFrame[] {
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

  #discardRest(reason: string, expected = '', seen = ''): void {
    if (this.#held.length > 0) {
      this.#found.push({ kind: 'discarded', bytes: this.#take(this.#held.length), reason, expected, seen });
    }
  }
}
