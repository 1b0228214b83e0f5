import type { Link, LinkEnd, SendOutcome } from '../links/link.ts';
import { decodePayload } from '../protocol/codec.ts';
import type { DecoderFault, Discarded, FrameDecoder, FrameSink } from '../protocol/decoder.ts';
import type { ProtocolDefinition } from '../protocol/definition.ts';
import type { InvalidPayload, Message } from '../protocol/message.ts';

/** Who hears what a wire brings. An owner compares the wire with its present one and drops what others say. */
export interface WireOwner {
  wireOpened(wire: Wire, address: string): void;
  /** Before the chunk's frames. */
  wireBytes(wire: Wire, chunk: Uint8Array): void;
  wireMessage(wire: Wire, message: Message | InvalidPayload): void;
  wireDiscarded(wire: Wire, report: Discarded): void;
  wireFaulted(wire: Wire, fault: DecoderFault): void;
  /** After the chunk's frames; `pending` bytes of an unfinished frame are held. */
  wireChunk(wire: Wire, bytes: number, pending: number): void;
  wireClosed(wire: Wire, end: LinkEnd): void;
}

/** How the bytes of a wire are read. */
export interface WireCodec {
  readonly definition: ProtocolDefinition;
  makeDecoder(definition: ProtocolDefinition, sink: FrameSink): FrameDecoder;
}

/** A link with its decoder. It can change hands between two frames of one chunk: set `owner`. */
export class Wire {
  readonly link: Link;
  owner: WireOwner;
  readonly #codec: WireCodec;
  readonly #decoder: FrameDecoder;
  readonly #ended: (() => void) | undefined;
  readonly #sink: FrameSink;

  /** `ended` is called once, when the link is gone, whoever owns the wire by then. */
  constructor(link: Link, codec: WireCodec, owner: WireOwner, ended?: () => void) {
    this.link = link;
    this.owner = owner;
    this.#codec = codec;
    this.#ended = ended;
    this.#sink = {
      frame: (bytes, start, end) =>
        this.owner.wireMessage(this, decodePayload(this.#codec.definition, bytes, start, end)),
      discarded: (report) => this.owner.wireDiscarded(this, report),
      fault: (fault) => this.owner.wireFaulted(this, fault),
    };
    this.#decoder = codec.makeDecoder(codec.definition, this.#sink);
  }

  open(): void {
    this.link.open({
      opened: (address) => this.owner.wireOpened(this, address),
      data: (chunk) => {
        this.owner.wireBytes(this, chunk);
        this.#decoder.push(chunk);
        this.owner.wireChunk(this, chunk.byteLength, this.#decoder.pending);
      },
      idle: () => {
        this.#decoder.idle();
        this.owner.wireChunk(this, 0, this.#decoder.pending);
      },
      closed: (end) => {
        this.#decoder.close();
        this.#ended?.();
        this.owner.wireClosed(this, end);
      },
    });
  }

  send(frame: Uint8Array): SendOutcome {
    return this.link.send(frame);
  }

  /** Nothing more is decoded. */
  close(how: 'end' | 'destroy'): void {
    this.#decoder.close();
    if (how === 'end') this.link.end();
    else this.link.destroy();
  }
}
